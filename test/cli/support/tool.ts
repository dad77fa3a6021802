// A command as a process: ours from its source, or one of Kafka's own.
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { bundled } from '../../helpers/bundle.ts';
import type { Event } from './reader.ts';

const MAIN = path.join('src', 'cli', 'main.ts');
const LIMIT_MS = 240_000;

/** A running tool; what it writes to standard output is one line each, JSON events among them. */
export class Tool {
  readonly process: ChildProcess;
  readonly lines: string[] = [];
  readonly events: Event[] = [];
  /** Called with each event as it comes. */
  onEvent: (event: Event) => void = () => {};
  errors = '';
  /** The exit code, null when a signal ended it, when all output was read. */
  readonly exited: Promise<number | null>;
  isOver = false;
  private readonly waiting = new Set<() => void>();
  private rest = '';

  constructor(command: string, args: readonly string[]) {
    this.process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stderr!.on('data', (chunk: Buffer) => {
      this.errors += chunk.toString();
    });
    this.process.stdout!.on('data', (chunk: Buffer) => this.take(chunk.toString()));
    this.exited = new Promise((resolve) => {
      this.process.once('close', (code) => {
        this.isOver = true;
        resolve(code);
        for (const look of this.waiting) look();
      });
    });
  }

  named(name: string): Event[] {
    return this.events.filter((event) => event.name === name);
  }

  /** Resolves when something holds, looked at after each line; rejects when the process ends before, or after some minutes. */
  until(what: string, holds: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error?: Error): void => {
        clearTimeout(timer);
        this.waiting.delete(look);
        if (error === undefined) resolve();
        else reject(error);
      };
      const told = (): string => `${this.lines.slice(-5).join('\n')}\n${this.errors.slice(-4_000)}`;
      const look = (): void => {
        if (holds()) end();
        else if (this.isOver) end(new Error(`it ended before: ${what}\n${told()}`));
      };
      const timer = setTimeout(() => end(new Error(`not in time: ${what}\n${told()}`)), LIMIT_MS);
      this.waiting.add(look);
      look();
    });
  }

  /** Signals it, and answers with its exit code. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.process.kill(signal);
    return this.exited;
  }

  private take(text: string): void {
    const parts = (this.rest + text).split('\n');
    this.rest = parts.pop()!;
    for (const line of parts) {
      this.lines.push(line);
      if (!line.startsWith('{')) continue;
      const event = JSON.parse(line) as Event;
      this.events.push(event);
      this.onEvent(event);
    }
    for (const look of this.waiting) look();
  }
}

/** Starts `sluice` with these arguments. */
export function sluice(...args: readonly string[]): Tool {
  return new Tool(process.execPath, [bundled(MAIN), ...args]);
}

/** Starts a class of org.apache.kafka.tools from these jars. */
export function kafkaTool(lib: string, name: string, ...args: readonly string[]): Tool {
  const quiet = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
  return new Tool('java', [...quiet, '-cp', path.join(lib, '*'), `org.apache.kafka.tools.${name}`, ...args]);
}
