// Batches that lie: what came before them is handed over and committed, then the run fails with their place.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { BATCH_OVERHEAD, HEADER, LENGTH_OVERHEAD } from '../../src/core/records/batch-header.ts';
import { Kafka, map, settle, tap, text, topology } from '../../src/index.ts';
import { createBroker, type BrokerBox } from '../../src/testing/index.ts';
import { changingBatches, forging, type Change } from '../helpers/bad-input/batches.ts';
import { expectClear, failsWithin } from '../helpers/bad-input/failure.ts';
import { Before, PeakMemory } from '../helpers/bad-input/left-over.ts';
import { TamperingProxy } from '../helpers/bad-input/tampering-proxy.ts';
import { CLIENT, GROUP } from '../helpers/bad-input/ways.ts';
import { brokers, uniqueName } from '../helpers/brokers.ts';

const LIMIT_MS = 40_000;
const MEMORY_BYTES = 150 * 1024 * 1024;
/** Offset of the batch that lies; the one before it has as many records. */
const BAD = 3;
const CORRUPT = { code: 'BROKER_ERROR', errorName: 'CORRUPT_MESSAGE', retriable: false, partition: 0 };
const UNPACKABLE = { code: 'BROKER_ERROR', errorName: 'UNSUPPORTED_COMPRESSION_TYPE', retriable: false };

/** The batch with other records, compressed or not. */
const withRecords = (batch: Buffer, records: Buffer, codec = 0): Buffer => {
  const out = Buffer.concat([batch.subarray(0, BATCH_OVERHEAD), records]);
  out.writeInt32BE(out.length - LENGTH_OVERHEAD, HEADER.batchLength);
  out.writeInt16BE((out.readInt16BE(HEADER.attributes) & ~7) | codec, HEADER.attributes);
  return out;
};

/** A few hundred kilobytes that unpack to 300 MB. */
let bomb: Buffer;
beforeAll(() => {
  bomb = gzipSync(Buffer.alloc(300 * 1024 * 1024));
});

interface Lie {
  readonly name: string;
  readonly change: Change;
  readonly fields?: object;
  readonly says: RegExp;
  /** Records of the bad batch that are handed over before it is found out. */
  readonly readable?: number;
}

const lies: readonly Lie[] = [
  {
    name: 'a wrong CRC',
    change: (batch) => (batch.writeUInt8(batch.readUInt8(batch.length - 3) ^ 1, batch.length - 3), batch),
    says: /its CRC is [0-9a-f]+, but its bytes give [0-9a-f]+/,
  },
  {
    name: 'more records than there are',
    change: forging((batch) => void batch.writeInt32BE(BAD + 1, HEADER.recordCount)),
    says: /it claims 4 records between offsets 3 and 5/,
  },
  {
    name: 'a thousand million records',
    change: forging((batch) => {
      batch.writeInt32BE(10 ** 9, HEADER.recordCount);
      batch.writeInt32BE(10 ** 9 - 1, HEADER.lastOffsetDelta);
    }),
    says: /it claims 1000000000 records in \d+ bytes/,
  },
  {
    name: 'fewer records than there are',
    change: forging((batch) => void batch.writeInt32BE(1, HEADER.recordCount)),
    says: /it claims 1 records, but \d+ bytes follow them/,
    readable: 1,
  },
  {
    name: 'a negative count',
    change: forging((batch) => void batch.writeInt32BE(-1, HEADER.recordCount)),
    says: /it claims -1 records/,
  },
  {
    name: 'a last offset before its first',
    change: forging((batch) => void batch.writeInt32BE(-7, HEADER.lastOffsetDelta)),
    says: /its last offset is -4, before its first/,
  },
  {
    name: 'an impossible length',
    change: (batch) => (batch.writeInt32BE(10, HEADER.batchLength), batch.subarray(0, 22)),
    says: /its length 10 is impossible/,
  },
  {
    name: 'a length beyond what is sent, every time',
    change: (batch) => (batch.writeInt32BE(2 ** 30, HEADER.batchLength), batch),
    says: /it claims 1073741836 bytes, but only \d+ were sent/,
  },
  {
    name: 'the old message format',
    change: (batch) => (batch.writeInt8(1, HEADER.magic), batch),
    says: /it has the old message format v1, which is not read; Kafka 3.0 and later write format v2/,
  },
  {
    name: 'a format nobody knows',
    change: (batch) => (batch.writeInt8(9, HEADER.magic), batch),
    says: /its format version is 9; only v2 is known/,
  },
  {
    name: 'an offset beyond 2^53',
    change: (batch) => (batch.writeBigInt64BE(2n ** 53n - 1n, HEADER.baseOffset), batch),
    says: /offsets from \d+ to \d+ are outside 0 to 2\^53-1/,
  },
  {
    name: 'a record longer than its batch',
    change: forging((batch) => void batch.writeUInt8(0x7e, BATCH_OVERHEAD)),
    says: /record 1 of 3 /,
  },
  {
    name: 'a varint without an end',
    change: forging((batch) => void batch.fill(0xff, BATCH_OVERHEAD, batch.length)),
    says: /record 1 of 3 /,
  },
  {
    name: 'bytes that are no gzip',
    change: forging((batch) => {
      const packed = gzipSync(batch.subarray(BATCH_OVERHEAD));
      return withRecords(batch, packed.fill(0x55, 12, packed.length - 8), 1);
    }),
    fields: UNPACKABLE,
    says: /cannot be decompressed. A gzip batch is damaged/,
  },
  {
    name: 'a decompression bomb',
    change: forging((batch) => withRecords(batch, bomb, 1)),
    fields: UNPACKABLE,
    says: /A gzip batch decompresses.*, past the \d+ bytes allowed for it/,
  },
  {
    name: 'a codec that does not exist',
    change: forging((batch) => withRecords(batch, Buffer.alloc(100), 6)),
    fields: UNPACKABLE,
    says: /names compression type 6; known are 0 to 4 \(none, gzip, snappy, lz4, zstd\)/,
  },
];

