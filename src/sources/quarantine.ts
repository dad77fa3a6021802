// Key order through retry topics. Of each key one record at a time is on its way, the oldest first: one that comes while an older one of its key lies in a
// level follows it there. What lies in the levels is kept nowhere else: it is what their partitions hold from the commit point on, and is read from there
// when a claim begins.
import type { FetchedRecord } from '../core/records/fetched-record.ts';
import type { ConsumerRecord } from '../core/records/types.ts';
import { failureOf } from '../flow/failure-headers.ts';
import { Fifo } from '../flow/fifo.ts';
import { contentOf } from '../flow/key.ts';
import { OldestFirst } from './oldest-first.ts';
import type { LetterWatch } from './retry-plan.ts';

/** A claim whose records go one at a time per key. */
export interface KeyedClaim {
  readonly topic: string;
  readonly partition: number;
  /** 0 for the topic that the records come from first, then from 1. */
  readonly level: number;
  /** One past the last record handed over. */
  readonly position: number;
  readonly isOver: boolean;
  /** Nothing is handed over while `why` holds. */
  block(why: 'order' | 'full', holds: boolean): void;
  /** To the flow. */
  handOver(record: FetchedRecord, sequence: number, key: KeyState): void;
  /** To the next level, behind the older ones of its key, not to be looked at before `dueAt`. */
  follow(record: FetchedRecord, sequence: number, dueAt: number): void;
  /** Another copy of it lies in a level. */
  skip(record: FetchedRecord, sequence: number): void;
}

/** What the order of a record is kept among, and its place in it. */
export interface OrderPlace {
  /** Topic and key. */
  readonly id: string;
  /** The offset of the original. */
  readonly original: number;
  readonly dueAt: number;
}

/** Undefined for a record without a key, and for one in a level that does not say where it is from: its order is not kept. */
export function orderPlace(record: ConsumerRecord, level: number): OrderPlace | undefined {
  const { key } = record;
  if (key === null) return undefined;
  if (level === 0) return { id: idOf(record.topic, key), original: record.offset, dueAt: 0 };
  const failure = failureOf(record);
  if (failure === undefined) return undefined;
  return { id: idOf(failure.topic, key), original: failure.offset, dueAt: failure.dueAt ?? 0 };
}

function idOf(topic: string, key: Uint8Array): string {
  return `${topic}\0${contentOf(key)}`;
}

/** Reads what a level's partition holds from the claim's position to its present end. */
export type ScanLevel = (
  claim: KeyedClaim,
  onRecord: (offset: number, place: OrderPlace | undefined) => void,
) => Promise<void>;

interface Waiting {
  readonly claim: KeyedClaim;
  readonly record: FetchedRecord;
  readonly sequence: number;
  readonly original: number;
}

/** One key of one partition. */
export class KeyState {
  readonly id: string;
  /** One of it is with the flow. */
  isBusy = false;
  isPumping = false;
  /** Before that, nothing of it in the last level will be due. */
  dueAt = 0;
  readonly waiting = new Fifo<Waiting>();
  /** Its records in the levels, and on their way there, by the offsets of their originals. */
  readonly lying = new OldestFirst();
  /** Of those, what is on its way. */
  readonly moving = new Map<number, number>();

  constructor(id: string) {
    this.id = id;
  }

  /** How many lie in the levels. */
  copies(original: number): number {
    return this.lying.count(original) - (this.moving.get(original) ?? 0);
  }

  moves(original: number, by: 1 | -1): void {
    const moving = (this.moving.get(original) ?? 0) + by;
    if (moving === 0) this.moving.delete(original);
    else this.moving.set(original, moving);
  }

  get isIdle(): boolean {
    return !this.isBusy && this.waiting.size === 0 && this.lying.size === 0;
  }
}

interface Lying {
  readonly key: KeyState;
  readonly original: number;
}

/** What lies in one level's partition. */
interface Level {
  readonly claim: KeyedClaim;
  readonly lying: Map<number, Lying>;
  isKnown: boolean;
}

