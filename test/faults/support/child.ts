// A program in a process of its own, its events, and its end.
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { bundled } from '../../helpers/bundle.ts';

type Event = Record<string, unknown>;

const POLL_MS = 200;

/** A running program; its standard output is one JSON event per line. */
export class Child {
  readonly process: ChildProcess;
  readonly events: Event[] = [];
  readonly exited: Promise<number | null>;
  private readonly waiting = new Set<() => void>();
  private errors = '';

  constructor(program: string, options: object) {
    const file = bundled(path.join('test', 'faults', 'programs', program));
    this.process = spawn(process.execPath, [file, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process.stderr!.on('data', (chunk: Buffer) => {
      this.errors = (this.errors + chunk.toString()).slice(-4_000);
    });
    readline.createInterface({ input: this.process.stdout! }).on('line', (line) => {
      this.events.push(JSON.parse(line) as Event);
      for (const look of this.waiting) look();
    });
    this.exited = new Promise((resolve) => {
      this.process.once('close', (code) => {
        resolve(code);
        for (const look of this.waiting) look();
      });
    });
  }

  /** The latest value of a field among the events. */
  latest(field: string): unknown {
    return this.events.findLast((event) => field in event)?.[field];
  }

  /** Resolves when `predicate` holds, looked at after each event; rejects when the process ends before, or after a minute. */
  until(predicate: () => boolean, limitMs = 120_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error?: Error): void => {
        clearTimeout(timer);
        this.waiting.delete(look);
        if (error === undefined) resolve();
        else reject(error);
      };
      const look = (): void => {
        if (predicate()) end();
        else if (this.ended) end(new Error(`the program ended before: ${this.errors}${this.lastEvents()}`));
      };
      const timer = setTimeout(
        () => end(new Error(`waited ${limitMs} ms; ${this.lastEvents()}\n${this.errors}`)),
        limitMs,
      );
      this.waiting.add(look);
      look();
    });
  }

  /**
   * Asks `predicate` every 200 ms until it holds; rejects when the process ends before, or after so many questions as fit in `limitMs`, with what
   * `standing` tells then. The time of day is not asked: a machine that stood still has not waited.
   */
  async poll(
    predicate: () => Promise<boolean>,
    limitMs = 180_000,
    standing: () => Promise<object> = () => Promise.resolve({}),
  ): Promise<void> {
    for (let left = limitMs / POLL_MS; !(await predicate()); left--) {
      if (this.ended) throw new Error(`the program ended before: ${this.errors}${this.lastEvents()}`);
      if (left <= 0)
        throw new Error(
          `waited ${limitMs} ms; ${this.lastEvents()}\n${JSON.stringify(await standing())}\n${this.errors}`,
        );
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  private lastEvents(): string {
    return `last: ${JSON.stringify(this.events.slice(-5))}`;
  }

  private get ended(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    this.process.kill(signal);
    return this.exited;
  }
}