const targets: readonly (readonly [name: string, bootstrap: string | undefined])[] = [
  ...(brokers?.length === 1 ? [['Kafka', brokers[0]] as const] : []),
  ['the box', undefined],
];

describe.each(targets)('batches that lie, behind %s', (_name, given) => {
  let box: BrokerBox | undefined;
  let upstream: string;
  let direct: Kafka;
  let topic: string;
  const groups: string[] = [];

  beforeAll(async () => {
    if (given === undefined) box = await createBroker({ group: { minSessionTimeoutMs: 500 } });
    upstream = given ?? box!.bootstrap[0]!;
    direct = new Kafka({ brokers: [upstream] });
    topic = uniqueName('lies');
    await direct.admin().createTopics([{ name: topic, partitions: 1 }]);
    const producer = direct.producer({ lingerMs: 5 });
    for (let batch = 0; batch < 3; batch++) {
      const sends = Array.from({ length: BAD }, (_, at) =>
        producer.sendAsync(topic, { key: null, value: `value ${batch * BAD + at}` }),
      );
      await Promise.all(sends);
    }
    await producer.close();
    // Opens the connections that are its own for as long as it lives.
    await direct.admin().fetchOffsets(uniqueName('none'));
  });
  afterAll(async () => {
    if (box === undefined) {
      await Promise.allSettled([direct.admin().deleteTopics([topic]), direct.admin().deleteGroups(groups)]);
    }
    await direct.close();
    await box?.close();
  });

  it.each(lies)('$name', async ({ change, fields = CORRUPT, says, readable = 0 }) => {
    const before = new Before();
    const peak = new PeakMemory();
    const proxy = await TamperingProxy.start(upstream);
    proxy.tamper = changingBatches(BAD, change);
    const kafka = new Kafka({ brokers: [proxy.address], ...CLIENT });
    const groupId = uniqueName('lies');
    groups.push(groupId);
    const seen = { alone: [] as number[], group: [] as number[] };
    const alone = topology('alone', ({ fromPartitions }) =>
      fromPartitions({ topic, from: 'earliest' }).pipe(
        map(({ offset }) => seen.alone.push(offset)),
        settle(),
      ),
    );
    const times = given === undefined ? GROUP : { ...GROUP, sessionTimeoutMs: 6_000 };
    const grouped = topology('grouped', ({ fromGroup }) =>
      fromGroup({ groupId, topics: [topic], value: text(), ...times }).pipe(
        tap(({ offset }) => void seen.group.push(offset)),
      ),
    );
    const errors = await Promise.all(
      [alone, grouped].map((work) => failsWithin(LIMIT_MS, work.run(kafka, { signals: false }))),
    );
    for (const error of errors) expectClear(error, fields, says, new RegExp(topic));
    const read = Array.from({ length: BAD + readable }, (_, at) => at);
    expect(seen).toEqual({ alone: read, group: read });
    const committed = await direct.admin().fetchOffsets(groupId);
    expect(committed.map(({ partition, offset }) => [partition, offset])).toEqual([[0, BAD + readable]]);
    expect(peak.stop()).toBeLessThan(MEMORY_BYTES);
    await kafka.close();
    await proxy.close();
    await before.expectNothingLeft();
  });
});
