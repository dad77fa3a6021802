import type { Delivery } from '../../flow/delivery.ts';
import { KeyMap, type Key } from '../../flow/key.ts';
import type { Settlement } from '../../flow/settlement.ts';
import { EndHeap } from './end-heap.ts';
import { tooManyKeys } from './fixed-lane.ts';
import { KeySessions } from './key-sessions.ts';
import type { LaneConfig, LaneStage } from './lane-config.ts';
import { OpenWindow } from './open-window.ts';
import { WindowLane } from './window-lane.ts';

/** How sessions are told apart, and how two become one. */
export interface SessionConfig<A, K extends Key, R> extends LaneConfig<A, K, R> {
  readonly gapMs: number;
  readonly merge: (earlier: R, later: R) => R;
}

/** Sessions, as Kafka Streams has them: [first, last], and values at most the gap apart belong together, bounds included. */
export class SessionLane<A, K extends Key, R> extends WindowLane<A, K, R> {
  declare protected readonly config: SessionConfig<A, K, R>;
  private readonly keys = new KeyMap<KeySessions<R>>();
  /** By an end that a session had; it may end later by now, or be part of another. */
  private readonly ends = new EndHeap<OpenWindow<R>>();
  private readonly waitMs: number;
  private open = 0;

  constructor(settlement: Settlement | undefined, config: SessionConfig<A, K, R>, stage: LaneStage<A, K, R>) {
    super(settlement, config, stage);
    this.waitMs = config.gapMs + config.graceMs;
  }

  protected put(delivery: Delivery<A>, key: K, timestamp: number): boolean {
    if (this.wasLate()) return false;
    if (this.wasSaved()) {
      this.settleSaved(delivery);
      return true;
    }
    const { gapMs, perKey, updates, seed, add, merge, maxKeys } = this.config;
    let ofKey = this.keys.get(key);
    const before = perKey ? (ofKey?.closed ?? Number.NEGATIVE_INFINITY) : this.time;
    const closed = Math.max(before, timestamp) - this.waitMs;
    // Sessions from `from` up to `to` become one with the value.
    let start = timestamp;
    let end = timestamp;
    const sessions = ofKey?.list;
    const to = ofKey?.countUpTo(timestamp + gapMs) ?? 0;
    const first = ofKey?.first ?? 0;
    let from = to;
    while (from > first && sessions![from - 1]!.end >= timestamp - gapMs) {
      const session = sessions![--from]!;
      if (session.start < start) start = session.start;
      if (session.end > end) end = session.end;
    }
    if (end < closed) return false;
    let row: R;
    if (from === to) row = seed();
    else {
      row = sessions![from]!.row;
      for (let at = from + 1; at < to; at++) row = merge(row, sessions![at]!.row);
    }
    row = add(row, delivery.value);

    if (ofKey === undefined) {
      if (perKey && this.keys.size >= maxKeys) throw tooManyKeys(this.config);
      ofKey = new KeySessions();
      this.keys.set(key, ofKey);
    }
    // As Kafka Streams: sessions that become part of another are taken back, unless nothing but the value changes.
    const takesBack = updates && (start !== timestamp || end !== timestamp);
    const owner = this.takeOver(delivery, 1, updates ? 1 + (takesBack ? to - from : 0) : 0);
    const old = takesBack ? ofKey.list.slice(from, to).map(boundsOf) : [];
    const session = this.join(ofKey, key, from, to, { start, end, row });
    session.parts.push(owner);
    if (timestamp < closed) this.noteSaved(session);
    if (updates) {
      for (const bounds of old) this.update(session, { key, ...bounds, value: null, final: false }, owner);
      this.update(session, { key, start, end, value: row, final: false }, owner);
    }
    this.advance(key, ofKey, timestamp);
    return true;
  }

  protected closeAfter(elapsedMs: number): boolean {
    if (this.config.perKey) return this.closeKeysAfter(elapsedMs);
    const target = this.quietTime + elapsedMs - this.waitMs;
    let last = Number.NEGATIVE_INFINITY;
    for (const { end } of this.windows()) if (end < target && end > last) last = end;
    if (last === Number.NEGATIVE_INFINITY) return false;
    this.moveTo(Math.max(this.time, last + this.waitMs + 1));
    this.closeDue();
    return true;
  }

  nextDueMs(): number {
    let next = Infinity;
    for (const ofKey of this.keys.values()) {
      const oldest = ofKey.oldest();
      if (oldest === undefined) continue;
      const base = this.config.perKey ? ofKey.time : this.quietTime;
      next = Math.min(next, oldest.end + this.waitMs + 1 - base);
    }
    return next;
  }

