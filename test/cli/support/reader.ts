// What is at the other end of a command's standard output, in tests without a process.
import { Writable } from 'node:stream';

export type Event = { readonly name: string; readonly timestamp: number } & Record<string, any>;

/** Reads lines as they come; can stand still, and can go away. */
export class Reader extends Writable {
  text = '';
  writes = 0;
  private held: (() => void)[] = [];
  private stands = false;

  constructor(highWaterMark = 16 * 1024) {
    super({ highWaterMark, decodeStrings: true });
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.writes += 1;
    const take = (): void => {
      this.text += chunk.toString();
      done();
    };
    if (this.stands) this.held.push(take);
    else take();
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }

  get events(): Event[] {
    return this.lines.map((line) => JSON.parse(line) as Event);
  }

  named(name: string): Event[] {
    return this.events.filter((event) => event.name === name);
  }

  standStill(): void {
    this.stands = true;
  }

  goOn(): void {
    this.stands = false;
    for (const take of this.held.splice(0)) take();
  }

  leave(): void {
    this.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  }
}
