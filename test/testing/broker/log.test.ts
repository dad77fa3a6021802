// Produce, Fetch, ListOffsets and what else reads or changes a log, in simulated time.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { listOffsetsApi } from '../../../src/core/protocol/messages/02-list-offsets.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { deleteRecordsApi } from '../../../src/core/protocol/messages/21-delete-records.ts';
import { offsetForLeaderEpochApi } from '../../../src/core/protocol/messages/23-offset-for-leader-epoch.ts';
import { crc32c } from '../../../src/core/records/crc32c.ts';
import { batchOf, fetchRequest, produceRequest, recordsIn } from './requests.ts';
import type { BatchOptions, FetchAt, Place } from './requests.ts';
import { simulated } from './simulated.ts';
import type { Simulated } from './simulated.ts';
import type { WireClient } from './wire-client.ts';

let sim: Simulated;
let client: WireClient;

async function produce(batch: BatchOptions | Buffer, at: Place = {}) {
  const records = Buffer.isBuffer(batch) ? batch : batchOf(batch);
  const { responses } = await sim.run(client.call(produceApi, 11, produceRequest(records, at)));
  return responses[0]!.partitionResponses[0]!;
}

async function fetchFrom(at: FetchAt, by: WireClient = client, version = 12) {
  const { responses } = await by.call(fetchApi, version, fetchRequest(at));
  return responses[0]!.partitions[0]!;
}

async function listOffset(timestamp: number, version = 8) {
  const { topics } = await sim.run(
    client.call(listOffsetsApi, version, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: 'lines', partitions: [{ partitionIndex: 0, timestamp }] }],
    }),
  );
  const { errorCode, offset, timestamp: found, leaderEpoch } = topics[0]!.partitions[0]!;
  return { errorCode, offset, timestamp: found, leaderEpoch };
}

beforeEach(async () => {
  sim = await simulated();
  client = sim.connect();
});

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

