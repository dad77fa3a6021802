// The delivery tree. A root answers to its claim; a derived handle takes the place of the one it came from; a fork answers when all its children
// have; a gathering answers to all its parts. Handles and forks make each other, so they share this file.
import type { ConsumerRecord } from '../core/records/types.ts';
import { leakToken, type LeakToken } from './leak-detector.ts';
import { nobody, type Owner, type Rooted } from './owner.ts';
import { OriginView, type Origin } from './origin.ts';
import { Rejection } from './rejection.ts';
import type { PressureSource, Settlement, Verdict } from './settlement.ts';

/** Children of one delivery, opened one by one. The parent settles when the fork is closed and every child has settled; without children that is an ack. */
export interface Fork {
  child<R>(value: R): Delivery<R>;
  close(): void;
}

/** A stage that bounds how many children are open. A child counts until it is settled or held. */
export interface ForkingStage extends PressureSource {
  childOpened(): void;
  childDone(): void;
}

/**
 * A value on its way, with the records behind it. It has one owner at a time and is settled once, synchronously: the first `ack` or `nack`
 * counts. A handle that was derived, forked or gathered is inert; using it again changes nothing and is counted and reported.
 */
export interface Delivery<out T> {
  readonly value: T;
  /** Made anew at each reading; keep it if you need it twice. */
  readonly origins: readonly Origin[];
  /** Everything made from it is done. */
  ack(): void;
  /** It failed: nothing at or after its records is committed. Default verdict 'retry'. */
  nack(cause: unknown, verdict?: 'retry' | 'reject'): void;
  /** Gives its in-flight credit back while it still pins the commit point. */
  hold(): void;
  /** Moves it to a new value. */
  derive<R>(value: R): Delivery<R>;
  fork(): Fork;
}

const MOVED = 1;
const SETTLED = 2;
const DONE = MOVED | SETTLED;
const HELD = 4;

/** The one implementation of {@link Delivery}; small, because one is made per record and value-changing stage. */
export class Handle<out T> implements Delivery<T> {
  readonly value: T;
  protected owner: Owner;
  protected state = 0;

  constructor(value: T, owner: Owner) {
    this.value = value;
    this.owner = owner;
  }

  get origins(): readonly Origin[] {
    const roots = new Set<Rooted>();
    this.owner.addRoots(roots);
    return Array.from(roots, (root) => root.origin());
  }

  ack(): void {
    const state = this.state;
    if ((state & DONE) === 0) {
      this.state = state | SETTLED;
      this.owner.shareSettled((state & HELD) !== 0);
    } else if ((state & MOVED) !== 0) this.owner.report('ack');
  }

  nack(cause: unknown, verdict: 'retry' | 'reject' = 'retry'): void {
    this.reject('nack', cause, verdict, 0);
  }

  /** A nack that asks for its claims to be read again from their commit points. */
  rewind(cause: unknown, delayMs: number): void {
    this.reject('rewind', cause, 'rewind', delayMs);
  }

  /** Leaves it unsettled on purpose: the next owner of its records replays them. */
  giveUp(): void {
    const state = this.state;
    if ((state & DONE) !== 0) return;
    this.state = state | SETTLED;
    this.owner.shareGivenUp((state & HELD) !== 0);
  }

  hold(): void {
    const state = this.state;
    if ((state & (DONE | HELD)) !== 0) {
      if ((state & MOVED) !== 0) this.owner.report('hold');
      return;
    }
    this.state = state | HELD;
    this.owner.shareHeld();
  }

  derive<R>(value: R): Handle<R> {
    const state = this.state;
    if ((state & DONE) !== 0) return this.inert('derive', value);
    this.state = state | MOVED;
    const next = new Handle(value, this.owner);
    if (state !== 0) next.state = state;
    return next;
  }

  /** Moves it behind an owner that stands before its own, and is told first what becomes of it. */
  relay(stand: (owner: Owner) => Owner): Handle<T> {
    const state = this.state;
    if ((state & DONE) !== 0) return this.inert('derive', this.value);
    this.state = state | MOVED;
    const next = new Handle(this.value, stand(this.owner));
    next.state = state;
    return next;
  }

  fork(): ForkNode {
    return this.forkInto(undefined);
  }

