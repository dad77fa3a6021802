// Results as an Observable for those who take them as they come, and as an async iterable for those who take them when they can.
import { Observable, type Subscriber } from 'rxjs';

/** A subscriber gets each result at once; a reader (`for await`) at its own pace: what it has not read counts against what may be written. */
export class ResultStream<T> extends Observable<T> implements AsyncIterable<T> {
  private readonly subscribers = new Set<Subscriber<T>>();
  private unreadResults: T[] = [];
  private head = 0;
  private readers = 0;
  private waiting: ((result: IteratorResult<T, undefined>) => void)[] = [];
  private isOver = false;
  private readonly onRead: () => void;

  /** `onRead` is called when a result was taken that had to wait. */
  constructor(onRead: () => void) {
    super((subscriber) => {
      if (this.isOver) {
        subscriber.complete();
        return undefined;
      }
      this.subscribers.add(subscriber);
      return () => this.subscribers.delete(subscriber);
    });
    this.onRead = onRead;
  }

  /** Somebody wants results; without, they need not be made. */
  get isWanted(): boolean {
    return this.subscribers.size > 0 || this.readers > 0;
  }

  /** Results that wait for their reader. */
  get unread(): number {
    return this.unreadResults.length - this.head;
  }

  push(result: T): void {
    for (const subscriber of this.subscribers) subscriber.next(result);
    if (this.readers === 0) return;
    const taker = this.waiting.shift();
    if (taker === undefined) this.unreadResults.push(result);
    else taker({ value: result, done: false });
  }

  end(): void {
    this.isOver = true;
    for (const subscriber of this.subscribers) subscriber.complete();
    for (const taker of this.waiting.splice(0)) taker({ value: undefined, done: true });
  }

  /** All readers share the results: each goes to one of them. When the last one leaves, what is unread is dropped. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    this.readers += 1;
    let isReading = true;
    return {
      next: () => this.read(),
      return: () => {
        if (isReading) {
          isReading = false;
          this.readers -= 1;
          if (this.readers === 0) this.dropUnread();
        }
        return Promise.resolve({ value: undefined, done: true });
      },
    };
  }

  private read(): Promise<IteratorResult<T, undefined>> {
    if (this.unread > 0) {
      const value = this.unreadResults[this.head]!;
      this.head += 1;
      if (this.head >= 1024 || this.head === this.unreadResults.length) {
        this.unreadResults = this.unreadResults.slice(this.head);
        this.head = 0;
      }
      this.onRead();
      return Promise.resolve({ value, done: false });
    }
    if (this.isOver) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private dropUnread(): void {
    this.unreadResults = [];
    this.head = 0;
    this.onRead();
  }
}
