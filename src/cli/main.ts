#!/usr/bin/env node
// The `sluice` command: finds the command that is asked for, loads only that, and gives it a process to run in.

import { readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../core/clock.ts';
import { KafkaError, UsageError } from '../errors.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, type Command, type Surroundings } from './command.ts';
import { EventWriter } from './event-writer.ts';
import { asksForHelp } from './options.ts';

interface Entry {
  readonly summary: string;
  load(): Promise<Command>;
}

const COMMANDS: { readonly [name: string]: Entry } = {
  broker: {
    summary: 'a Kafka cluster in memory, for development and tests',
    load: async () => (await import('./broker.ts')).broker,
  },
  'verifiable-producer': {
    summary: "Kafka's VerifiableProducer on this client: JSON events for test harnesses",
    load: async () => (await import('./verifiable-producer.ts')).verifiableProducer,
  },
  'verifiable-consumer': {
    summary: "Kafka's VerifiableConsumer on this client",
    load: async () => (await import('./verifiable-consumer.ts')).verifiableConsumer,
  },
  redrive: {
    summary: 'writes the records of a dead letter topic back to where they are from',
    load: async () => (await import('./redrive.ts')).redrive,
  },
  'transactional-copier': {
    summary: "Kafka's TransactionalMessageCopier: copies messages and commits their offsets in transactions",
    load: async () => (await import('./transactional-copier.ts')).transactionalCopier,
  },
};

const WIDEST = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
const HELP = `Usage: sluice <command> [options]

Commands:
${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(WIDEST)}  ${summary}`)
  .join('\n')}

  sluice <command> --help   the options of a command
  sluice --version          the version of this package

Exit codes: ${EXIT_OK} done, or stopped by SIGINT or SIGTERM; ${EXIT_USAGE} wrong options; ${EXIT_FAILED} it could not do its work.`;

const LONG_MS = 2 ** 31 - 1;
/** A terminal's Ctrl-C comes from the terminal and once more through npx, which passes signals on. */
const SAME_SIGNAL_MS = 500;
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const;

/** The first signal stops in order, a later one at once. */
function stopOnSignals(stopping: AbortController, note: (line: string) => void): void {
  let firstMs = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      const nowMs = systemClock.now();
      if (!stopping.signal.aborted) {
        firstMs = nowMs;
        stopping.abort(signal);
      } else if (nowMs - firstMs > SAME_SIGNAL_MS) {
        note(`${signal} came again: ended at once`);
        process.exit(SIGNAL_EXIT[signal]);
      }
    });
  }
}

/** A command ends when it says so, even if nothing it waits for would keep the process. */
function stayAlive(): void {
  systemClock.setTimeout(stayAlive, LONG_MS);
}

function version(): string {
  const root = path.resolve(path.dirname(realpathSync(process.argv[1]!)), '../..');
  const read = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  return read.version;
}

async function runCommand(
  name: string,
  entry: Entry,
  args: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  const command = await entry.load();
  if (asksForHelp(args) || (command.needsArguments && args.length === 0)) {
    surroundings.events.line(command.help);
    return EXIT_OK;
  }
  try {
    return await command.run(args, surroundings);
  } catch (error) {
    if (error instanceof UsageError) {
      surroundings.note(`${error.message}\n'sluice ${name} --help' lists the options.`);
      return EXIT_USAGE;
    }
    if (!(error instanceof KafkaError)) throw error;
    surroundings.note(error.message);
    return EXIT_FAILED;
  }
}

function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const [name, ...rest] = args;
  const entry = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry !== undefined) return runCommand(name!, entry, rest, surroundings);
  if (name === '--version' || name === '-v') surroundings.events.line(version());
  else if (name === '--help' || name === '-h' || name === 'help') surroundings.events.line(HELP);
  else {
    const wrong = name === undefined ? '' : `There is no command '${name}'.\n\n`;
    surroundings.note(`${wrong}${HELP}`);
    return Promise.resolve(EXIT_USAGE);
  }
  return Promise.resolve(EXIT_OK);
}

async function main(args: readonly string[]): Promise<void> {
  const stopping = new AbortController();
  const label = args[0] !== undefined && Object.hasOwn(COMMANDS, args[0]) ? `sluice ${args[0]}: ` : '';
  // Nobody to tell when standard error is gone.
  process.stderr.on('error', () => undefined);
  const note = (line: string): void => void process.stderr.write(`${label}${line}\n`);
  const events = new EventWriter(process.stdout, systemClock);
  stopOnSignals(stopping, note);
  stayAlive();
  let code: number;
  try {
    code = await run(args, { clock: systemClock, events, note, stop: stopping.signal });
  } catch (error) {
    note(error instanceof Error ? (error.stack ?? error.message) : String(error));
    code = EXIT_FAILED;
  }
  await events.flushed();
  process.exit(code);
}

void main(process.argv.slice(2));
