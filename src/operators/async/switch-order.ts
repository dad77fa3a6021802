// Of each key of each claim only the latest value runs. A value that was superseded settles when the one that took its place does: until then nothing
// stands for it. Lanes are of the first claim behind a value: the others, of which nothing else would be read again, are told as well.
import { ClaimStates } from '../../flow/claim-states.ts';
import { handleOf, type Delivery } from '../../flow/delivery.ts';
import type { Fifo } from '../../flow/fifo.ts';
import { checkKey, KeyMap, type Key } from '../../flow/key.ts';
import type { Owner } from '../../flow/owner.ts';
import { ending, isEnding } from '../../flow/policy.ts';
import { RelayOwner } from '../../flow/relay-owner.ts';
import type { Settlement, Verdict } from '../../flow/settlement.ts';
import type { CallOrder, Emitter } from './call-order.ts';
import type { Call } from './call.ts';

/** The calls of one key, each in the place of the one before it. */
interface Succession<A, B> {
  readonly key: Key;
  readonly home: KeyMap<Succession<A, B>>;
  last: Call<A, B>;
  /** What is left of those that were superseded; settled with the last. */
  superseded: Delivery<A>[];
  /** What became of the last, for those that are superseded still. */
  settle: Settle | undefined;
}

type Settle = (superseded: Delivery<unknown>) => void;

const WITHOUT_SUCCESSOR =
  'switchByKey: what took the place of a value of several claims was given up with its own';

/** Its Observable has completed, or its policy has decided; only the stage has not been told yet. */
export function isOver<A, B>({ stop, delivery }: Call<A, B>): boolean {
  return stop === undefined && !handleOf(delivery).live;
}

/** Stands before a call's delivery: what becomes of the last of a succession becomes of those before it. */
class Successor<A, B> extends RelayOwner {
  private readonly succession: Succession<A, B>;
  private readonly call: Call<A, B>;

  constructor(inner: Owner, succession: Succession<A, B>, call: Call<A, B>) {
    super(inner);
    this.succession = succession;
    this.call = call;
  }

  override shareSettled(held: boolean): void {
    this.settleOthers((superseded) => superseded.ack());
    super.shareSettled(held);
  }

  // A refusal is told once to each claim; what was superseded is left for the replay that follows.
  override shareRejected(held: boolean, cause: unknown, verdict: Verdict, rewindDelayMs: number): void {
    const claims = new Set<Settlement>();
    this.inner.visitSettlements((claim) => void claims.add(claim));
    const settle: Settle = (superseded) => {
      const handle = handleOf(superseded);
      if (handle.behind.everySettlement((claim) => claims.has(claim) || ending(claim))) handle.giveUp();
      else if (verdict === 'rewind') handle.rewind(cause, rewindDelayMs);
      else handle.nack(cause, verdict);
    };
    const superseded = this.take(settle);
    super.shareRejected(held, cause, verdict, rewindDelayMs);
    for (const delivery of superseded) settle(delivery);
  }

  // A claim that goes on where this one's is over would wait for its record for ever.
  override shareGivenUp(held: boolean): void {
    const isOver = this.inner.everySettlement(ending);
    this.settleOthers((superseded) => {
      if (isOver && !isEnding(superseded)) handleOf(superseded).rewind(new Error(WITHOUT_SUCCESSOR), 0);
      else handleOf(superseded).giveUp();
    });
    super.shareGivenUp(held);
  }

  override shareHeld(): void {
    if (this.succession.last === this.call)
      for (const delivery of this.succession.superseded) delivery.hold();
    super.shareHeld();
  }

  private settleOthers(settle: Settle): void {
    for (const superseded of this.take(settle)) settle(superseded);
  }

  private take(settle: Settle): readonly Delivery<A>[] {
    const { succession } = this;
    if (succession.last !== this.call) return [];
    succession.settle = settle;
    const { superseded } = succession;
    succession.superseded = [];
    return superseded;
  }
}

export class SwitchOrder<A, B> implements CallOrder<A, B> {
  readonly idle = true;
  private readonly operator: string;
  private readonly key: (value: A) => Key;
  private readonly withdraw: (call: Call<A, B>) => Delivery<A>;
  private readonly claims = new ClaimStates(() => new KeyMap<Succession<A, B>>());
  private readonly running = new Map<Call<A, B>, Succession<A, B>>();

  constructor(operator: string, key: (value: A) => Key, withdraw: (call: Call<A, B>) => Delivery<A>) {
    this.operator = operator;
    this.key = key;
    this.withdraw = withdraw;
  }

  admit(call: Call<A, B>, ready: Fifo<Call<A, B>>): void {
    const key = checkKey(this.operator, this.key(call.value));
    const home = this.claims.of(call.delivery);
    const succession = home.get(key);
    ready.push(call);
    if (succession === undefined || isOver(succession.last)) {
      const begun = { key, home, last: call, superseded: [], settle: undefined };
      home.set(key, begun);
      this.running.set(call, begun);
      return;
    }
    const before = succession.last;
    succession.last = call;
    call.delivery = handleOf(call.delivery).relay((owner) => new Successor(owner, succession, call));
    this.running.delete(before);
    this.running.set(call, succession);
    // What stops it is the user's, and may bring the next value of this key, and its end.
    const left = this.withdraw(before);
    if (succession.settle === undefined) succession.superseded.push(left);
    else succession.settle(left);
  }

  emit(_call: Call<A, B>, delivery: Delivery<B>, out: Emitter<B>): void {
    out.next(delivery);
  }

  finished(call: Call<A, B>): void {
    const succession = this.running.get(call);
    if (succession === undefined) return;
    this.running.delete(call);
    if (succession.home.get(succession.key) === succession) succession.home.delete(succession.key);
  }

  abandon(): void {}

  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    for (const { superseded } of this.running.values()) if (superseded.some(test)) return true;
    return false;
  }
}
