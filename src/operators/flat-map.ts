import type { Subscriber } from 'rxjs';
import { systemClock, type Clock } from '../core/clock.ts';
import { isDead } from '../flow/dead.ts';
import { handleOf, type Delivery, type ForkingStage, type ForkNode } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import type { StageOptions } from '../flow/policy.ts';
import { namedStage, ValueStage, type NamedStage } from '../flow/value-stage.ts';

/** Children that may be unsettled at once, over all records; pulled again at half. */
const OPEN_CHILDREN = 1_024;

/** One run of pulling may keep the event loop this long; it looks at the clock every so many children. */
const SLICE_MS = 8;
const LOOK_EVERY = 256;

class FlatMapStage<A, B> extends ValueStage<A, B> implements ForkingStage {
  /** Room ran out; cleared at half. */
  pressed = false;
  /** Children neither settled nor held. */
  inFlight = 0;
  private readonly project: (value: A) => Iterable<B>;
  private readonly listeners = new Set<() => void>();
  private iterator: Iterator<B> | undefined;
  private current: Delivery<A> | undefined;
  private fork: ForkNode | undefined;
  private clock: Clock = systemClock;
  private pulling = false;
  private yielding = false;

  constructor(out: Subscriber<Delivery<B>>, stage: NamedStage<A>, project: (value: A) => Iterable<B>) {
    super(out, stage);
    this.project = project;
    this.add(() => this.stopPulling());
  }

  override next(delivery: Delivery<A>): void {
    if (this.busy) this.enqueue(delivery);
    else this.process(delivery);
  }

  onPressure(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  override keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    return (this.fork !== undefined && test(this.current!)) || super.keepsSome(test);
  }

  childOpened(): void {
    this.inFlight++;
  }

  childDone(): void {
    this.inFlight--;
    if (!this.pressed || this.inFlight * 2 > OPEN_CHILDREN) return;
    this.pressed = false;
    this.pull();
  }

  // Busy at once: a child may settle, and the source emit again, before the last child is out.
  protected override process(delivery: Delivery<A>): void {
    this.busy = true;
    try {
      this.iterator = this.project(delivery.value)[Symbol.iterator]();
    } catch (cause) {
      this.failed(delivery, cause);
      this.goOn();
      return;
    }
    const handle = handleOf(delivery);
    this.clock = handle.behind.someSettlement()?.clock ?? systemClock;
    this.current = delivery;
    this.fork = handle.forkInto(this);
    this.pull();
  }

  protected override working(): boolean {
    return this.fork !== undefined;
  }

  private pull(): void {
    if (this.pulling || this.yielding) return;
    this.pulling = true;
    while (this.fork !== undefined && this.iterator !== undefined && !this.pressed && !this.yielding) {
      this.pullFrom(this.fork, this.iterator);
    }
    this.pulling = false;
    if (this.fork === undefined) this.goOn();
  }

  // Until the iterable ends, fails, or has to wait for room or for the event loop.
  private pullFrom(fork: ForkNode, iterator: Iterator<B>): void {
    if (isDead(this.current!)) {
      this.stopPulling();
      return;
    }
    let startMs = -1;
    for (let pulled = 1; !this.pressed && !this.closed; pulled++) {
      let step: IteratorResult<B>;
      try {
        step = iterator.next();
      } catch (cause) {
        if (!this.closed) this.broke(fork, cause);
        return;
      }
      // The user's iterable itself may have ended the flow.
      if (this.closed) {
        stop(iterator);
        return;
      }
      if (step.done === true) {
        this.fork = undefined;
        fork.close();
        return;
      }
      this.out.next(fork.child(step.value));
      if (this.inFlight >= OPEN_CHILDREN) this.press();
      if (pulled % LOOK_EVERY !== 0) continue;
      // Of a claim that is lost nothing more is wanted.
      if (isDead(this.current!)) {
        this.stopPulling();
        return;
      }
      const nowMs = this.clock.now();
      if (startMs < 0) startMs = nowMs;
      else if (nowMs - startMs > SLICE_MS) {
        this.yieldLoop();
        return;
      }
    }
  }

  // The failure is one more child, so that the policy decides about it alone; what was emitted before settles by itself.
  private broke(fork: ForkNode, cause: unknown): void {
    this.fork = undefined;
    this.iterator = undefined;
    const own = fork.child(this.current!.value);
    fork.close();
    this.failed(own, cause);
  }

  private press(): void {
    this.pressed = true;
    for (const listener of [...this.listeners]) listener();
  }

  private yieldLoop(): void {
    this.yielding = true;
    this.clock.defer(() => {
      this.yielding = false;
      this.pull();
    });
  }

  private stopPulling(): void {
    const { fork, iterator } = this;
    this.fork = undefined;
    this.iterator = undefined;
    fork?.abandon();
    if (iterator !== undefined) stop(iterator);
  }
}

function stop(iterator: Iterator<unknown>): void {
  try {
    iterator.return?.();
  } catch {
    // The flow or the claim has ended; there is nobody left to tell.
  }
}

/**
 * Makes any number of values of each record, in order; the record settles when all of them have (none: at once). The iterable is pulled: at
 * most 1,024 values are unsettled at a time, so a generator of a million costs no memory, and long ones give the event loop back now and
 * then. A retry starts the iterable again.
 *
 * @acks A record settles when its iterable has ended and all that it gave has settled; none: at once. One that failed is refused once those before are
 * settled.
 *
 * @marbles
 * ```ts
 * const source = flow('a---b---|');
 * expectFlow(source.pipe(flatMap((x) => [x, x.toUpperCase()]))).toBe('(aA)(bB)|');
 * expectAcks(source).toBe('a---b');
 * ```
 *
 * @example
 * ```ts
 * lines.pipe(flatMap((line) => line.value.split(' ')));
 * ```
 */
export function flatMap<A, B>(
  project: (value: A) => Iterable<B>,
  options?: StageOptions<NoInfer<A>>,
): Op<A, B> {
  const stage = namedStage('flatMap', options);
  return (flow) => createFlow((out) => flow.subscribe(new FlatMapStage(out, stage, project)));
}
