import { beforeEach, describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import { CommitSchedule, type CommitSource } from '../../../src/core/group/commit-schedule.ts';
import type { CommitOptions, Committer, Generation, OffsetPoint } from '../../../src/core/group/committer.ts';
import type { Verdict } from '../../../src/core/group/membership-table.ts';
import { BrokerError, TimeoutError, type KafkaError } from '../../../src/errors.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';

class TestSource implements CommitSource {
  committedOffset: number | undefined = 0;
  offset = 0;
  readonly partition: number;

  constructor(partition: number) {
    this.partition = partition;
  }

  point(): OffsetPoint {
    return { topic: 't', partition: this.partition, offset: this.offset, leaderEpoch: -1, metadata: '' };
  }
}

/** Takes `latencyMs` for each commit and fails as scripted. */
class TestCommitter implements Committer {
  readonly log: { atMs: number; generationId: number; offsets: Map<number, number> }[] = [];
  readonly inLog = new Map<number, number>();
  latencyMs = 50;
  underWay = 0;
  mostUnderWay = 0;
  errors: KafkaError[] = [];
  /** Tries of the next commit that have no answer. */
  unanswered = 0;
  private readonly clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  async commit(
    points: readonly OffsetPoint[],
    generation: Generation,
    options: CommitOptions,
  ): Promise<void> {
    for (; this.unanswered > 0; this.unanswered--) options.onUnanswered?.();
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    const offsets = new Map(points.map(({ partition, offset }) => [partition, offset]));
    this.log.push({ atMs: this.clock.now(), generationId: generation.generationId, offsets });
    await new Promise<void>((resolve) => this.clock.setTimeout(resolve, this.latencyMs));
    this.underWay -= 1;
    options.signal?.throwIfAborted();
    const error = this.errors.shift();
    if (error !== undefined) throw error;
    for (const [partition, offset] of offsets) this.inLog.set(partition, offset);
  }
}

let clock: VirtualClock;
let committer: TestCommitter;
let schedule: CommitSchedule;
let generation: Generation | undefined;
let refused: string[];
let verdict: Verdict;
let failed: string[];

const nameOf = (error: KafkaError): string => ('errorName' in error ? String(error.errorName) : error.code);
const refusal = (name: string, retriable = false): BrokerError => new BrokerError(name, name, { retriable });

beforeEach(() => {
  clock = new VirtualClock();
  committer = new TestCommitter(clock);
  generation = { groupId: 'g', memberId: 'm', groupInstanceId: null, generationId: 1 };
  refused = [];
  verdict = 'ignore';
  failed = [];
  const limits = { commitIntervalMs: 5_000, commitEveryRecords: 100, commitTimeoutMs: 2_000 };
  schedule = new CommitSchedule(clock, committer, limits, {
    current: () => generation,
    refused: (error, generationId) => {
      refused.push(`${nameOf(error)} ${generationId}`);
      return verdict;
    },
    onCommitted: () => {},
    onCommitFailed: (error) => failed.push(nameOf(error)),
  });
});

function source(partition = 0): TestSource {
  const made = new TestSource(partition);
  schedule.add(made);
  return made;
}

describe('CommitSchedule', () => {
  it('commits at the interval what has moved, and asks nobody otherwise', async () => {
    const a = source(0);
    source(1);
    a.offset = 7;
    await clock.advance(20_000);
    expect(committer.log).toEqual([{ atMs: 5_000, generationId: 1, offsets: new Map([[0, 7]]) }]);
  });

  it('commits a start that is not in the log yet', async () => {
    source().committedOffset = undefined;
    await clock.advance(5_000);
    expect(committer.log[0]!.offsets).toEqual(new Map([[0, 0]]));
  });

  it('commits after so many records, once for all that were settled while a commit was under way', async () => {
    const a = source();
    for (let record = 1; record <= 1_000; record += 1) {
      a.offset = record;
      schedule.settled(1);
    }
    await clock.advance(1_000);
    expect(committer.log.map(({ offsets }) => offsets.get(0))).toEqual([100, 1_000]);
    expect(committer.mostUnderWay).toBe(1);
  });

  it('never goes back', async () => {
    const a = source();
    a.offset = 50;
    await clock.advance(5_500);
    a.offset = 10;
    await clock.advance(20_000);
    expect(await clock.run(schedule.flush())).toBeUndefined();
    expect(committer.log).toHaveLength(1);
    a.offset = 51;
    await clock.run(schedule.flush());
    expect(committer.inLog.get(0)).toBe(51);
  });

  it('flushes behind the commit that is under way, and only where something moved', async () => {
    const a = source(0);
    const b = source(1);
    a.offset = 200;
    b.offset = 5;
    schedule.settled(200);
    a.offset = 300;
    expect(await clock.run(schedule.flush())).toBeUndefined();
    expect(committer.log.map(({ offsets }) => [...offsets])).toEqual([
      [
        [0, 200],
        [1, 5],
      ],
      [[0, 300]],
    ]);
    expect(committer.mostUnderWay).toBe(1);
  });

  it('flushes again after a rebalance in progress, with the generation that is current then', async () => {
    const a = source();
    a.offset = 9;
    committer.errors = [refusal('REBALANCE_IN_PROGRESS')];
    clock.setTimeout(() => (generation = { ...generation!, generationId: 2 }), 60);
    expect(await clock.run(schedule.flush())).toBeUndefined();
    expect(committer.log.map(({ generationId }) => generationId)).toEqual([1, 2]);
    expect(refused).toEqual(['REBALANCE_IN_PROGRESS 1']);
    expect(a.committedOffset).toBe(9);
  });

  it('keeps what was refused between two generations for the next one, and tells nobody', async () => {
    const a = source();
    a.offset = 9;
    verdict = 'again';
    committer.errors = [refusal('REBALANCE_IN_PROGRESS')];
    await clock.advance(5_100);
    expect(committer.log).toHaveLength(1);
    generation = { ...generation!, generationId: 2 };
    schedule.resume();
    await clock.advance(100);
    expect(committer.log.map(({ generationId }) => generationId)).toEqual([1, 2]);
    expect([a.committedOffset, failed]).toEqual([9, []]);
  });

  it('commits at once with the new generation when the old one was refused too late', async () => {
    const a = source();
    a.offset = 9;
    committer.errors = [refusal('ILLEGAL_GENERATION')];
    clock.setTimeout(() => (generation = { ...generation!, generationId: 2 }), 5_000);
    await clock.advance(5_100);
    expect(committer.log.map(({ generationId }) => generationId)).toEqual([1, 2]);
    expect([a.committedOffset, failed]).toEqual([9, []]);
  });

  it('ends a flush at the commit timeout with the last error', async () => {
    source().offset = 9;
    committer.errors = Array.from({ length: 100 }, () => refusal('REBALANCE_IN_PROGRESS'));
    const error = await clock.run(schedule.flush());
    expect(nameOf(error!)).toBe('REBALANCE_IN_PROGRESS');
    expect(clock.now()).toBeLessThanOrEqual(2_200);
  });

  it('ends a flush when the generation is gone, and commits nothing of it any more', async () => {
    const a = source();
    a.offset = 9;
    const flushing = schedule.flush();
    clock.setTimeout(() => {
      generation = undefined;
      schedule.abandon();
      schedule.remove(a);
    }, 20);
    expect(nameOf((await clock.run(flushing))!)).toBe('ILLEGAL_GENERATION');
    expect(failed).toEqual([]);
    await clock.advance(60_000);
    expect(committer.log).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('says so when there is no generation to commit with', async () => {
    source().offset = 9;
    generation = undefined;
    expect(nameOf((await clock.run(schedule.flush()))!)).toBe('ILLEGAL_GENERATION');
    expect(nameOf((await clock.run(schedule.commitPoints([])))!)).toBe('ILLEGAL_GENERATION');
    expect(committer.log).toEqual([]);
  });

  it('tries again at the next interval what failed, and tells', async () => {
    const a = source();
    a.offset = 9;
    committer.errors = [refusal('REQUEST_TIMED_OUT', true)];
    await clock.advance(10_500);
    expect(failed).toEqual(['REQUEST_TIMED_OUT']);
    expect(committer.inLog.get(0)).toBe(9);
  });

  it('commits again what may have been overtaken by a commit without an answer, then rests', async () => {
    const a = source();
    a.offset = 9;
    committer.errors = [new TimeoutError('no answer', { afterMs: 50, sent: true })];
    await clock.advance(10_500);
    committer.inLog.set(0, 4);
    await clock.advance(5_000);
    expect(committer.inLog.get(0)).toBe(9);
    await clock.advance(60_000);
    // At 5 s, and at every interval of the thirty seconds after it.
    expect(committer.log).toHaveLength(7);
  });

  it('doubts a commit that had a try without an answer, though a later one was answered, and commits once more at the end', async () => {
    const a = source();
    a.offset = 9;
    committer.unanswered = 1;
    await clock.advance(5_100);
    committer.inLog.set(0, 4);
    expect(await clock.run(schedule.flush())).toBeUndefined();
    expect(committer.inLog.get(0)).toBe(9);
    expect(committer.log).toHaveLength(2);
  });

  it('doubts on when all claims are gone: a late commit may hit what is claimed again in the same generation', async () => {
    const lost = source();
    lost.offset = 4;
    committer.unanswered = 1;
    await clock.advance(5_100);
    schedule.abandon();
    schedule.remove(lost);
    const again = source();
    again.offset = 9;
    await clock.advance(5_500);
    expect(committer.inLog.get(0)).toBe(9);
    committer.inLog.set(0, 4);
    await clock.advance(5_000);
    expect(committer.inLog.get(0)).toBe(9);
  });

  it('makes what a committer throws an error of ours', async () => {
    source().offset = 9;
    committer.errors = [new TypeError('a bug') as unknown as KafkaError];
    await clock.advance(5_100);
    expect(failed).toEqual(['UNKNOWN_SERVER_ERROR']);
  });

  it('keeps one commit under way, never goes back, and ends at the last point, whatever happens', async () => {
    const step = fc.oneof(
      fc.record({ settle: fc.integer({ min: 1, max: 250 }), of: fc.integer({ min: 0, max: 2 }) }),
      fc.record({ advance: fc.integer({ min: 1, max: 6_000 }) }),
      fc.record({ fail: fc.constantFrom('REBALANCE_IN_PROGRESS', 'REQUEST_TIMED_OUT') }),
      fc.record({ latency: fc.integer({ min: 0, max: 1_000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        clock = new VirtualClock();
        committer = new TestCommitter(clock);
        const limits = { commitIntervalMs: 5_000, commitEveryRecords: 100, commitTimeoutMs: 2_000 };
        schedule = new CommitSchedule(clock, committer, limits, {
          current: () => generation,
          refused: () => 'ignore',
          onCommitted: () => {},
          onCommitFailed: () => {},
        });
        const sources = [source(0), source(1), source(2)];
        for (const one of steps) {
          if ('settle' in one) {
            sources[one.of]!.offset += one.settle;
            schedule.settled(one.settle);
          } else if ('advance' in one) await clock.advance(one.advance);
          else if ('fail' in one) committer.errors.push(refusal(one.fail));
          else committer.latencyMs = one.latency;
        }
        committer.errors = [];
        committer.latencyMs = 10;
        await clock.advance(1_000);
        expect(await clock.run(schedule.flush())).toBeUndefined();
        expect(committer.mostUnderWay).toBeLessThanOrEqual(1);
        for (const [partition, one] of sources.entries()) {
          if (one.offset > 0) expect(committer.inLog.get(partition)).toBe(one.offset);
          const offsets = committer.log
            .map(({ offsets }) => offsets.get(partition) ?? -1)
            .filter((at) => at >= 0);
          expect(offsets).toEqual([...offsets].sort((x, y) => x - y));
          schedule.remove(one);
        }
      }),
      { numRuns: 60 },
    );
  });
});
