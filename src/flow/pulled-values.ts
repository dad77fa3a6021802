// A push source read by `for await`: what has come and was not taken waits here, and the source's own credit bounds it.
import type { Observable } from 'rxjs';
import { Fifo } from './fifo.ts';
import { InnerSubscriber } from './stage-subscriber.ts';

/** A call of `next()` that waits for its value. */
interface Taker<V> {
  resolve(result: IteratorResult<V, undefined>): void;
  reject(cause: unknown): void;
}

/** What a source tells whoever pulls from it. */
interface Pushed<V> {
  onValue(value: V): void;
  onEnd(failure: { readonly cause: unknown } | undefined): void;
}

class Receiver<V> extends InnerSubscriber<V> {
  private readonly to: Pushed<V>;

  constructor(to: Pushed<V>) {
    super();
    this.to = to;
  }

  // Also when it is closed: a source may be in the middle of handing over.
  override next(value: V): void {
    this.to.onValue(value);
  }

  override error(cause: unknown): void {
    if (this.closed) return;
    this.unsubscribe();
    this.to.onEnd({ cause });
  }

  override complete(): void {
    if (this.closed) return;
    this.unsubscribe();
    this.to.onEnd(undefined);
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Subscribes to `source` at the first `next()`, unsubscribes at `return()`, which is what leaving a `for await` calls. */
export class PulledValues<V extends object> implements AsyncIterableIterator<V, undefined>, Pushed<V> {
  private readonly source: Observable<V>;
  private readonly abandon: (value: V) => void;
  private readonly values = new Fifo<V>();
  private readonly takers = new Fifo<Taker<V>>();
  private receiver: Receiver<V> | undefined;
  private failure: { readonly cause: unknown } | undefined;
  private isOver = false;
  private isLeft = false;

  /** `abandon` is told of each value that came and that nobody will take. */
  constructor(source: Observable<V>, abandon: (value: V) => void) {
    this.source = source;
    this.abandon = abandon;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<V, undefined>> {
    if (this.receiver === undefined && !this.isOver) {
      this.receiver = new Receiver<V>(this);
      this.source.subscribe(this.receiver);
    }
    const value = this.values.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (!this.isOver) return new Promise((resolve, reject) => this.takers.push({ resolve, reject }));
    const { failure } = this;
    this.failure = undefined;
    return failure === undefined ? Promise.resolve(DONE) : Promise.reject(failure.cause);
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.leave();
    return Promise.resolve(DONE);
  }

  onValue(value: V): void {
    const taker = this.isLeft ? undefined : this.takers.shift();
    if (this.isLeft) this.abandon(value);
    else if (taker !== undefined) taker.resolve({ done: false, value });
    else this.values.push(value);
  }

  onEnd(failure: { readonly cause: unknown } | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    this.failure = failure;
    // The first one that waits is told of the failure, as the first `next()` after it would be.
    const first = failure === undefined ? undefined : this.takers.shift();
    if (first !== undefined) {
      this.failure = undefined;
      first.reject(failure!.cause);
    }
    for (let taker = this.takers.shift(); taker !== undefined; taker = this.takers.shift())
      taker.resolve(DONE);
  }

  private leave(): void {
    this.isLeft = true;
    this.onEnd(undefined);
    this.failure = undefined;
    this.receiver?.unsubscribe();
    for (let left = this.values.shift(); left !== undefined; left = this.values.shift()) this.abandon(left);
  }
}
