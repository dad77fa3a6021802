import { beforeEach, describe, expect, it } from '@jest/globals';
import { take } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { createFlow } from '../../src/flow/flow.ts';
import { rootDelivery } from '../../src/flow/delivery.ts';
import type { SourceCommitter } from '../../src/flow/settlement.ts';
import type { Settled } from '../../src/flow/settled.ts';
import { atMostOnce, batch, filter, mapAsync, merge } from '../../src/operators/index.ts';
import { record } from '../../src/testing/marbles-record.ts';
import { MarbleSource, schedulerClock } from '../../src/testing/marbles-source.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';
import { ManualSource } from '../flow/manual-source.ts';

const COMMIT_MS = 5;

/** A group on a virtual clock: what is settled in order is committed 5 ms after it was asked for. */
class Group implements SourceCommitter {
  readonly clock = new VirtualClock();
  readonly claims: GroupClaim[] = [];
  commits = 0;
  fails = 0;

  claim(): GroupClaim {
    const claim = new GroupClaim(this);
    this.claims.push(claim);
    return claim;
  }

  async commit(): Promise<void> {
    this.commits++;
    const points = this.claims.map((claim) => [claim, claim.commitPoint] as const);
    await new Promise<void>((resolve) => this.clock.setTimeout(resolve, COMMIT_MS));
    if (this.fails > 0) {
      this.fails--;
      throw new Error('no coordinator');
    }
    for (const [claim, point] of points) if (!claim.dead) claim.committedOffset = point;
  }
}

/** Offsets count from 0; a record's value is its offset. */
class GroupClaim extends ManualSource<number> {
  readonly committer: Group;
  override readonly clock: VirtualClock;
  committedOffset = 0;
  dead = false;
  readonly acked = new Set<number>();
  private next = 0;

  constructor(group: Group) {
    super();
    this.committer = group;
    this.clock = group.clock;
  }

  get commitPoint(): number {
    for (let offset = 0; ; offset++) if (!this.acked.has(offset)) return offset;
  }

  hand(count = 1): void {
    for (let n = 0; n < count; n++) {
      const offset = this.next++;
      this.emit(offset, 0, { ...record({ key: null, value: null }), offset });
    }
  }

  override settle(sequence: number): void {
    this.acked.add(sequence);
    super.settle(sequence);
  }
}

let group: Group;
let claim: GroupClaim;
let log: string[];

beforeEach(() => {
  group = new Group();
  claim = group.claim();
  log = [];
});

function watch(settled: Settled<unknown>): () => void {
  const subscription = settled.subscribe({
    next: (value) => log.push(`${group.clock.now()}: ${JSON.stringify(value)}`),
    error: (cause: unknown) => log.push(`${group.clock.now()}: ${String(cause)}`),
    complete: () => log.push(`${group.clock.now()}: complete`),
  });
  return () => subscription.unsubscribe();
}

describe('atMostOnce, where nothing is committed', () => {
  it('acknowledges, then emits, at once: as settle', () => {
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    scheduler.run(({ cold, expectObservable, flush }) => {
      const source = new MarbleSource(schedulerClock(scheduler));
      const flow = createFlow<string>((out) =>
        cold('a-(bc)--|').subscribe({
          next: (mark) => out.next(rootDelivery(mark, source, source.handOver(mark), 0, undefined)),
          complete: () => out.complete(),
        }),
      );
      expectObservable(flow.pipe(atMostOnce())).toBe('a-(bc)--|');
      flush();
      expect(source.events.map(({ kind, frame, mark }) => `${frame} ${kind} ${mark}`)).toEqual([
        '0 ack a',
        '2 ack b',
        '2 ack c',
      ]);
    });
  });

  it('passes an error on, and stops its source when it is unsubscribed', () => {
    const broken = new ManualSource<string>();
    watch(broken.flow.pipe(atMostOnce()));
    broken.error('broken');
    expect(log).toEqual(['0: broken']);
    const left = new ManualSource<string>();
    watch(left.flow.pipe(atMostOnce()))();
    left.emit('a');
    expect(left.subscriber?.closed).toBe(true);
    expect(left.marked('ack')).toBe('');
  });
});