  /** A fork that tells `stage` of its children, whose settling frees room of it. */
  forkInto(stage: ForkingStage | undefined): ForkNode {
    const state = this.state;
    if ((state & DONE) !== 0) {
      this.owner.report('fork');
      return new ForkNode(nobody, false, undefined);
    }
    this.state = state | MOVED;
    return new ForkNode(this.owner, (state & HELD) !== 0, stage);
  }

  /** Takes it over into a gathering; false for a handle that is inert. */
  moveInto(owners: Owner[], held: boolean[]): boolean {
    const state = this.state;
    if ((state & DONE) !== 0) {
      this.owner.report('gather');
      return false;
    }
    this.state = state | MOVED;
    owners.push(this.owner);
    held.push((state & HELD) !== 0);
    return true;
  }

  /** False once it was settled, derived, forked or gathered. */
  get live(): boolean {
    return (this.state & DONE) === 0;
  }

  /** What it answers to, for stages that ask about claims, bytes and room. */
  get behind(): Owner {
    return this.owner;
  }

  private reject(action: string, cause: unknown, verdict: Verdict, delayMs: number): void {
    const state = this.state;
    if ((state & DONE) === 0) {
      this.state = state | SETTLED;
      this.owner.shareRejected((state & HELD) !== 0, cause, verdict, delayMs);
    } else if ((state & MOVED) !== 0) this.owner.report(action);
  }

  private inert<R>(action: string, value: R): Handle<R> {
    this.owner.report(action);
    const handle = new Handle(value, this.owner);
    handle.state = SETTLED;
    return handle;
  }
}

/** The one implementation behind the interface, for stages that ask more of a delivery than users may. */
export function handleOf<T>(delivery: Delivery<T>): Handle<T> {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- nothing else implements Delivery
  return delivery as Handle<T>;
}

const ASK_RECORD = -1;

/** A record as it enters a flow: the delivery and what its descendants answer to, in one object. */
class Root<out T> extends Handle<T> implements Owner, Rooted {
  private readonly settlement: Settlement;
  private readonly sequence: number;
  private readonly bytes: number;
  private readonly record: ConsumerRecord | undefined;
  private readonly token: LeakToken | undefined;

  constructor(
    value: T,
    settlement: Settlement,
    sequence: number,
    bytes: number,
    record: ConsumerRecord | undefined,
  ) {
    super(value, nobody);
    this.owner = this;
    this.settlement = settlement;
    this.sequence = sequence;
    this.bytes = bytes;
    this.record = record;
    this.token = leakToken(settlement, sequence);
  }

  shareSettled(): void {
    this.token?.settled(this.sequence);
    this.settlement.settle(this.sequence);
  }

  shareRejected(_held: boolean, cause: unknown, verdict: Verdict, rewindDelayMs: number): void {
    this.token?.settled(this.sequence);
    this.settlement.reject(this.sequence, cause, verdict, rewindDelayMs);
  }

  shareGivenUp(held: boolean): void {
    this.token?.settled(this.sequence);
    this.settlement.giveUp?.(this.sequence, held);
  }

  shareHeld(): void {
    this.settlement.hold(this.sequence);
  }

  addRoots(into: Set<Rooted>): void {
    into.add(this);
  }

  origin(): Origin {
    return new OriginView(this.settlement, this.sequence, this.bytesBehind(), this.record);
  }

  newestTimestamp(): number {
    return this.record === undefined ? -1 : this.record.timestamp;
  }

  /** The record's offset; of a value without a record its sequence. */
  place(): number {
    return this.record === undefined ? this.sequence : this.record.offset;
  }

  // Seldom asked for, so that it is not read out of every record.
  bytesBehind(): number {
    return this.bytes === ASK_RECORD ? (this.record as SizedRecord).bytes : this.bytes;
  }

  visitSettlements(visit: (settlement: Settlement) => void): void {
    visit(this.settlement);
  }

  visitPressures(visit: (source: PressureSource) => void): void {
    visit(this.settlement);
  }

  everySettlement(test: (settlement: Settlement) => boolean): boolean {
    return test(this.settlement);
  }

  someSettlement(): Settlement {
    return this.settlement;
  }

  report(action: string): void {
    this.settlement.report?.({ kind: 'inert-use', action, sequence: this.sequence });
  }
}

/** The fork of a delivery, and the owner of each of its children. */
export class ForkNode implements Fork, Owner {
  private readonly parent: Owner;
  private readonly stage: ForkingStage | undefined;
  private parentHeld: boolean;
  private closed = false;
  private open = 0;
  private held = 0;
  private givenUp = false;
  private rejection: Rejection | undefined;

