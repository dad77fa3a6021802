import type { Subscriber } from 'rxjs';
import { ClaimWatch, type ClaimListener } from '../flow/claim-watch.ts';
import { isDead } from '../flow/dead.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import { checkKey, KeyMap, type Key } from '../flow/key.ts';
import type { Op } from '../flow/op.ts';
import type { Owner } from '../flow/owner.ts';
import type { StageOptions } from '../flow/policy.ts';
import { RelayOwner } from '../flow/relay-owner.ts';
import type { Settlement, Verdict } from '../flow/settlement.ts';
import { namedStage, ValueStage, type NamedStage } from '../flow/value-stage.ts';
import { checkKeyMemory, timeToRemember } from './key-memory.ts';

/** Options of {@link dedupe}. */
export interface DedupeOptions<A> extends StageOptions<A> {
  /** What copies of the same value have in common, as an event's id. */
  readonly key: (value: A) => Key;
  /** How many keys are remembered, over all claims; beyond, the one that was done first is forgotten. */
  readonly maxKeys: number;
  /** A value whose time is further than this from that of the one that passed is no copy of it, in ms. Default: never by time. */
  readonly withinMs?: number | undefined;
  /** The time of a value, for `withinMs`, in ms since 1970; default the newest timestamp of the records behind it. */
  readonly timestamp?: ((value: A) => number) | undefined;
}

/** A key, and what became of the value of it that passed. */
interface Original<A> {
  readonly key: Key;
  readonly time: number;
  /** The claims behind it: what one of them did is forgotten when it is lost. */
  readonly claims: readonly Settlement[];
  /** It is settled. */
  isDone: boolean;
  /** Whoever has it collects, and waits for values that are still to be read. */
  isHeld: boolean;
  /** Copies that wait for it. */
  copies: Delivery<A>[];
}

/** Tells what becomes of an original. */
class Watched<A> extends RelayOwner {
  private readonly stage: DedupeStage<A>;
  private readonly original: Original<A>;

  constructor(inner: Owner, stage: DedupeStage<A>, original: Original<A>) {
    super(inner);
    this.stage = stage;
    this.original = original;
  }

  override shareSettled(held: boolean): void {
    super.shareSettled(held);
    this.stage.onDone(this.original);
  }

  override shareRejected(held: boolean, cause: unknown, verdict: Verdict, rewindDelayMs: number): void {
    super.shareRejected(held, cause, verdict, rewindDelayMs);
    this.stage.onLeft(this.original);
  }

  override shareGivenUp(held: boolean): void {
    super.shareGivenUp(held);
    this.stage.onLeft(this.original);
  }

  override shareHeld(): void {
    super.shareHeld();
    this.stage.onHeld(this.original);
  }
}

class DedupeStage<A> extends ValueStage<A, A> implements ClaimListener {
  private readonly options: DedupeOptions<A>;
  private readonly withinMs: number;
  private readonly originals = new KeyMap<Original<A>>();
  /** Those that are settled, in the order in which they were; those on their way are bounded by the credit. */
  private readonly done = new Set<Original<A>>();
  /** Those with copies that wait. */
  private readonly awaited = new Set<Original<A>>();
  private readonly watch = new ClaimWatch(this);
  private newest = Number.NEGATIVE_INFINITY;
  private ended = false;

  constructor(out: Subscriber<Delivery<A>>, stage: NamedStage<A>, options: DedupeOptions<A>) {
    super(out, stage);
    this.options = options;
    this.withinMs = options.withinMs ?? Infinity;
    this.add(() => this.abandon());
  }

  override next(delivery: Delivery<A>): void {
    if (this.busy) this.enqueue(delivery);
    else this.process(delivery);
  }