describe('atMostOnce of a group', () => {
  it('commits before it emits', async () => {
    watch(claim.flow.pipe(atMostOnce()));
    claim.hand();
    expect(log).toEqual([]);
    await group.clock.advance(COMMIT_MS - 1);
    expect(log).toEqual([]);
    await group.clock.advance(1);
    expect(log).toEqual(['5: 0']);
    expect(claim.committedOffset).toBe(1);
  });

  it('commits once for what is handed over in one go, and once more for what came meanwhile', async () => {
    watch(claim.flow.pipe(atMostOnce()));
    claim.hand(100);
    await group.clock.advance(1);
    claim.hand(100);
    expect(claim.acked.size).toBe(100);
    await group.clock.advance(4);
    expect(log).toHaveLength(100);
    await group.clock.advance(COMMIT_MS);
    expect(log).toHaveLength(200);
    expect(group.commits).toBe(2);
    expect(log[0]).toBe('5: 0');
    expect(log[199]).toBe('10: 199');
  });

  it('acknowledges nothing more while a commit is under way, so that credit bounds what waits', async () => {
    watch(claim.flow.pipe(atMostOnce()));
    claim.hand(10);
    await group.clock.advance(1);
    claim.hand(1_000);
    expect(claim.inFlight).toBe(1_000);
    expect(claim.acked.size).toBe(10);
  });

  it('tries again while commits fail, and emits once', async () => {
    group.fails = 3;
    watch(claim.flow.pipe(atMostOnce()));
    claim.hand(2);
    await group.clock.advance(1_000);
    expect(log).toEqual(['170: 0', '170: 1']);
    expect(group.commits).toBe(4);
  });

  it('emits nothing of a claim that is lost before its commit: its next owner does', async () => {
    const other = group.claim();
    watch(merge(claim.flow, other.flow).pipe(atMostOnce()));
    claim.hand(2);
    other.hand(1);
    await group.clock.advance(1);
    claim.dead = true;
    await group.clock.advance(1_000);
    expect(log).toEqual(['5: 0']);
    other.hand(1);
    await group.clock.advance(10);
    expect(log).toHaveLength(2);
  });

  it('emits of a claim that only starts over what this process still commits', async () => {
    watch(claim.flow.pipe(atMostOnce()));
    claim.hand(2);
    await group.clock.advance(1);
    claim.dead = true;
    await group.clock.advance(COMMIT_MS);
    expect(log).toEqual([]);
    claim.committedOffset = 2;
    await group.clock.advance(100);
    expect(log.map((line) => line.split(': ')[1])).toEqual(['0', '1']);
  });

  it('holds back what a commit does not cover, because a record before it is with somebody else', async () => {
    const release: (() => void)[] = [];
    const slow = mapAsync(
      (n: number) =>
        n === 0 ? new Promise<number>((resolve) => release.push(() => resolve(n))) : Promise.resolve(n),
      { concurrency: 10, order: 'none' },
    );
    watch(claim.flow.pipe(slow, atMostOnce()));
    claim.hand(3);
    await group.clock.advance(500);
    expect(claim.acked).toEqual(new Set([1, 2]));
    expect(log).toEqual([]);
    release[0]!();
    await group.clock.advance(200);
    expect(log.map((line) => line.split(': ')[1])).toEqual(['1', '2', '0']);
    expect(claim.committedOffset).toBe(3);
  });

  it('one claim that is held back does not hold back the others', async () => {
    const other = group.claim();
    watch(merge(claim.flow.pipe(filter((n) => n > 0)), other.flow).pipe(atMostOnce()));
    claim.settle = () => undefined;
    claim.hand(2);
    other.hand(2);
    await group.clock.advance(20);
    expect(log.map((line) => line.split(': ')[1])).toEqual(['0', '1']);
  });

  it('takes values made of several records, and waits for all of them', async () => {
    watch(claim.flow.pipe(batch({ maxRecords: 2, withinMs: 1_000 }), atMostOnce()));
    claim.hand(4);
    await group.clock.advance(COMMIT_MS);
    expect(log).toEqual(['5: [0,1]', '5: [2,3]']);
    expect(group.commits).toBe(1);
  });

  it('completes behind the last value, and fails behind it', async () => {
    watch(claim.flow.pipe(atMostOnce()));
    claim.hand(2);
    claim.complete();
    await group.clock.advance(COMMIT_MS);
    expect(log).toEqual(['5: 0', '5: 1', '5: complete']);
    const other = group.claim();
    watch(other.flow.pipe(atMostOnce()));
    other.hand(1);
    other.error('broken');
    await group.clock.advance(COMMIT_MS);
    expect(log.slice(3)).toEqual(['10: 0', '10: broken']);
  });

  it('leaves what it has not acknowledged to the next owner when it is unsubscribed, and emits nothing more', async () => {
    const stop = watch(claim.flow.pipe(atMostOnce()));
    claim.hand(2);
    await group.clock.advance(1);
    claim.hand(2);
    stop();
    claim.hand(1);
    await group.clock.advance(100);
    expect(log).toEqual([]);
    expect(claim.marked('ack')).toBe('0 1');
    expect(claim.marked('give-up')).toBe('2 3 4');
  });

  it('stops in the middle of a batch when the plain operator behind it wants no more', async () => {
    const values: unknown[] = [];
    claim.flow
      .pipe(atMostOnce())
      .pipe(take(2))
      .subscribe((value) => values.push(value));
    claim.hand(5);
    await group.clock.advance(100);
    expect(values).toEqual([0, 1]);
  });
});
