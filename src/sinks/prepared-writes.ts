import { Fifo } from '../flow/fifo.ts';

/** A message whose serializers are not ready, and what to do with it. */
interface Write {
  readonly topic: string;
  go(): void;
  fail(cause: unknown): void;
}

/** Messages that wait for their serializers, in the order in which they came. */
export class PreparedWrites {
  private readonly prepare: (topic: string) => Promise<unknown> | undefined;
  private waiting = new Fifo<Write>();
  private isWaiting = false;
  private idlers: (() => void)[] = [];

  constructor(prepare: (topic: string) => Promise<unknown> | undefined) {
    this.prepare = prepare;
  }

  get size(): number {
    return this.waiting.size;
  }

  /** Calls `write.go` now, or when what it needs is there; or `write.fail`. */
  push(write: Write): void {
    this.waiting.push(write);
    if (!this.isWaiting) this.goOn();
  }

  /** Resolves when none waits. */
  async idle(): Promise<void> {
    if (this.waiting.size > 0) await new Promise<void>((resolve) => this.idlers.push(resolve));
  }

  private goOn(): void {
    for (let first = this.waiting.peek(); first !== undefined; first = this.waiting.peek()) {
      const { topic } = first;
      const preparation = this.prepare(topic);
      if (preparation !== undefined) {
        this.isWaiting = true;
        preparation.then(
          () => this.prepared(),
          (cause: unknown) => {
            this.refuse(topic, cause);
            this.prepared();
          },
        );
        return;
      }
      this.waiting.shift();
      first.go();
    }
    for (const resolve of this.idlers.splice(0)) resolve();
  }

  private prepared(): void {
    this.isWaiting = false;
    this.goOn();
  }

  // All of the topic waited for it; to ask again for each would make an outage as long as they are many.
  private refuse(topic: string, cause: unknown): void {
    const { waiting } = this;
    this.waiting = new Fifo();
    const refused: Write[] = [];
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      if (one.topic === topic) refused.push(one);
      else this.waiting.push(one);
    }
    for (const one of refused) one.fail(cause);
  }
}