/** One partition of the topics that are read, together with the same partition of every level. */
class Lanes {
  private readonly keys = new Map<string, KeyState>();
  private readonly quarantine: Quarantine;
  private readonly claims = new Set<KeyedClaim>();
  private readonly levels: (Level | undefined)[];

  constructor(quarantine: Quarantine) {
    this.quarantine = quarantine;
    this.levels = new Array<undefined>(quarantine.levels + 1).fill(undefined);
  }

  begin(claim: KeyedClaim): void {
    this.claims.add(claim);
    if (claim.level > 0) this.read(claim);
    this.blockAll();
  }

  ended(claim: KeyedClaim): void {
    this.claims.delete(claim);
    const level = this.levels[claim.level];
    if (level?.claim !== claim) return;
    this.levels[claim.level] = undefined;
    for (const { key, original } of level.lying.values()) this.left(key, original);
    this.blockAll();
  }

  take(
    claim: KeyedClaim,
    record: FetchedRecord,
    sequence: number,
    { id, original, dueAt }: OrderPlace,
  ): void {
    const key = this.keyOf(id);
    if (claim.level > 0) this.lies(claim.level, record.offset, { key, original }, dueAt);
    key.waiting.push({ claim, record, sequence, original });
    this.pump(key);
  }

  /** The next one of the key may go. */
  done(key: KeyState): void {
    key.isBusy = false;
    this.pump(key);
  }

  /** The record left its level, for the flow's end, for another level, or because there was another copy of it. */
  settled(claim: KeyedClaim, offset: number): void {
    const level = this.levels[claim.level];
    const found = level?.claim === claim ? level.lying.get(offset) : undefined;
    if (found === undefined) return;
    level!.lying.delete(offset);
    this.left(found.key, found.original);
    this.pump(found.key);
  }

  /** As {@link LetterWatch}. */
  sent(
    from: { readonly level: number; readonly offset: number },
    { id, original, dueAt }: OrderPlace,
    at: number,
  ): (offset: number | undefined) => void {
    const key = this.keyOf(id);
    this.came(key, original, dueAt);
    key.moves(original, 1);
    // From here on it is where it goes: it may be read there before its writing is acknowledged.
    if (this.levels[from.level]?.lying.delete(from.offset) === true) this.left(key, original);
    return (offset) => {
      key.moves(original, -1);
      const level = this.levels[at];
      if (offset === -1 && level !== undefined) {
        // It is there, and nobody knows where.
        this.left(key, original);
        this.read(level.claim);
        this.blockAll();
      } else if (
        offset === undefined ||
        level === undefined ||
        level.lying.has(offset) ||
        offset < level.claim.position
      ) {
        this.left(key, original);
        this.pump(key);
      } else level.lying.set(offset, { key, original });
    };
  }

  full(isFull: boolean): void {
    for (const claim of this.claims) if (claim.level === 0) claim.block('full', isFull);
  }

  /** What lies in every level is known. */
  private get isReady(): boolean {
    return this.levels.every((level, at) => at === 0 || level?.isKnown === true);
  }

  private pump(key: KeyState): void {
    if (key.isPumping) return;
    key.isPumping = true;
    while (!key.isBusy && key.waiting.size > 0 && this.isReady) {
      const { claim, record, sequence, original } = key.waiting.shift()!;
      if (claim.isOver) continue;
      const copies = key.copies(original) - (claim.level > 0 ? 1 : 0);
      if (copies > 0) claim.skip(record, sequence);
      else if ((key.lying.first ?? Infinity) < original) claim.follow(record, sequence, key.dueAt);
      else {
        key.isBusy = true;
        claim.handOver(record, sequence, key);
      }
    }
    key.isPumping = false;
    this.forgetIdle(key);
  }

