import type { Subscriber } from 'rxjs';
import { ClaimStates } from '../flow/claim-states.ts';
import type { Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import { checkKey, type Key } from '../flow/key.ts';
import type { Op } from '../flow/op.ts';
import type { StageOptions } from '../flow/policy.ts';
import { namedStage, ValueStage, type NamedStage } from '../flow/value-stage.ts';
import { checkKeyMemory, timeToRemember } from './key-memory.ts';
import { RecentKeys } from './recent-keys.ts';

/** Options of {@link distinct}. */
export interface DistinctOptions<A> extends StageOptions<A> {
  /** What makes two values the same. */
  readonly key: (value: A) => Key;
  /** How many keys of each claim are remembered; beyond, the one that came first is forgotten and would pass again. */
  readonly maxKeys: number;
  /** A key passes again when the time of the value is so much later than that of the one that passed. Default: never by time. */
  readonly withinMs?: number | undefined;
  /** The time of a value, for `withinMs`, in ms since 1970; default the newest timestamp of the records behind it. */
  readonly timestamp?: ((value: A) => number) | undefined;
}

class DistinctStage<A> extends ValueStage<A, A> {
  private readonly options: DistinctOptions<A>;
  private readonly claims: ClaimStates<RecentKeys>;

  constructor(out: Subscriber<Delivery<A>>, stage: NamedStage<A>, options: DistinctOptions<A>) {
    super(out, stage);
    this.options = options;
    const { maxKeys, withinMs = Infinity } = options;
    this.claims = new ClaimStates(() => new RecentKeys(maxKeys, withinMs));
  }

  override next(delivery: Delivery<A>): void {
    if (this.busy) this.enqueue(delivery);
    else this.process(delivery);
  }

  protected override process(delivery: Delivery<A>): void {
    let isNew: boolean;
    try {
      const key = checkKey('distinct', this.options.key(delivery.value));
      isNew = this.claims.of(delivery).add(key, timeToRemember('distinct', this.options, delivery));
    } catch (cause) {
      this.failed(delivery, cause);
      return;
    }
    if (isNew) this.out.next(delivery);
    else delivery.ack();
  }
}

/**
 * Lets the first value of each key pass, of those that each claim remembers; the others are acknowledged. With `withinMs` a key passes again
 * once event time has moved on by so much, wherever in the partition its values are: time is what the records say, so a replay gives the same result.
 *
 * What was seen lives in memory, and as long as its claim: after a restart, a rebalance that moves the partition, or a rewind, the first value of each key
 * from the commit point on passes again. So it spares work, but does not make a later write exactly-once.
 *
 * @acks A value whose key was seen is acknowledged at once; the others pass, and are settled by what follows.
 *
 * @marbles
 * ```ts
 * const source = flow('abAcB|');
 * expectFlow(source.pipe(distinct({ key: (x) => x.toLowerCase(), maxKeys: 10 }))).toBe('ab-c-|');
 * expectAcks(source).toBe('abAcB');
 * ```
 *
 * @example
 * ```ts
 * events.pipe(distinct({ key: (event) => event.value.id, maxKeys: 100_000, withinMs: 3_600_000 }));
 * ```
 */
export function distinct<A>(options: DistinctOptions<A>): Op<A, A> {
  const stage = namedStage('distinct', options);
  checkKeyMemory('distinct', options);
  return (flow) => createFlow((out) => flow.subscribe(new DistinctStage(out, stage, options)));
}
