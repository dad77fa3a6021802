// Standard output: lines gathered into few writes, with the reader's pace and its leaving known to the command.

import type { Writable } from 'node:stream';
import type { Clock } from '../core/clock.ts';

/** Gathered text is written at once when there is this much of it, in UTF-16 units. */
const ENOUGH = 32 * 1024;

/** Writes JSON events, one a line, in order. What the reader does not take is the caller's to bound: ask `isFull`. */
export class EventWriter {
  /** Aborts when the reader has left (EPIPE), or when writing fails for another reason. What is written then goes nowhere. */
  readonly closed: AbortSignal;
  private readonly closing = new AbortController();
  private readonly stream: Writable;
  private readonly clock: Clock;
  private gathered = '';
  private scheduled = false;
  private waiting: (() => void)[] = [];
  private readonly flushing = new Set<() => void>();

  constructor(stream: Writable, clock: Clock) {
    this.stream = stream;
    this.clock = clock;
    this.closed = this.closing.signal;
    stream.on('drain', () => this.wake());
    stream.on('error', (cause) => this.fail(cause));
  }

  /** The reader is behind: no more should be made until `whenRoom()`. */
  get isFull(): boolean {
    return !this.closed.aborted && (this.stream.writableNeedDrain || this.gathered.length >= ENOUGH);
  }

  /** One JSON object: timestamp and name first, as Kafka's tools print them. */
  event(name: string, fields: object = {}): void {
    this.line(JSON.stringify({ timestamp: this.clock.wallNow(), name, ...fields }));
  }

  line(text: string): void {
    if (this.closed.aborted) return;
    this.gathered += `${text}\n`;
    if (this.gathered.length >= ENOUGH && !this.stream.writableNeedDrain) this.write();
    else if (!this.scheduled) {
      this.scheduled = true;
      this.clock.defer(() => {
        this.scheduled = false;
        this.write();
      });
    }
  }

  /** Resolves when the reader has caught up, or has left. */
  async whenRoom(): Promise<void> {
    while (this.isFull) {
      if (!this.stream.writableNeedDrain) this.write();
      else await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** Resolves when every line so far is the operating system's, or the reader has left. */
  flushed(): Promise<void> {
    const text = this.take();
    if (this.closed.aborted || (text === '' && this.stream.writableLength === 0)) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.flushing.delete(done);
        resolve();
      };
      this.flushing.add(done);
      this.stream.write(text, done);
    });
  }

  private write(): void {
    const text = this.take();
    if (text !== '' && !this.closed.aborted) this.stream.write(text);
  }

  private take(): string {
    const text = this.gathered;
    this.gathered = '';
    return text;
  }

  private fail(cause: Error): void {
    if (this.closed.aborted) return;
    this.gathered = '';
    this.closing.abort(cause);
    this.wake();
    for (const done of [...this.flushing]) done();
  }

  private wake(): void {
    for (const resume of this.waiting.splice(0)) resume();
  }
}