  override keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    for (const { copies } of this.awaited) if (copies.some(test)) return true;
    return super.keepsSome(test);
  }

  onDone(original: Original<A>): void {
    original.isDone = true;
    // One that a later time has replaced, or whose claim was lost meanwhile, is not remembered.
    if (this.originals.get(original.key) === original) {
      this.done.add(original);
      this.forgetOld();
    }
    for (const copy of this.takeCopies(original)) copy.ack();
    this.forgetIfOver();
  }

  // With the credit of its copies nothing more might be read, and what holds it would wait for ever.
  onHeld(original: Original<A>): void {
    original.isHeld = true;
    for (const copy of original.copies) copy.hold();
  }

  /** It was refused or given up: nothing stands for its copies any more, so the first of them goes on in its place, unless the flow has ended. */
  onLeft(original: Original<A>): void {
    if (this.originals.get(original.key) === original) this.originals.delete(original.key);
    for (const copy of this.takeCopies(original)) {
      if (this.closed || this.out.closed || isDead(copy)) handleOf(copy).giveUp();
      else this.next(copy);
    }
    this.forgetIfOver();
  }

  onLost(): void {
    for (const original of [...this.originals.values()]) {
      if (!original.claims.some(({ lost }) => lost.aborted)) continue;
      this.done.delete(original);
      if (original.isDone) this.originals.delete(original.key);
      // Whoever has it may never answer.
      else this.onLeft(original);
    }
    for (const original of [...this.awaited]) {
      const dead = original.copies.filter(isDead);
      original.copies = original.copies.filter((copy) => !dead.includes(copy));
      if (original.copies.length === 0) this.awaited.delete(original);
      for (const copy of dead) handleOf(copy).giveUp();
    }
    this.forgetIfOver();
  }

  keeps(settlement: Settlement): boolean {
    for (const { claims } of this.originals.values()) if (claims.includes(settlement)) return true;
    return false;
  }

  protected override process(delivery: Delivery<A>): void {
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    let key: Key;
    let time: number;
    try {
      key = checkKey('dedupe', this.options.key(delivery.value));
      time = timeToRemember('dedupe', this.options, delivery);
    } catch (cause) {
      this.failed(delivery, cause);
      return;
    }
    const known = this.originals.get(key);
    if (known === undefined || Math.abs(time - known.time) > this.withinMs)
      this.pass(delivery, key, time, known);
    else if (known.isDone) delivery.ack();
    else {
      this.watch.see(delivery);
      if (known.isHeld) delivery.hold();
      known.copies.push(delivery);
      this.awaited.add(known);
    }
  }

  // At once, whoever still waits: what keeps an original further down may wait for the end, as a window does.
  protected override end(): void {
    this.ended = true;
    super.end();
  }

  // An older time does not replace a newer one: what passes late says nothing of what comes next.
  private pass(delivery: Delivery<A>, key: Key, time: number, known: Original<A> | undefined): void {
    const claims: Settlement[] = [];
    let isLost = false;
    handleOf(delivery).behind.visitSettlements((claim) => {
      if (claims.includes(claim)) return;
      claims.push(claim);
      isLost ||= claim.lost.aborted;
    });
    // What comes behind the loss of its claim is remembered no more than what came before it.
    if (isLost) {
      this.out.next(delivery);
      return;
    }
    this.watch.see(delivery);
    const original: Original<A> = { key, time, claims, isDone: false, isHeld: false, copies: [] };
    if (known === undefined || time > known.time) {
      if (known !== undefined) this.done.delete(known);
      this.originals.set(key, original);
      if (time > this.newest) this.newest = time;
    }
    this.out.next(handleOf(delivery).relay((owner) => new Watched(owner, this, original)));
  }

  private takeCopies(original: Original<A>): readonly Delivery<A>[] {
    const { copies } = original;
    original.copies = [];
    this.awaited.delete(original);
    return copies;
  }

  private forgetOld(): void {
    const { maxKeys } = this.options;
    for (const original of this.done) {
      if (this.done.size <= maxKeys && this.newest - original.time <= this.withinMs) break;
      this.done.delete(original);
      this.originals.delete(original.key);
    }
  }

  private forgetIfOver(): void {
    if (this.ended && this.awaited.size === 0) this.forget();
  }

  /** After the end, copies still wait for what becomes of their originals; unsubscribed before it, they are left. */
  private abandon(): void {
    if (this.ended && this.awaited.size > 0) return;
    for (const original of [...this.awaited])
      for (const copy of this.takeCopies(original)) handleOf(copy).giveUp();
    this.forget();
  }

  private forget(): void {
    this.watch.close();
    this.originals.clear();
    this.done.clear();
  }
}

/**
 * Lets the first copy of each value pass; the others are acknowledged when that one is settled. Copies are found over all claims of the flow, so also where a
 * producer that tried again wrote to another partition; `withinMs` bounds by event time how far apart they may be. A copy that comes while the first is on its
 * way waits for it, and takes its place if that is refused or given up.
 *
 * `distinct` counts arrivals, for each claim by itself; `dedupe` counts what is done. What was done lives in memory, at most `maxKeys`: a restart forgets it,
 * and a claim that is lost or rewound takes its part along, since its records may come again.
 *
 * @acks The first is settled by what follows; a copy with it, at once if it is settled already; while the first is held, its copies are. Never before: a record is passed over only for one that is done.
 *
 * @marbles
 * ```ts
 * const source = flow('a-a----|');
 * const slow = mapAsync((value: string) => rx.timer(4).pipe(rx.map(() => value)), { concurrency: 2, order: 'input' });
 * expectFlow(source.pipe(dedupe({ key: (value) => value, maxKeys: 100 }), slow)).toBe('----a--|');
 * expectAcks(source).toBe('----(aa)');
 * ```
 *
 * @example
 * ```ts
 * payments.pipe(dedupe({ key: (payment) => payment.value.id, maxKeys: 1_000_000, withinMs: 86_400_000 }));
 * ```
 */
export function dedupe<A>(options: DedupeOptions<A>): Op<A, A> {
  const stage = namedStage('dedupe', options);
  checkKeyMemory('dedupe', options);
  return (flow) => createFlow((out) => flow.subscribe(new DedupeStage(out, stage, options)));
}