  private read(claim: KeyedClaim): void {
    const before = this.levels[claim.level];
    const level: Level = { claim, lying: new Map(), isKnown: false };
    this.levels[claim.level] = level;
    // What was handed over stays known; what lies behind it is counted anew.
    if (before !== undefined)
      for (const [offset, one] of before.lying) {
        if (before.claim === claim && offset < claim.position) level.lying.set(offset, one);
        else this.left(one.key, one.original);
      }
    void this.quarantine
      .scan(claim, (offset, place) => {
        if (this.levels[claim.level] !== level || place === undefined || offset < claim.position) return;
        const { id, original, dueAt } = place;
        this.lies(claim.level, offset, { key: this.keyOf(id), original }, dueAt);
      })
      .then(
        () => {
          if (this.levels[claim.level] !== level) return;
          level.isKnown = true;
          this.blockAll();
        },
        (cause: unknown) => {
          if (this.levels[claim.level] === level && !claim.isOver) this.quarantine.fail(cause);
        },
      );
  }

  private blockAll(): void {
    const { isReady } = this;
    for (const claim of this.claims) claim.block('order', !isReady);
    if (isReady) for (const key of [...this.keys.values()]) this.pump(key);
  }

  private keyOf(id: string): KeyState {
    let key = this.keys.get(id);
    if (key === undefined) {
      key = new KeyState(id);
      this.keys.set(id, key);
    }
    return key;
  }

  private lies(at: number, offset: number, one: Lying, dueAt: number): void {
    const level = this.levels[at];
    if (level === undefined || level.lying.has(offset)) return;
    level.lying.set(offset, one);
    this.came(one.key, one.original, dueAt);
  }

  private came(key: KeyState, original: number, dueAt: number): void {
    key.lying.add(original);
    key.dueAt = Math.max(key.dueAt, dueAt);
    this.quarantine.changed(1);
  }

  private left(key: KeyState, original: number): void {
    key.lying.remove(original);
    this.quarantine.changed(-1);
    this.forgetIdle(key);
  }

  private forgetIdle(key: KeyState): void {
    if (key.isIdle && !key.isPumping && this.keys.get(key.id) === key) this.keys.delete(key.id);
  }
}

/** The keys of one source whose records have gone to retry topics. */
export class Quarantine implements LetterWatch {
  readonly levels: number;
  readonly scan: ScanLevel;
  readonly fail: (cause: unknown) => void;
  private readonly maxQuarantined: number;
  private readonly lanes = new Map<number, Lanes>();
  private quarantined = 0;
  private isFull = false;

  constructor(
    levels: number,
    maxQuarantined: number,
    around: { readonly scan: ScanLevel; readonly fail: (cause: unknown) => void },
  ) {
    this.levels = levels;
    this.maxQuarantined = maxQuarantined;
    this.scan = around.scan;
    this.fail = around.fail;
  }

  begin(claim: KeyedClaim): void {
    this.lanesOf(claim.partition).begin(claim);
    if (this.isFull && claim.level === 0) claim.block('full', true);
  }

  ended(claim: KeyedClaim): void {
    this.lanes.get(claim.partition)?.ended(claim);
  }

  take(claim: KeyedClaim, record: FetchedRecord, sequence: number, place: OrderPlace): void {
    this.lanesOf(claim.partition).take(claim, record, sequence, place);
  }

  done(claim: KeyedClaim, key: KeyState): void {
    this.lanes.get(claim.partition)?.done(key);
  }

  settled(claim: KeyedClaim, offset: number): void {
    this.lanes.get(claim.partition)?.settled(claim, offset);
  }

  sent(
    { partition, offset }: ConsumerRecord,
    [from, to]: readonly [number, number],
    place: OrderPlace,
  ): (offset: number | undefined) => void {
    return this.lanesOf(partition).sent({ level: from, offset }, place, to);
  }

  changed(by: number): void {
    this.quarantined += by;
    const isFull = this.quarantined >= this.maxQuarantined;
    if (isFull === this.isFull) return;
    this.isFull = isFull;
    for (const lanes of this.lanes.values()) lanes.full(isFull);
  }

  private lanesOf(partition: number): Lanes {
    let lanes = this.lanes.get(partition);
    if (lanes === undefined) {
      lanes = new Lanes(this);
      this.lanes.set(partition, lanes);
    }
    return lanes;
  }
}
