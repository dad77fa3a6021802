// `sluice broker`: the box as a process of its own.

import type { TopicOptions } from '../testing/broker/options.ts';
import { UsageError } from '../errors.ts';
import { EXIT_FAILED, EXIT_OK, type Command, type Surroundings } from './command.ts';
import {
  describeOptions,
  flag,
  integer,
  optional,
  parseCommandLine,
  repeatable,
  text,
  withDefault,
  type Kind,
} from './options.ts';

const MAX_PORT = 65_535;
const MAX_PARTITIONS = 10_000;
const CLOSE_LIMIT_MS = 700;
const MAX_TOLD = 5;
const LOOPBACK = /^(127\.[0-9.]+|localhost|::1)$/;
const ANY_ADDRESS = /^(0\.0\.0\.0|::)$/;
const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/;

const partitionCount = integer('N', 1, MAX_PARTITIONS);

const topicWithPartitions: Kind<readonly [string, TopicOptions]> = {
  metavar: 'NAME[:PARTITIONS]',
  read(value) {
    const [name = '', count, ...rest] = value.split(':');
    if (!TOPIC_NAME.test(name) || name === '.' || name === '..' || rest.length > 0)
      throw new UsageError(
        `must be a topic's name (letters, digits, '.', '_', '-') with or without :partitions, not '${value}'`,
      );
    return [name, count === undefined ? {} : { partitions: partitionCount.read(count) }];
  },
};

const OPTIONS = {
  port: withDefault(
    integer('N', 0, MAX_PORT),
    9092,
    'Port of the first broker, the others take the next ones; 0 for any free ports.',
  ),
  host: withDefault(text('ADDRESS'), '127.0.0.1', 'Address to listen on, and the one that clients are told.'),
  'advertised-host': optional(
    text('ADDRESS'),
    'Address that clients are told, where it is not the one listened on: with --host 0.0.0.0 one that they can reach.',
  ),
  brokers: withDefault(integer('N', 1, 100), 1, 'Brokers in the cluster, with ids from 0 up.'),
  partitions: withDefault(
    partitionCount,
    1,
    'Partitions of topics that come without a number, those that clients create by asking for them included.',
  ),
  'auto-create': flag(
    'Asking for a topic creates it, as on a Kafka left at its defaults. This is the default.',
  ),
  'no-auto-create': flag('Asking for a topic does not create it.'),
  topic: repeatable(topicWithPartitions, 'A topic to start with.'),
  'max-log-bytes': withDefault(
    integer('N', 16 * 1024 * 1024, Number.MAX_SAFE_INTEGER),
    1024 * 1024 * 1024,
    'Memory of all logs together. Beyond it the older half of the largest log is removed, as by retention.',
  ),
};

const HELP = `Usage: sluice broker [options]

A Kafka cluster in one process: Kafka's wire protocol for any client, nothing on disk, gone when it ends.
Its first and only line on standard output is its bootstrap address, printed when it listens:

  sluice broker --topic orders:3
  127.0.0.1:9092

SIGINT or SIGTERM ends it.

Options:
${describeOptions(OPTIONS)}`;

async function run(args: readonly string[], { events, note, stop, clock }: Surroundings): Promise<number> {
  const options = parseCommandLine(OPTIONS, args);
  const { port, host, brokers: count, topic: topics } = options;
  if (options['auto-create'] && options['no-auto-create'])
    throw new UsageError('--auto-create and --no-auto-create exclude each other');
  if (port > 0 && port + count - 1 > MAX_PORT)
    throw new UsageError(
      `--port ${port} leaves no room for ${count} brokers, which take ports up to ${port + count - 1}; the last port is ${MAX_PORT}`,
    );
  const named = new Map(topics);
  if (named.size < topics.length) throw new UsageError('--topic names the same topic twice');
  const advertised = options['advertised-host'] ?? host;
  if (!LOOPBACK.test(host)) warn(host, advertised, note);
  const { createBroker } = await import('../testing/broker/create-broker.ts');
  let box;
  try {
    box = await createBroker({
      brokers: count,
      host,
      advertisedHost: advertised,
      ports: Array.from({ length: count }, (_, at) => (port === 0 ? 0 : port + at)),
      autoCreateTopics: !options['no-auto-create'],
      defaultPartitions: options.partitions,
      topics: Object.fromEntries(named),
      maxLogBytes: options['max-log-bytes'],
      // A broker that runs for days keeps taking records, as one with retention.
      whenLogsFull: 'deleteOldest',
      // Nobody can ask this process for it.
      requestLogSize: 0,
    });
  } catch (error) {
    const why = whyNotListening(error, host);
    if (why === undefined) throw error;
    note(why);
    return EXIT_FAILED;
  }
  // Whoever wanted the address may read it and close the pipe: only a signal ends a broker.
  events.line(box.bootstrap.map(bracketed).join(','));
  if (!stop.aborted)
    await new Promise<void>((resolve) => {
      stop.addEventListener('abort', () => resolve(), { once: true });
    });
  // What a client does not let go of ends with the process.
  await Promise.race([
    box.close(),
    new Promise<void>((resolve) => clock.setTimeout(resolve, CLOSE_LIMIT_MS)),
  ]);
  for (const error of box.internalErrors.slice(0, MAX_TOLD))
    note(
      `this is a bug in the broker: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  return box.internalErrors.length === 0 ? EXIT_OK : EXIT_FAILED;
}

/** `::1:9092` as clients write it. */
function bracketed(address: string): string {
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at);
  return host.includes(':') ? `[${host}]${address.slice(at)}` : address;
}

function warn(host: string, advertised: string, note: (line: string) => void): void {
  note(
    `warning: --host ${host} is not loopback: whoever reaches this machine can read, write and delete everything in this broker`,
  );
  if (ANY_ADDRESS.test(advertised))
    note(
      `warning: clients are sent to ${advertised}, which means their own machine; name an address of this one with --advertised-host when they run elsewhere`,
    );
}

function whyNotListening(error: unknown, host: string): string | undefined {
  const { code, port } = error as { code?: string; port?: number };
  if (code === 'EADDRINUSE')
    return `port ${port} on ${host} is in use; take another one with --port, or any free one with --port 0`;
  if (code === 'EACCES')
    return `port ${port} on ${host} may not be used by this user; take one above 1023 with --port`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `${host} is no address of this machine; --host wants one that it can listen on`;
  return undefined;
}

export const broker: Command = { help: HELP, needsArguments: false, run };
