// The rule by which a next offset moves.

/** A next offset: marks move it forward only, resets back only. */
export class OffsetMark {
  offset: number;
  metadata: string;
  /** Of the record before it, -1 when unknown. */
  leaderEpoch: number;
  /** Something was committed, marked or reset here; before that, any offset may be marked. */
  isSet: boolean;

  constructor(offset: number, metadata: string, leaderEpoch: number, isSet: boolean) {
    this.offset = offset;
    this.metadata = metadata;
    this.leaderEpoch = leaderEpoch;
    this.isSet = isSet;
  }

  /** False, and nothing changes, where that is not forward. */
  mark(offset: number, metadata: string | undefined, leaderEpoch: number): boolean {
    if (this.isSet && offset <= this.offset) return false;
    this.set(offset, metadata, leaderEpoch);
    return true;
  }

  /** False, and nothing changes, where that is forward; the same offset again changes the metadata. */
  reset(offset: number, metadata: string | undefined): boolean {
    if (offset > this.offset) return false;
    this.set(offset, metadata, offset === this.offset ? this.leaderEpoch : -1);
    return true;
  }

  private set(offset: number, metadata: string | undefined, leaderEpoch: number): void {
    this.offset = offset;
    if (metadata !== undefined) this.metadata = metadata;
    this.leaderEpoch = leaderEpoch;
    this.isSet = true;
  }
}
