// How fast one reader hands over records: CRC, lazy decode, tracker add and settle; no socket.
// node --import tsx bench/consume-core.ts [seconds per case]
import { ByteBudget } from '../src/core/consumer/byte-budget.ts';
import { EmissionLoop } from '../src/core/consumer/emission-loop.ts';
import { FetchedData, findEnd } from '../src/core/consumer/fetched-data.ts';
import { PartitionReader, type ReaderListener } from '../src/core/consumer/partition-reader.ts';
import type { ReaderHost } from '../src/core/consumer/reader-host.ts';
import { systemClock } from '../src/core/clock.ts';
import { BatchBuilder } from '../src/core/records/batch-builder.ts';
import { stampOffsets } from '../src/core/records/batch-header.ts';

const seconds = Number(process.argv[2] ?? 2);
const VALUE = Buffer.alloc(100, 'x');

function batchOf(bytes: number): Buffer {
  const builder = new BatchBuilder(bytes);
  while (builder.tryAppend(null, VALUE, undefined, 1_700_000_000_000));
  return builder.seal({ codec: 'none', producerId: 1, producerEpoch: 0, baseSequence: 0 });
}

class Host implements ReaderHost {
  readonly clientId = 'bench';
  readonly clock = systemClock;
  readonly loop = new EmissionLoop(systemClock, 8);
  readonly budget = new ByteBudget(64 * 1024 * 1024);
  readonly partitionFetchBytes = 1024 * 1024;
  readonly prefetchBytes = 4 * 1024 * 1024;
  readonly totalPrefetchBytes = 16 * 1024 * 1024;
  readonly maxBatchBytes = 128 * 1024 * 1024;
  readonly readCommitted = false;
  wake(): void {}
  closed(): void {}
}

/** Settles at once, or all when `window` of them are under way. */
class Sink implements ReaderListener {
  records = 0;
  bytes = 0;
  reader!: PartitionReader;
  private readonly open: number[] = [];
  private readonly window: number;
  constructor(window: number) {
    this.window = window;
  }
  onRecord(record: { readonly value: Buffer | null; readonly bytes: number }, sequence: number): void {
    this.records += 1;
    this.bytes += record.bytes;
    if (this.window === 1) this.reader.settle(sequence);
    else {
      this.open.push(sequence);
      if (this.open.length === this.window) this.flush();
    }
  }
  onPressure(): void {
    this.flush();
  }
  onEnd(): void {}
  onError(error: Error): void {
    throw error;
  }
  private flush(): void {
    for (const sequence of this.open) this.reader.settle(sequence);
    this.open.length = 0;
  }
}

async function measure(name: string, batchBytes: number, window: number): Promise<void> {
  const host = new Host();
  const reader = new PartitionReader({ topic: 't', partition: 0, startOffset: 0 });
  const sink = new Sink(window);
  sink.reader = reader;
  reader.feed.attach(host);
  reader.start(sink);
  const one = batchOf(batchBytes);
  const perBatch = one.readInt32BE(57);
  const copies = Math.max(1, Math.floor((1024 * 1024) / one.length));
  const chunk = Buffer.alloc(one.length * copies);
  let offset = 0;
  const runUntil = async (endMs: number): Promise<void> => {
    while (systemClock.now() < endMs) {
      if (reader.bufferedBytes < 2 * chunk.length) {
        const records = Buffer.allocUnsafeSlow(chunk.length);
        for (let at = 0; at < copies; at += 1) {
          one.copy(records, at * one.length);
          stampOffsets(records.subarray(at * one.length, (at + 1) * one.length), offset, 0);
          offset += perBatch;
        }
        findEnd(records);
        reader.feed.push(new FetchedData(records, undefined), one.length);
        host.loop.now(reader);
      } else await new Promise<void>((resolve) => systemClock.defer(resolve));
    }
  };
  await runUntil(systemClock.now() + 500);
  const startedAt = systemClock.now();
  const counted = sink.records;
  await runUntil(startedAt + seconds * 1000);
  const ms = systemClock.now() - startedAt;
  const rate = (sink.records - counted) / ms / 1000;
  console.log(`${name.padEnd(44)} ${rate.toFixed(2)} M records/s, ${(1000 / rate).toFixed(0)} ns each`);
  reader.close();
}

await measure('batches of 16 KiB, settled at once', 16 * 1024, 1);
await measure('batches of 1 MiB, settled at once', 1024 * 1024, 1);
await measure('batches of 16 KiB, settled 5,000 at a time', 16 * 1024, 5000);
await measure('batches of 1 KiB, settled at once', 1024, 1);
