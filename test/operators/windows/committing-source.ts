import type { ConsumerRecord } from '../../../src/core/records/types.ts';
import type { Delivery } from '../../../src/flow/delivery.ts';
import { ManualSource } from '../../flow/manual-source.ts';

/** A source whose commits carry metadata. Without records, the n-th value has offset n. */
export class CommittingSource<T> extends ManualSource<T> {
  readonly startMetadata: string;
  caughtUp = false;
  private readonly unsettled = new Map<number, number>();
  private emitted: number | undefined;
  private describe: ((offset: number) => string) | undefined;

  constructor(startMetadata = '', credit = Infinity) {
    super(credit);
    this.startMetadata = startMetadata;
  }

  readonly describeCommits = (describe: (offset: number) => string): void => {
    this.describe = describe;
  };

  override emit(value: T, bytes = 0, record?: ConsumerRecord): Delivery<T> {
    this.emitted = record?.offset;
    return super.emit(value, bytes, record);
  }

  override handOver(mark: string): number {
    const sequence = super.handOver(mark);
    this.unsettled.set(sequence, this.emitted ?? sequence);
    return sequence;
  }

  override settle(sequence: number): void {
    this.unsettled.delete(sequence);
    super.settle(sequence);
  }

  unsettledBetween(from: number, to: number): number[] {
    return [...this.unsettled.values()].filter((offset) => offset >= from && offset < to);
  }

  /** The metadata of a commit of `offset`. */
  commit(offset: number): string {
    return this.describe?.(offset) ?? this.startMetadata;
  }
}
