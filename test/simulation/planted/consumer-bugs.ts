// Bugs of a consumer, and of a member of a group.
import { AbortedTransactions } from '../../../src/core/consumer/aborted-transactions.ts';
import { PartitionReader } from '../../../src/core/consumer/partition-reader.ts';
import type { CommitPoint } from '../../../src/core/consumer/partition-reader.ts';
import { ReaderFeed } from '../../../src/core/consumer/reader-feed.ts';
import { RecordSource } from '../../../src/core/consumer/record-source.ts';
import { CommitSchedule } from '../../../src/core/group/commit-schedule.ts';
import type { CommitSource } from '../../../src/core/group/commit-schedule.ts';
import { ClaimStarts } from '../../../src/core/group/starts.ts';
import type { ClaimStart } from '../../../src/core/group/starts.ts';
import type { RecordBatch } from '../../../src/core/records/record-batch.ts';
import { all, replaceMethod } from './replace.ts';

/** The bit by which a reader knows that it is paused. */
const PAUSED = 1;

/** Records of aborted transactions are handed over. */
export function ignoreAbortIndex(): () => void {
  return replaceMethod<() => boolean>(AbortedTransactions, 'hides', () => () => false);
}

/** Behind a marker one offset more is passed over. */
export function skipControlOffset(): () => void {
  type Pass = (this: RecordSource, batch: RecordBatch) => void;
  return replaceMethod<Pass>(
    RecordSource,
    'pass',
    (pass) =>
      function (batch) {
        pass.call(this, batch);
        if (batch.isControl) this.passedOffset = Math.max(this.passedOffset, batch.lastOffset + 2);
      },
  );
}

/** What was handed over is committed, done or not. */
export function commitBeforeProcess(): () => void {
  type Point = (this: PartitionReader) => CommitPoint;
  return replaceMethod<Point>(
    PartitionReader,
    'commitPoint',
    (commitPoint) =>
      function () {
        return { ...commitPoint.call(this), offset: this.position };
      },
  );
}

/** What was given up is committed once more with the next generation. */
export function commitAfterRevoke(): () => void {
  type Change = (this: CommitSchedule & { gone?: CommitSource[] }, source: CommitSource) => void;
  return all(
    replaceMethod<Change>(
      CommitSchedule,
      'remove',
      (remove) =>
        function (source) {
          remove.call(this, source);
          source.committedOffset = undefined;
          (this.gone ??= []).push(source);
        },
    ),
    replaceMethod<Change>(
      CommitSchedule,
      'add',
      (add) =>
        function (source) {
          add.call(this, source);
          for (const one of this.gone?.splice(0) ?? []) add.call(this, one);
        },
    ),
  );
}

/** A claim begins one beyond the commit. */
export function positionPlusOneOnRebalance(): () => void {
  type Find = (this: ClaimStarts, ...args: never[]) => Promise<ClaimStart[]>;
  return replaceMethod<Find>(
    ClaimStarts,
    'find',
    (find) =>
      async function (...args) {
        const starts = await find.apply(this, args);
        return starts.map((start) => (start.committed ? { ...start, offset: start.offset + 1 } : start));
      },
  );
}

/** A reader goes on when its partition is given up. */
export function deliverUnassigned(): () => void {
  return all(
    replaceMethod<() => void>(PartitionReader, 'closeGate', () => () => undefined),
    replaceMethod<() => void>(PartitionReader, 'close', () => () => undefined),
  );
}

/** What is fetched makes a reader forget that it is paused. */
export function forgetPaused(): () => void {
  type Push = (this: ReaderFeed, ...args: never[]) => void;
  return replaceMethod<Push>(
    ReaderFeed,
    'push',
    (push) =>
      function (...args) {
        const { reader } = this as unknown as { reader: { stops: number } };
        reader.stops &= ~PAUSED;
        push.apply(this, args);
      },
  );
}
