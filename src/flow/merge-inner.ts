import type { Observable, Subscriber } from 'rxjs';
import { handleOf, type Delivery } from './delivery.ts';
import type { Flow } from './flow.ts';
import { currentRuntime, withRuntime } from './runtime.ts';
import { InnerSubscriber, StageSubscriber } from './stage-subscriber.ts';

interface Merged<T> {
  readonly merged: Subscriber<Delivery<T>>;
  error(cause: unknown): void;
  innerComplete(inner: Subscriber<Delivery<T>>): void;
}

/** Passes the deliveries of one inner flow on; its end is not the end of the merged one. */
class Inner<T> extends InnerSubscriber<Delivery<T>> {
  private readonly parent: Merged<T>;

  constructor(parent: Merged<T>) {
    super();
    this.parent = parent;
  }

  override next(delivery: Delivery<T>): void {
    if (this.closed) handleOf(delivery).giveUp();
    else this.parent.merged.next(delivery);
  }

  override error(cause: unknown): void {
    if (!this.closed) this.parent.error(cause);
  }

  override complete(): void {
    if (this.closed) return;
    this.unsubscribe();
    this.parent.innerComplete(this);
  }
}

class Outer<S, T> extends StageSubscriber<S, Delivery<T>> implements Merged<T> {
  private readonly project: (source: S) => Flow<T>;
  // Claims come long after the topology subscribed; what is made in their lanes still belongs to it.
  private readonly runtime = currentRuntime();
  private active = 0;
  private finished = false;

  constructor(project: (source: S) => Flow<T>, out: Subscriber<Delivery<T>>) {
    super(out);
    this.project = project;
  }

  get merged(): Subscriber<Delivery<T>> {
    return this.out;
  }

  override next(source: S): void {
    if (this.closed) return;
    let flow: Flow<T>;
    try {
      flow =
        this.runtime === undefined
          ? this.project(source)
          : withRuntime(this.runtime, () => this.project(source));
    } catch (cause) {
      this.error(cause);
      return;
    }
    const inner = new Inner<T>(this);
    this.active++;
    this.out.add(inner);
    if (this.runtime === undefined) flow.subscribe(inner);
    else withRuntime(this.runtime, () => flow.subscribe(inner));
  }

  override complete(): void {
    this.finished = true;
    this.end();
  }

  innerComplete(inner: Subscriber<Delivery<T>>): void {
    this.active--;
    this.out.remove(inner);
    this.end();
  }

  private end(): void {
    if (this.finished && this.active === 0) this.out.complete();
  }
}

/** Subscribes the flow made from each source as it appears, all at once; completes when the sources have and every flow has. */
export function mergeInner<S, T>(
  sources: Observable<S>,
  project: (source: S) => Flow<T>,
  out: Subscriber<Delivery<T>>,
): void {
  sources.subscribe(new Outer<S, T>(project, out));
}