describe('the log', () => {
  it('numbers records without gaps and returns them from any offset', async () => {
    for (let batch = 0; batch < 30; batch++) {
      const { baseOffset } = await produce({ values: [`${batch}a`, `${batch}b`, `${batch}c`] });
      expect(baseOffset).toBe(3 * batch);
    }
    const all = recordsIn((await sim.run(fetchFrom({}))).records);
    expect(all.map(([offset]) => offset)).toEqual(Array.from({ length: 90 }, (_, at) => at));
    const middle = recordsIn((await sim.run(fetchFrom({ offset: 44 }))).records);
    // The whole batch that holds the offset comes with it.
    expect(middle[0]).toEqual([42, '14a']);
    expect(middle.at(-1)).toEqual([89, '29c']);
    expect(sim.box.partition('lines', 0)).toMatchObject({
      highWatermark: 90,
      logStartOffset: 0,
      batches: 30,
    });
  });

  it('cuts off the last batch at the byte limit, as Kafka does, but never the first', async () => {
    for (let batch = 0; batch < 4; batch++) await produce({ values: ['x'.repeat(100)] });
    const size = batchOf({ values: ['x'.repeat(100)] }).length;
    const two = await sim.run(fetchFrom({ partitionMaxBytes: 2 * size + 10 }));
    expect(two.records).toHaveLength(2 * size + 10);
    expect(recordsIn(two.records)).toHaveLength(2);
    expect((await sim.run(fetchFrom({ maxBytes: size - 1 }))).records).toHaveLength(size);
  });

  it('shares the bytes of a response among the partitions', async () => {
    const size = batchOf({ values: ['y'.repeat(1000)] }).length;
    for (const partition of [0, 1, 2]) await produce({ values: ['y'.repeat(1000)] }, { partition });
    const wanted = [0, 1, 2].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 2 ** 20 }));
    const ask = { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 'lines', partitions: wanted }] };
    const lengths = async (maxBytes: number): Promise<number[]> => {
      const { responses } = await sim.run(client.call(fetchApi, 12, { ...ask, maxBytes }));
      return responses[0]!.partitions.map(({ records }) => records!.length);
    };
    expect(await lengths(10)).toEqual([size, 0, 0]);
    expect(await lengths(2 * size)).toEqual([size, size, 0]);
    expect(await lengths(2 ** 20)).toEqual([size, size, size]);
  });

  it('keeps what a client sent in one place even when the client writes over its buffer', async () => {
    const batch = batchOf({ values: ['before'] });
    await produce(batch);
    batch.fill(0);
    expect(recordsIn((await sim.run(fetchFrom({}))).records)).toEqual([[0, 'before']]);
  });

  it('holds large and many small batches alike', async () => {
    const large = 'z'.repeat(900_000);
    for (let round = 0; round < 3; round++) {
      await produce({ values: [large] });
      for (let small = 0; small < 200; small++) await produce({ values: [`${round}-${small}`] });
    }
    const found: string[] = [];
    for (let offset = 0; offset < 603;) {
      const records = recordsIn((await sim.run(fetchFrom({ offset }))).records);
      found.push(...records.map(([, value]) => value!));
      offset = records.at(-1)![0] + 1;
    }
    expect(found).toHaveLength(603);
    expect(found.filter((value) => value === large)).toHaveLength(3);
    expect(found.at(-1)).toBe('2-199');
  });

  it.each(['none', 'gzip'] as const)('finds offsets by time in batches of %s', async (codec) => {
    await produce({ values: ['a', 'b', 'c'], timestamp: 1000, codec });
    await produce({ values: ['d', 'e', 'f'], timestamp: 3000, codec });
    await produce({ values: ['g'], timestamp: 2000, codec });
    expect(await listOffset(0)).toMatchObject({ errorCode: 0, offset: 0, timestamp: 1000, leaderEpoch: 0 });
    expect(await listOffset(1001)).toMatchObject({ offset: 1, timestamp: 1001 });
    expect(await listOffset(1003)).toMatchObject({ offset: 3, timestamp: 3000 });
    expect(await listOffset(3003)).toEqual({ errorCode: 0, offset: -1, timestamp: -1, leaderEpoch: -1 });
    expect(await listOffset(-1)).toEqual({ errorCode: 0, offset: 7, timestamp: -1, leaderEpoch: 0 });
    expect(await listOffset(-2)).toEqual({ errorCode: 0, offset: 0, timestamp: -1, leaderEpoch: 0 });
    expect(await listOffset(-3)).toMatchObject({ offset: 5, timestamp: 3002 });
    expect(await listOffset(-1, 1)).toMatchObject({ offset: 7 });
  });

  it('drops records before an offset for good', async () => {
    for (let batch = 0; batch < 3; batch++) await produce({ values: ['a', 'b', 'c'] });
    const deleteBefore = async (offset: number) => {
      const { topics } = await sim.run(
        client.call(deleteRecordsApi, 2, {
          timeoutMs: 100,
          topics: [{ name: 'lines', partitions: [{ partitionIndex: 0, offset }] }],
        }),
      );
      return topics[0]!.partitions[0]!;
    };
    expect(await deleteBefore(4)).toMatchObject({ errorCode: 0, lowWatermark: 4 });
    expect((await sim.run(fetchFrom({ offset: 3 }))).errorCode).toBe(ERRORS.OFFSET_OUT_OF_RANGE);
    const rest = await sim.run(fetchFrom({ offset: 4 }));
    expect(rest.logStartOffset).toBe(4);
    expect(recordsIn(rest.records).at(-1)).toEqual([8, 'c']);
    expect((await sim.box.records('lines', 0)).map(({ offset }) => offset)).toEqual([4, 5, 6, 7, 8]);
    expect(await listOffset(-2)).toMatchObject({ offset: 4 });
    expect((await deleteBefore(10)).errorCode).toBe(ERRORS.OFFSET_OUT_OF_RANGE);
    expect(await deleteBefore(-1)).toMatchObject({ errorCode: 0, lowWatermark: 9 });
    expect((await produce({ values: ['next'] })).baseOffset).toBe(9);
  });

  it('keeps within retention.bytes and max.message.bytes of its topic', async () => {
    sim.box.createTopic('small', {
      partitions: 1,
      configs: { 'retention.bytes': '1000', 'max.message.bytes': '500' },
    });
    for (let batch = 0; batch < 50; batch++) await produce({ values: ['v'.repeat(100)] }, { topic: 'small' });
    const { bytes, logStartOffset, highWatermark } = sim.box.partition('small', 0);
    expect(bytes).toBeLessThanOrEqual(1000);
    expect([logStartOffset, highWatermark]).toEqual([45, 50]);
    expect((await produce({ values: ['v'.repeat(600)] }, { topic: 'small' })).errorCode).toBe(
      ERRORS.MESSAGE_TOO_LARGE,
    );
  });

  it('stamps its own time where the topic wants that', async () => {
    sim.box.createTopic('stamped', { configs: { 'message.timestamp.type': 'LogAppendTime' } });
    await sim.clock.advance(1234);
    const sent = await produce({ values: ['a', 'b'], timestamp: 5 }, { topic: 'stamped' });
    expect(sent.logAppendTimeMs).toBe(sim.clock.wallNow());
    const records = await sim.box.records('stamped', 0);
    expect(records.map(({ timestamp }) => timestamp)).toEqual([sim.clock.wallNow(), sim.clock.wallNow()]);
  });

  it('refuses timestamps from the future where the topic forbids them', async () => {
    sim.box.createTopic('punctual', { configs: { 'message.timestamp.after.max.ms': '1000' } });
    const now = sim.clock.wallNow();
    expect((await produce({ values: ['a'], timestamp: now + 1000 }, { topic: 'punctual' })).errorCode).toBe(
      0,
    );
    const late = await produce({ values: ['a'], timestamp: now + 1001 }, { topic: 'punctual' });
    expect(late.errorCode).toBe(ERRORS.INVALID_TIMESTAMP);
  });

  it('refuses batches that lie about their records', async () => {
    const lying = (change: (batch: Buffer) => void): Buffer => {
      const batch = batchOf({ values: ['a', 'b', 'c'] });
      change(batch);
      // A valid checksum over the lie.
      batch.writeUInt32BE(crc32c(batch, 21, batch.length), 17);
      return batch;
    };
    const codes: number[] = [];
    for (const change of [
      (batch: Buffer) => batch.writeInt32BE(4, 57),
      (batch: Buffer) => void (batch.writeInt32BE(4, 57), batch.writeInt32BE(3, 23)),
      (batch: Buffer) => void (batch.writeInt32BE(2, 57), batch.writeInt32BE(1, 23)),
      (batch: Buffer) => batch.writeInt32BE(-1, 57),
      (batch: Buffer) => batch.writeInt32BE(2 ** 31 - 1, 57),
      (batch: Buffer) => batch.writeInt32BE(-5, 23),
      (batch: Buffer) => (batch[61] = 0xff),
      (batch: Buffer) => batch.writeInt16BE(32, 21),
    ]) {
      codes.push((await produce(lying(change))).errorCode);
    }
    expect(codes).toEqual(codes.map(() => ERRORS.INVALID_RECORD));
    const wrongLength = batchOf({ values: ['a'] });
    wrongLength.writeInt32BE(1_000_000, 8);
    expect((await produce(wrongLength)).errorCode).toBe(ERRORS.CORRUPT_MESSAGE);
    expect(sim.box.partition('lines', 0).highWatermark).toBe(0);
  });
});

