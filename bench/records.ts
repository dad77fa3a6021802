// Nanoseconds per record of writing and reading batches, without a broker: `npx tsx bench/records.ts`.
import { CODEC_NAMES } from '../src/core/compression/codec.ts';
import { codecId, prepareCodec } from '../src/core/compression/registry.ts';
import { BatchBuilder } from '../src/core/records/batch-builder.ts';
import { BatchCursor } from '../src/core/records/batch-cursor.ts';
import { prepareCrc32c } from '../src/core/records/crc32c.ts';
import type { FetchedRecord } from '../src/core/records/fetched-record.ts';
import { parseBatches } from '../src/core/records/record-batch.ts';
import type { Bytes } from '../src/core/records/types.ts';

const VALUE_BYTES = 100;
const BATCH_BYTES = 1024 * 1024;
const ROUNDS = 7;
const TARGET_RECORDS = 1_000_000;
const HELD_RECORDS = 100_000;
const BASE = 1_760_000_000_000;

const sealOptions = { codec: 'none', producerId: 1, producerEpoch: 0, baseSequence: 0 } as const;

/** Printable values that do not repeat, so that codecs have work to do. */
function valuesOf(count: number): string[] {
  let seed = 12345;
  return Array.from({ length: count }, () => {
    let text = '';
    while (text.length < VALUE_BYTES) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      text += seed.toString(36);
    }
    return text.slice(0, VALUE_BYTES);
  });
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1]!;
}

function measure(name: string, run: () => number): void {
  const perRecord: number[] = [];
  run();
  for (let round = 0; round < ROUNDS; round++) {
    const begun = process.hrtime.bigint();
    const records = run();
    perRecord.push(Number(process.hrtime.bigint() - begun) / records);
  }
  const ns = median(perRecord);
  console.log(
    `${name.padEnd(44)} ${ns.toFixed(1).padStart(7)} ns  ${(1000 / ns).toFixed(2).padStart(7)} M/s`,
  );
}

function fill(keys: readonly (Bytes | null)[], values: readonly Bytes[], maxBytes: number): BatchBuilder {
  const builder = new BatchBuilder(maxBytes, maxBytes);
  for (let i = 0; builder.tryAppend(keys[i % 1000]!, values[i % 1000]!, undefined, BASE + i); i++);
  return builder;
}

function encoding(
  keys: readonly (Bytes | null)[],
  values: readonly Bytes[],
  maxBytes = BATCH_BYTES,
): () => number {
  return () => {
    let records = 0;
    while (records < TARGET_RECORDS) {
      const builder = fill(keys, values, maxBytes);
      records += builder.count;
      builder.seal(sealOptions);
    }
    return records;
  };
}

function decoding(batch: Buffer, touch: (record: FetchedRecord) => number): () => number {
  return () => {
    let records = 0;
    let sum = 0;
    while (records < TARGET_RECORDS) {
      for (const parsed of parseBatches(batch, { topic: 'bench', partition: 0 })) {
        const cursor = new BatchCursor(parsed, 'bench', 0);
        for (let record = cursor.next(); record !== undefined; record = cursor.next()) sum += touch(record);
        records += parsed.count;
      }
    }
    if (sum < 0) throw new Error('impossible');
    return records;
  };
}

await prepareCrc32c();
const texts = valuesOf(1000);
const buffers = texts.map((text) => Buffer.from(text));
const keys = texts.map((_, i) => `key-${i}`);
const noKeys: null[] = texts.map(() => null);

measure('encode, strings, no key', encoding(noKeys, texts));
measure('encode, strings, key', encoding(keys, texts));
measure('encode, Buffers, no key', encoding(noKeys, buffers));
measure('encode, Buffers, no key, 16 KiB batches', encoding(noKeys, buffers, 16 * 1024));
const plain = fill(keys, buffers, BATCH_BYTES).seal(sealOptions);
measure(
  'decode, iterate',
  decoding(plain, (record) => record.bytes),
);
const held = new Array<FetchedRecord>(HELD_RECORDS);
let next = 0;
measure(
  `decode, ${HELD_RECORDS} records held`,
  decoding(plain, (record) => {
    held[next] = record;
    next = next + 1 === HELD_RECORDS ? 0 : next + 1;
    return 0;
  }),
);
measure(
  'decode, offset',
  decoding(plain, (record) => record.offset),
);
measure(
  'decode, timestamp',
  decoding(plain, (record) => record.timestamp),
);
measure(
  'decode, value view',
  decoding(plain, (record) => record.value!.length),
);
measure(
  'decode, value text',
  decoding(plain, (record) => record.valueText!.length),
);
measure(
  'decode, key and value text',
  decoding(plain, (record) => record.keyText!.length + record.valueText!.length),
);
for (const codec of CODEC_NAMES) {
  await prepareCodec(codecId(codec));
  measure(`encode, Buffers, ${codec}`, () => {
    let records = 0;
    while (records < TARGET_RECORDS / 10) {
      const builder = fill(keys, buffers, BATCH_BYTES);
      records += builder.count;
      builder.seal({ ...sealOptions, codec });
    }
    return records;
  });
  const batch = fill(keys, buffers, BATCH_BYTES).seal({ ...sealOptions, codec });
  measure(
    `decode, iterate, ${codec}, ${batch.length} bytes`,
    decoding(batch, (record) => record.bytes),
  );
}
