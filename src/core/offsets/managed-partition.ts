// One partition whose next offset a program keeps by itself.

import type { OffsetPoint } from '../group/committer.ts';
import { checkNextOffset } from './checks.ts';
import { OffsetMark } from './offset-mark.ts';

/** What of a record a mark needs: every ConsumerRecord has it. */
export interface MarkedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly leaderEpoch?: number | undefined;
}

/** What a partition is told, and asked, by the manager it belongs to. */
export interface ManagedState {
  /** A point as it stands, to be committed; `isDirty` stays until `committed` is called with it. */
  readonly point: OffsetPoint;
  /** Counts the accepted marks and resets. */
  readonly version: number;
}

/** The next offset of one partition, with its metadata string. Made by `OffsetManager.manage`. */
export class ManagedPartition {
  readonly topic: string;
  readonly partition: number;
  /** What the group's log has as far as this manager knows; undefined for nothing. */
  committedOffset: number | undefined;
  /** Until then it is committed again and again: a commit without an answer may arrive behind later ones, on another connection. */
  doubtfulUntilMs = -Infinity;
  private readonly mark: OffsetMark;
  private version = 0;
  private committedVersion = 0;
  private isOver = false;

  constructor(start: OffsetPoint, isCommitted: boolean) {
    this.topic = start.topic;
    this.partition = start.partition;
    this.mark = new OffsetMark(start.offset, start.metadata, start.leaderEpoch, isCommitted);
    this.committedOffset = isCommitted ? start.offset : undefined;
  }

  /** The next offset to read: as marked or reset last, else as committed, else the initial position. */
  get nextOffset(): number {
    return this.mark.offset;
  }

  /** The string that was, or will be, committed with it. */
  get metadata(): string {
    return this.mark.metadata;
  }

  /** It was marked or reset, and that is not in the group's log yet. */
  get isDirty(): boolean {
    return this.version !== this.committedVersion;
  }

  /** Its next commit has something to say, if only once more. */
  needsCommit(nowMs: number): boolean {
    return this.isDirty || nowMs < this.doubtfulUntilMs;
  }

  /**
   * The next offset to read is `offset`: one past the last record that is done with. Forward only: returns false, and changes nothing, where the
   * next offset is that already or further. `metadata` is committed with it, left out the last one is; `leaderEpoch` is that of the record before it.
   */
  markNextOffset(offset: number, metadata?: string, leaderEpoch = -1): boolean {
    checkNextOffset(offset);
    return this.changed(!this.isOver && this.mark.mark(offset, metadata, leaderEpoch));
  }

  /** This record, and every one before it, is done with: the next offset is one past it, with its leader epoch. Else as `markNextOffset`. */
  markMessage(record: Pick<MarkedRecord, 'offset' | 'leaderEpoch'>, metadata?: string): boolean {
    return this.markNextOffset(record.offset + 1, metadata, record.leaderEpoch ?? -1);
  }

  /**
   * Goes back to `offset`, which the next commit writes. Backward only: returns false, and changes nothing, where the next offset is smaller; the
   * same offset again changes the metadata.
   */
  resetOffset(offset: number, metadata?: string): boolean {
    checkNextOffset(offset);
    return this.changed(!this.isOver && this.mark.reset(offset, metadata));
  }

  /** For the manager: what to commit now. */
  state(): ManagedState {
    const { topic, partition, version } = this;
    const { offset, metadata, leaderEpoch } = this.mark;
    return { point: { topic, partition, offset, metadata, leaderEpoch }, version };
  }

  /** For the manager: this is in the group's log. */
  committed({ point, version }: ManagedState): void {
    this.committedVersion = version;
    this.committedOffset = point.offset;
  }

  /** For the manager: marks and resets change nothing from now on. */
  end(): void {
    this.isOver = true;
  }

  private changed(moved: boolean): boolean {
    if (moved) this.version += 1;
    return moved;
  }
}