  constructor(parent: Owner, parentHeld: boolean, stage: ForkingStage | undefined) {
    this.parent = parent;
    this.parentHeld = parentHeld;
    this.stage = stage;
  }

  child<R>(value: R): Handle<R> {
    if (this.closed) {
      this.parent.report('child');
      return new Handle(value, nobody);
    }
    this.open++;
    this.stage?.childOpened();
    return new Handle<R>(value, this);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.settleParent();
  }

  /** Closes it so that the parent stays unsettled on purpose, whatever becomes of the children. */
  abandon(): void {
    this.givenUp = true;
    this.close();
  }

  /** Children that are neither settled nor held. */
  get openChildren(): number {
    return this.open - this.held;
  }

  // The parent first: what the stage opens in answer belongs after it.
  shareSettled(held: boolean): void {
    this.open--;
    if (held) this.held--;
    this.settleParent();
    if (!held) this.stage?.childDone();
  }

  shareRejected(held: boolean, cause: unknown, verdict: Verdict, rewindDelayMs: number): void {
    this.rejection ??= new Rejection();
    this.rejection.add(cause, verdict, rewindDelayMs);
    this.shareSettled(held);
  }

  shareGivenUp(held: boolean): void {
    this.givenUp = true;
    this.shareSettled(held);
  }

  shareHeld(): void {
    this.held++;
    this.settleParent();
    this.stage?.childDone();
  }

  addRoots(into: Set<Rooted>): void {
    this.parent.addRoots(into);
  }

  newestTimestamp(): number {
    return this.parent.newestTimestamp();
  }

  bytesBehind(): number {
    return this.parent.bytesBehind();
  }

  visitSettlements(visit: (settlement: Settlement) => void): void {
    this.parent.visitSettlements(visit);
  }

  visitPressures(visit: (source: PressureSource) => void): void {
    if (this.stage !== undefined) visit(this.stage);
    this.parent.visitPressures(visit);
  }

  everySettlement(test: (settlement: Settlement) => boolean): boolean {
    return this.parent.everySettlement(test);
  }

  someSettlement(): Settlement | undefined {
    return this.parent.someSettlement();
  }

  onExpired(listener: () => void): (() => void) | undefined {
    return this.parent.onExpired?.(listener);
  }

  report(action: string): void {
    this.parent.report(action);
  }

  // A refusal outweighs a child given up: both leave the commit point where it is, and only a refusal is told to anyone.
  private settleParent(): void {
    if (!this.closed) return;
    if (this.open === 0) {
      if (this.rejection !== undefined) this.rejection.pass(this.parent, this.parentHeld);
      else if (this.givenUp) this.parent.shareGivenUp(this.parentHeld);
      else this.parent.shareSettled(this.parentHeld);
    } else if (this.held === this.open && !this.parentHeld) {
      this.parentHeld = true;
      this.parent.shareHeld();
    }
  }
}

/** A record that knows its size on the wire. */
export interface SizedRecord extends ConsumerRecord {
  readonly bytes: number;
}

/** A record entering a flow, as `value`: itself, or what its deserializers made of it. */
export function recordDelivery<T>(
  value: T,
  settlement: Settlement,
  sequence: number,
  record: SizedRecord,
): Delivery<T> {
  return new Root(value, settlement, sequence, ASK_RECORD, record);
}

/** A record, or a value of a plain source (`record` undefined), entering a flow. `bytes` is its size on the wire. */
export function rootDelivery<T>(
  value: T,
  settlement: Settlement,
  sequence: number,
  bytes: number,
  record: ConsumerRecord | undefined,
): Delivery<T> {
  return new Root(value, settlement, sequence, bytes, record);
}

/** Calls `visit` with the offset of each record behind an owner; of values without a record with their sequence. */
export function visitOffsets(owner: Owner, visit: (offset: number) => void): void {
  const roots = new Set<Rooted>();
  owner.addRoots(roots);
  for (const root of roots) if (root instanceof Root) visit(root.place());
}

/** The largest offset of the records behind an owner; of values without a record their sequence; -1 without any. */
export function newestOffset(owner: Owner): number {
  if (owner instanceof Root) return owner.place();
  let newest = -1;
  visitOffsets(owner, (offset) => {
    if (offset > newest) newest = offset;
  });
  return newest;
}
