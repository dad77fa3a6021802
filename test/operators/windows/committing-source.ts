import { ManualSource } from '../../flow/manual-source.ts';

/** A source whose commits carry metadata. Without records, the n-th value has offset n. */
export class CommittingSource<T> extends ManualSource<T> {
  readonly startMetadata: string;
  caughtUp = false;
  private describe: ((offset: number) => string) | undefined;

  constructor(startMetadata = '', credit = Infinity) {
    super(credit);
    this.startMetadata = startMetadata;
  }

  readonly describeCommits = (describe: (offset: number) => string): void => {
    this.describe = describe;
  };

  /** The metadata of a commit of `offset`. */
  commit(offset: number): string {
    return this.describe?.(offset) ?? this.startMetadata;
  }
}
