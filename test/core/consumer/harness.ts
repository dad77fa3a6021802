// A reader without a fetcher: the test feeds it.
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';
import { ByteBudget } from '../../../src/core/consumer/byte-budget.ts';
import { EmissionLoop } from '../../../src/core/consumer/emission-loop.ts';
import {
  AbortedTransactions,
  type AbortedTransaction,
} from '../../../src/core/consumer/aborted-transactions.ts';
import { FetchedData, findEnd } from '../../../src/core/consumer/fetched-data.ts';
import type { ReaderOptions } from '../../../src/core/consumer/options.ts';
import { PartitionReader, type ReaderListener } from '../../../src/core/consumer/partition-reader.ts';
import type { ReaderHost } from '../../../src/core/consumer/reader-host.ts';
import type { KafkaError } from '../../../src/errors.ts';

/** A clock on which handing over a record can take time. */
export class BusyClock extends VirtualClock {
  private busyMs = 0;
  override now(): number {
    return super.now() + this.busyMs;
  }
  spend(ms: number): void {
    this.busyMs += ms;
  }
}

export class FakeHost implements ReaderHost {
  readonly clientId = 'test';
  readonly clock: BusyClock;
  readonly loop: EmissionLoop;
  readonly budget: ByteBudget;
  partitionFetchBytes = 1024 * 1024;
  prefetchBytes = 4 * 1024 * 1024;
  totalPrefetchBytes = 16 * 1024 * 1024;
  maxBatchBytes = 128 * 1024 * 1024;
  readCommitted = false;
  readonly woken: PartitionReader[] = [];

  constructor(budgetBytes = 64 * 1024 * 1024, clock = new BusyClock()) {
    this.clock = clock;
    this.loop = new EmissionLoop(clock, 8);
    this.budget = new ByteBudget(budgetBytes);
  }
  wake(reader: PartitionReader): void {
    this.woken.push(reader);
  }
  closed(): void {}
}

/** Notes all that a reader says; `onRecord` may do more. */
export class Notes implements ReaderListener {
  readonly offsets: number[] = [];
  readonly values: (string | null)[] = [];
  readonly sequences: number[] = [];
  readonly errors: KafkaError[] = [];
  pressures = 0;
  ends = 0;
  then: (sequence: number, offset: number) => void = () => {};

  onRecord(record: Parameters<ReaderListener['onRecord']>[0], sequence: number): void {
    this.offsets.push(record.offset);
    this.values.push(record.valueText);
    this.sequences.push(sequence);
    this.then(sequence, record.offset);
  }
  onPressure(): void {
    this.pressures += 1;
  }
  onEnd(): void {
    this.ends += 1;
  }
  onError(error: KafkaError): void {
    this.errors.push(error);
  }
}

export interface Bench {
  readonly host: FakeHost;
  readonly reader: PartitionReader;
  readonly notes: Notes;
  /** Feeds these batches as one answer and lets the reader emit. */
  readonly feed: (batches: readonly Buffer[], aborted?: readonly AbortedTransaction[]) => void;
}

/** A started reader of t-0. */
export async function bench(options: Partial<ReaderOptions> = {}, host = new FakeHost()): Promise<Bench> {
  const reader = new PartitionReader({ topic: 't', partition: 0, startOffset: 0, ...options });
  const notes = new Notes();
  reader.feed.attach(host);
  reader.start(notes);
  await host.clock.settle();
  const feed: Bench['feed'] = (batches, aborted) => {
    const records = Buffer.concat(batches);
    reader.feed.push(
      new FetchedData(records, host.readCommitted ? new AbortedTransactions(aborted ?? []) : undefined),
      0,
    );
    reader.feed.fetch.offset = findEnd(records).nextOffset;
    host.loop.now(reader);
  };
  return { host, reader, notes, feed };
}

export const span = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => from + at);