  protected *windows(): Iterable<OpenWindow<R>> {
    for (const ofKey of this.keys.values()) yield* ofKey.open();
  }

  protected takeAll(): OpenWindow<R>[] {
    const all = [...this.windows()].sort(inOrder);
    if (this.config.perKey) for (const ofKey of this.keys.values()) ofKey.clear();
    else this.keys.clear();
    this.ends.clear();
    this.open = 0;
    return all;
  }

  protected get isEmpty(): boolean {
    return this.open === 0;
  }

  protected get usesPositions(): boolean {
    return true;
  }

  /** Makes one session of those from `from` up to `to`; of none, a new one. */
  private join(
    { list: sessions }: KeySessions<R>,
    key: Key,
    from: number,
    to: number,
    { start, end, row }: { readonly start: number; readonly end: number; readonly row: R },
  ): OpenWindow<R> {
    if (from === to) {
      const session = new OpenWindow(key, start, end, row, this.nextOrder());
      sessions.splice(from, 0, session);
      this.open++;
      if (!this.config.perKey) this.ends.push(end, session);
      return session;
    }
    const session = sessions[from]!;
    for (let at = from + 1; at < to; at++) absorb(session, sessions[at]!);
    if (to - from > 1) {
      sessions.splice(from + 1, to - from - 1);
      this.open -= to - from - 1;
    }
    session.start = start;
    session.end = end;
    session.row = row;
    return session;
  }

  private advance(key: Key, ofKey: KeySessions<R>, timestamp: number): void {
    const { perKey } = this.config;
    if (timestamp > this.time) {
      this.moveTo(timestamp);
      if (!perKey) this.closeDue();
    }
    if (!perKey || timestamp <= ofKey.time) return;
    ofKey.time = timestamp;
    if (timestamp <= ofKey.closed) return;
    ofKey.closed = timestamp;
    this.emitRound(this.takeKey(ofKey, []));
  }

  protected closeDue(): void {
    const closed = this.time - this.waitMs;
    if (this.ends.first >= closed) return;
    const due: OpenWindow<R>[] = [];
    while (this.ends.first < closed) {
      const session = this.ends.pop()!;
      if (!session.isOpen) continue;
      if (session.end >= closed) {
        this.ends.push(session.end, session);
        continue;
      }
      session.isOpen = false;
      this.takeOut(session);
      due.push(session);
    }
    this.emitRound(due.sort(inOrder));
  }

  private takeOut(session: OpenWindow<R>): void {
    // They end in the order in which they begin, so the one that closes is the oldest.
    const ofKey = this.keys.get(session.key)!;
    ofKey.drop();
    if (ofKey.oldest() === undefined) this.keys.delete(session.key);
    this.open--;
  }

  private closeKeysAfter(elapsedMs: number): boolean {
    const closed: OpenWindow<R>[] = [];
    for (const ofKey of this.keys.values()) {
      for (const { end } of ofKey.open()) {
        if (end < ofKey.time + elapsedMs - this.waitMs)
          ofKey.closed = Math.max(ofKey.closed, end + this.waitMs + 1);
      }
      this.takeKey(ofKey, closed);
    }
    this.emitRound(closed.sort(inOrder));
    return closed.length > 0;
  }

  private takeKey(ofKey: KeySessions<R>, into: OpenWindow<R>[]): OpenWindow<R>[] {
    for (;;) {
      const oldest = ofKey.oldest();
      if (oldest === undefined || oldest.end >= ofKey.closed - this.waitMs) return into;
      into.push(oldest);
      ofKey.drop();
      this.open--;
    }
  }
}

function inOrder(a: OpenWindow<unknown>, b: OpenWindow<unknown>): number {
  return a.end - b.end || a.order - b.order;
}

function boundsOf({ start, end }: OpenWindow<unknown>): { readonly start: number; readonly end: number } {
  return { start, end };
}

/** What the other one holds goes over, the smaller list into the larger one. */
function absorb<R>(session: OpenWindow<R>, other: OpenWindow<R>): void {
  other.isOpen = false;
  session.order = Math.min(session.order, other.order);
  let [large, small] = [session.parts, other.parts];
  if (small.length > large.length) [large, small] = [small, large];
  for (const part of small) large.push(part);
  session.parts = large;
  if (other.muted !== undefined) session.muted = [...(session.muted ?? []), ...other.muted];
  if (other.saved !== undefined) session.saved = [...(session.saved ?? []), ...other.saved];
}
