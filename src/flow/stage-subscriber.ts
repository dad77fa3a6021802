/* eslint-disable @typescript-eslint/no-deprecated -- A subscriber class costs one call per value and stage, a closure made per subscription several;
   RxJS 7 keeps the constructor public, and this is the only file that names it. */
import { Subscriber } from 'rxjs';

/**
 * The receiving end of a stage. Errors and completion go on to `out` and end it, unless a subclass says otherwise; unsubscribing `out`
 * unsubscribes it.
 */
export abstract class StageSubscriber<I, O> extends Subscriber<I> {
  protected readonly out: Subscriber<O>;

  constructor(out: Subscriber<O>) {
    super(out);
    this.out = out;
  }

  abstract override next(value: I): void;
}

/** The receiving end of an inner flow or Observable; it tells its parent and ends nothing by itself. */
export abstract class InnerSubscriber<T> extends Subscriber<T> {
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- keeps the deprecated one in this file
  constructor() {
    super();
  }

  abstract override next(value: T): void;
  abstract override error(cause: unknown): void;
  abstract override complete(): void;
}