describe('a fetch that waits', () => {
  it('answers as soon as there is something, and not before', async () => {
    const waiting = fetchFrom({ maxWaitMs: 10_000 });
    await sim.clock.advance(3000);
    expect(client.waiting).toBe(1);
    const producer = sim.connect();
    await sim.run(producer.call(produceApi, 9, produceRequest(batchOf({ values: ['news'] }))));
    expect(recordsIn((await sim.run(waiting)).records)).toEqual([[0, 'news']]);
    expect(sim.clock.now()).toBe(3000);
  });

  it('gives up empty-handed after its time', async () => {
    const { records, errorCode, highWatermark } = await sim.run(fetchFrom({ maxWaitMs: 500 }));
    expect([records!.length, errorCode, highWatermark, sim.clock.now()]).toEqual([0, 0, 0, 500]);
  });

  it('waits for as many bytes as it was asked to', async () => {
    const producer = sim.connect();
    const size = batchOf({ values: ['12345'] }).length;
    const waiting = fetchFrom({ maxWaitMs: 10_000, minBytes: 3 * size });
    for (let batch = 0; batch < 3; batch++) {
      await sim.clock.advance(100);
      expect(client.waiting).toBe(1);
      await sim.run(producer.call(produceApi, 9, produceRequest(batchOf({ values: ['12345'] }))));
    }
    expect(recordsIn((await sim.run(waiting)).records)).toHaveLength(3);
    expect(sim.clock.now()).toBe(300);
  });

  it('holds up what follows on its connection, and nothing else', async () => {
    const waiting = fetchFrom({ maxWaitMs: 1000 });
    const behind = client.call(listOffsetsApi, 1, { replicaId: -1, isolationLevel: 0, topics: [] });
    let isAnswered = false;
    void behind.then(() => (isAnswered = true));
    await sim.run(sim.connect().call(listOffsetsApi, 1, { replicaId: -1, isolationLevel: 0, topics: [] }));
    await sim.clock.advance(999);
    expect(isAnswered).toBe(false);
    await sim.run(waiting);
    await sim.run(behind);
    expect(sim.clock.now()).toBe(1000);
  });

  it('ends at once when the leader moves, the topic goes, or the client leaves', async () => {
    sim.box.createTopic('doomed', 1);
    const others = [sim.connect(), sim.connect(), sim.connect()];
    const moved = fetchFrom({ maxWaitMs: 60_000 }, others[0]);
    const deleted = fetchFrom({ topic: 'doomed', maxWaitMs: 60_000 }, others[1]);
    const left = fetchFrom({ maxWaitMs: 60_000 }, others[2]);
    left.catch(() => {});
    await sim.clock.advance(10);
    sim.box.leaderless('lines', 0);
    sim.box.deleteTopic('doomed');
    others[2]!.close();
    expect((await sim.run(moved)).errorCode).toBe(ERRORS.NOT_LEADER_OR_FOLLOWER);
    expect((await sim.run(deleted)).errorCode).toBe(ERRORS.UNKNOWN_TOPIC_OR_PARTITION);
    expect(sim.clock.now()).toBe(10);
    await sim.clock.settle();
    expect(sim.clock.pendingTimers).toBe(0);
  });
});

