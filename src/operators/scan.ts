import type { Subscriber } from 'rxjs';
import { UsageError } from '../errors.ts';
import { ClaimStates } from '../flow/claim-states.ts';
import type { Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import { checkKey, KeyMap, type Key } from '../flow/key.ts';
import type { Op } from '../flow/op.ts';
import type { StageOptions } from '../flow/policy.ts';
import { namedStage, ValueStage, type NamedStage } from '../flow/value-stage.ts';

/** Options of {@link scan}. */
export interface ScanOptions<A, R> extends StageOptions<A> {
  /** Makes the state that a claim, or a key of a claim, begins with. */
  readonly seed: () => R;
  /** One state for each key of a claim; without it one for each claim. */
  readonly key?: ((value: A) => Key) | undefined;
  /** How many keys of one claim may have a state. A value with one more fails, because forgetting a state would give wrong results without a word. Default 100,000. */
  readonly maxKeys?: number | undefined;
}

const DEFAULT_MAX_KEYS = 100_000;

/** A state in its box, so that a state that is undefined is one too. */
interface Cell<R> {
  state: R;
}

class ScanStage<A, R> extends ValueStage<A, R> {
  private readonly fold: (state: R, value: A) => R;
  private readonly options: ScanOptions<A, R>;
  private readonly maxKeys: number;
  private readonly claims = new ClaimStates(() => new KeyMap<Cell<R>>());

  constructor(
    out: Subscriber<Delivery<R>>,
    stage: NamedStage<A>,
    fold: (state: R, value: A) => R,
    options: ScanOptions<A, R>,
  ) {
    super(out, stage);
    this.fold = fold;
    this.options = options;
    this.maxKeys = options.maxKeys ?? DEFAULT_MAX_KEYS;
  }

  override next(delivery: Delivery<A>): void {
    if (this.busy) this.enqueue(delivery);
    else this.process(delivery);
  }

  // The state changes only when the fold has come back: an attempt that fails leaves it as it was.
  protected override process(delivery: Delivery<A>): void {
    let state: R;
    try {
      const { value } = delivery;
      const cell = this.cellOf(delivery);
      state = this.fold(cell.state, value);
      cell.state = state;
    } catch (cause) {
      this.failed(delivery, cause);
      return;
    }
    this.out.next(delivery.derive(state));
  }

  private cellOf(delivery: Delivery<A>): Cell<R> {
    const { key: keyOf, seed } = this.options;
    const key = keyOf === undefined ? undefined : checkKey('scan', keyOf(delivery.value));
    const cells = this.claims.of(delivery);
    let cell = cells.get(key);
    if (cell === undefined) {
      if (cells.size >= this.maxKeys) throw tooManyKeys(this.maxKeys);
      cell = { state: seed() };
      cells.set(key, cell);
    }
    return cell;
  }
}

function tooManyKeys(maxKeys: number): UsageError {
  return new UsageError(
    `scan: a claim has more than ${maxKeys} keys; raise maxKeys if there is memory for them, or fold in windows, which end`,
    'maxKeys',
  );
}

/**
 * Folds the values of each claim, or of each key of a claim, and emits the state after every value, in place of it. The record is settled by what
 * follows; a value for which `fold` throws leaves the state as it was.
 *
 * The state lives in memory, and as long as its claim: after a restart, a rebalance that moves the partition, or a rewind it begins anew with `seed`,
 * at the first record that is not committed. A result that must survive that is kept outside, or made in a window, which holds its records back until it is
 * emitted. A value made of several records, such as a batch, belongs to the claim of the first.
 *
 * @acks Settles nothing on success: the state carries its record on.
 *
 * @marbles
 * ```ts
 * const source = flow('-a-b-c|');
 * const joined = scan((all: string, x: string) => all + x, { seed: () => '' });
 * expectFlow(source.pipe(joined)).toBe('-x-y-z|', { x: 'a', y: 'ab', z: 'abc' });
 * expectAcks(source).toBe('-a-b-c');
 * ```
 *
 * @example
 * ```ts
 * orders.pipe(scan((total, order) => total + order.value.amount, { seed: () => 0, key: (order) => order.key }));
 * ```
 */
export function scan<A, R>(
  fold: (state: NoInfer<R>, value: A) => NoInfer<R>,
  options: ScanOptions<NoInfer<A>, R>,
): Op<A, R> {
  const stage = namedStage('scan', options);
  const { seed, maxKeys = DEFAULT_MAX_KEYS } = options;
  if (typeof seed !== 'function')
    throw new UsageError('scan: seed is a function that makes the first state', 'seed');
  if (!Number.isInteger(maxKeys) || maxKeys < 1)
    throw new UsageError(`scan: maxKeys is a whole number from 1, not ${maxKeys}`, 'maxKeys');
  return (flow) => createFlow((out) => flow.subscribe(new ScanStage<A, R>(out, stage, fold, options)));
}