describe('leader epochs', () => {
  beforeEach(async () => {
    await sim.box.close();
    sim = await simulated({ brokers: 2 });
    client = sim.connect();
    await produce({ values: ['old', 'old'] });
    sim.box.moveLeader('lines', 0, 1);
    sim.box.moveLeader('lines', 0, 0);
    await produce({ values: ['new'] });
  });

  it('stand in the batches and in the answers', async () => {
    expect((await sim.box.records('lines', 0)).map(({ leaderEpoch }) => leaderEpoch)).toEqual([0, 0, 2]);
    expect(await listOffset(-1)).toMatchObject({ offset: 3, leaderEpoch: 2 });
  });

  it('fence clients that are behind or ahead', async () => {
    expect((await sim.run(fetchFrom({ leaderEpoch: 1 }))).errorCode).toBe(ERRORS.FENCED_LEADER_EPOCH);
    expect((await sim.run(fetchFrom({ leaderEpoch: 3 }))).errorCode).toBe(ERRORS.UNKNOWN_LEADER_EPOCH);
    expect((await sim.run(fetchFrom({ leaderEpoch: 2 }))).errorCode).toBe(ERRORS.NONE);
  });

  it('tell where an epoch ended, also one that wrote nothing', async () => {
    const endOf = async (leaderEpoch: number) => {
      const { topics } = await sim.run(
        client.call(offsetForLeaderEpochApi, 3, {
          topics: [{ topic: 'lines', partitions: [{ partition: 0, leaderEpoch }] }],
        }),
      );
      const found = topics[0]!.partitions[0]!;
      return [found.leaderEpoch, found.endOffset];
    };
    expect(await endOf(0)).toEqual([0, 2]);
    expect(await endOf(1)).toEqual([0, 2]);
    expect(await endOf(2)).toEqual([2, 3]);
    expect(await endOf(3)).toEqual([-1, -1]);
  });

  it('show a client that its records are not in this log', async () => {
    const behind = await sim.run(fetchFrom({ offset: 3, lastFetchedEpoch: 0 }));
    expect(behind.divergingEpoch).toEqual({ epoch: 0, endOffset: 2 });
    const fine = await sim.run(fetchFrom({ offset: 2, lastFetchedEpoch: 0 }));
    expect(fine.divergingEpoch.epoch).toBe(-1);
    expect(recordsIn(fine.records)).toEqual([[2, 'new']]);
  });

  it('send clients to the new leader in the answer itself', async () => {
    sim.box.moveLeader('lines', 0, 1);
    const refused = await produce({ values: ['x'] });
    expect(refused).toMatchObject({
      errorCode: ERRORS.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 1, leaderEpoch: 3 },
    });
    const topicId = sim.box.topicId('lines');
    // A client that names no epoch is served here as by any follower.
    const { responses, nodeEndpoints } = await sim.run(
      client.call(fetchApi, 17, fetchRequest({ topicId, leaderEpoch: 2 })),
    );
    expect(responses[0]!.partitions[0]!.currentLeader).toEqual({ leaderId: 1, leaderEpoch: 3 });
    expect(nodeEndpoints).toEqual([{ nodeId: 1, host: 'broker-1', port: 9092, rack: null }]);
  });
});
