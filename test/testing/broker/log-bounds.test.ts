// What a log forgets: memory at its bound, producers that are old, records that compaction takes.
import { afterEach, describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { readBatchHeader } from '../../../src/testing/broker/log/batch-header.ts';
import { PartitionLog } from '../../../src/testing/broker/log/partition-log.ts';
import { settingsOf } from '../../../src/testing/broker/options.ts';
import { ClusterState } from '../../../src/testing/broker/state/cluster-state.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { BatchBuilder } from '../../../src/core/records/batch-builder.ts';
import { BatchCursor } from '../../../src/core/records/batch-cursor.ts';
import { parseBatches } from '../../../src/core/records/record-batch.ts';
import type { CodecName } from '../../../src/core/compression/codec.ts';
import { codecId, prepareCodec } from '../../../src/core/compression/registry.ts';
import { add, deleteBefore, end, init, produce, producers, transactional } from './parity/calls.ts';
import { batchOf, fetchRequest, produceRequest } from './requests.ts';
import { staged } from './staged.ts';
import type { Staged } from './staged.ts';

const MIB = 1024 * 1024;

let sim: Staged;

afterEach(async () => {
  expect(sim.box.internalErrors).toEqual([]);
  await sim.box.close();
});

const send = async (records: Buffer, topic = 'lines') => {
  const { responses } = await sim.run(sim.stage.call(produceApi, 9, produceRequest(records, { topic })));
  return responses[0]!.partitionResponses[0]!;
};

describe('the memory of all logs', () => {
  const filled = 'v'.repeat(100_000);

  it('has a bound at which producers are told why they are refused, and goes on when there is room', async () => {
    sim = await staged({ maxLogBytes: 4 * MIB });
    let answer = await send(batchOf({ values: [filled] }));
    let sent = 0;
    for (; answer.errorCode === 0 && sent < 100; sent++) answer = await send(batchOf({ values: [filled] }));
    expect(answer.errorCode).toBe(ERRORS.POLICY_VIOLATION);
    expect(answer.errorMessage).toMatch(/bound \(maxLogBytes\).*whenLogsFull/);
    expect(sent).toBeGreaterThan(25);
    expect(sent).toBeLessThan(42);
    await sim.run(deleteBefore(sim.stage, 'lines', -1));
    expect((await send(batchOf({ values: [filled] }))).errorCode).toBe(0);
  });

  it('is given back by topics that are deleted', async () => {
    sim = await staged({ maxLogBytes: 4 * MIB });
    for (let topic = 0; topic < 10; topic++) {
      sim.box.createTopic(`topic-${topic}`, 1);
      for (let batch = 0; batch < 20; batch++) {
        expect((await send(batchOf({ values: [filled] }), `topic-${topic}`)).errorCode).toBe(0);
      }
      sim.box.deleteTopic(`topic-${topic}`);
    }
  });

  it('loses the oldest records of the largest log where that is wanted', async () => {
    sim = await staged({
      maxLogBytes: 4 * MIB,
      whenLogsFull: 'deleteOldest',
      topics: { lines: 1, small: 1 },
    });
    await send(batchOf({ values: ['kept'] }), 'small');
    for (let batch = 0; batch < 200; batch++) {
      expect((await send(batchOf({ values: [filled] }))).errorCode).toBe(0);
    }
    const { bytes, logStartOffset, logEndOffset } = sim.box.partition('lines', 0);
    expect(logEndOffset).toBe(200);
    expect(logStartOffset).toBeGreaterThan(150);
    expect(bytes).toBeGreaterThan(MIB);
    expect(sim.box.partition('small', 0)).toMatchObject({ logStartOffset: 0, logEndOffset: 1 });
  });

  it('is bounded per topic by retention.bytes, whatever was written', async () => {
    sim = await staged({
      maxLogBytes: 4 * MIB,
      topics: { lines: { partitions: 1, configs: { 'retention.bytes': '500000' } } },
    });
    for (let batch = 0; batch < 500; batch++) {
      expect((await send(batchOf({ values: [filled] }))).errorCode).toBe(0);
    }
    expect(sim.box.partition('lines', 0)).toMatchObject({ logStartOffset: 496, logEndOffset: 500 });
  });
});

describe('records that are too old', () => {
  it('go in whole batches, as often as Kafka looks, and only where a time was set', async () => {
    const configs = { 'retention.ms': '600000' };
    sim = await staged({ topics: { lines: { partitions: 1, configs }, kept: 1 } });
    const start = sim.clock.wallNow();
    for (const topic of ['lines', 'kept']) {
      await send(batchOf({ values: ['a', 'b'], timestamp: start }), topic);
      await send(batchOf({ values: ['c'], timestamp: start + 200_000 }), topic);
    }
    const startOf = async (topic: string): Promise<number> => {
      const { responses } = await sim.run(sim.stage.call(fetchApi, 12, fetchRequest({ topic, offset: 3 })));
      return responses[0]!.partitions[0]!.logStartOffset;
    };
    await sim.clock.advance(600_000);
    expect(await startOf('lines')).toBe(0);
    await sim.clock.advance(300_000);
    expect([await startOf('lines'), await startOf('kept')]).toEqual([3, 0]);
    await sim.clock.advance(86_400_000);
    expect([await startOf('lines'), await startOf('kept')]).toEqual([3, 0]);
    expect(await send(batchOf({ values: ['d'], timestamp: sim.clock.wallNow() }))).toMatchObject({
      baseOffset: 3,
    });
  });
});

describe('a log and its transactions as plain data', () => {
  it('are the same again in another box', async () => {
    sim = await staged({ topics: { lines: 1 } });
    const make = (): ClusterState =>
      new ClusterState({ clock: sim.clock, random: seededRandom(1), settings: settingsOf({}) });
    const [first, second] = [make(), make()];

    const log = new PartitionLog();
    const append = (batch: Buffer) =>
      log.append(batch, readBatchHeader(batch), { leaderEpoch: 3, retentionBytes: Infinity });
    log.epochs.begin(3, 0);
    append(batchOf({ values: ['a', 'b'] }));
    append(transactional(batchOf({ values: ['c'], producerId: 7, producerEpoch: 0, baseSequence: 0 })));
    append(transactional(batchOf({ values: ['d'], producerId: 8, producerEpoch: 0, baseSequence: 0 })));
    log.appendMarker(
      { producerId: 7, producerEpoch: 1, isAbort: true, coordinatorEpoch: 0, timestamp: 5 },
      3,
    );
    log.deleteBefore(1);
    const snapshot = structuredClone(log.snapshot());
    const again = new PartitionLog();
    again.restore({
      ...snapshot,
      batches: snapshot.batches.map((batch) => ({ ...batch, bytes: Buffer.from(batch.bytes) })),
    });
    expect(again.snapshot()).toEqual(log.snapshot());
    expect(again.read(1, MIB, true)).toEqual(log.read(1, MIB, true));
    expect([again.highWatermark, again.lastStableOffset]).toEqual([5, 3]);
    expect(again.abortedTransactions(1, MIB)).toMatchObject([{ producerId: 7, firstOffset: 2 }]);
    expect(again.producers.isOpen(8, 0)).toBe(true);

    const client = { transactionalId: 'tx', ...first.transactions.init('tx', 1000, undefined) };
    first.transactions.add(client, [{ topic: 'lines', partition: 0 }], 2);
    second.transactions.restore(structuredClone(first.transactions.snapshot()));
    first.transactions.close();
    expect(second.transactions.snapshot()).toEqual(first.transactions.snapshot());
    await sim.clock.advance(1000);
    expect(second.transactions.get('tx')).toMatchObject({ state: 'CompleteAbort' });
    expect(first.transactions.get('tx')).toMatchObject({ state: 'Ongoing' });
  });
});

describe('producers', () => {
  it('are forgotten a day after their last record, unless a transaction is open', async () => {
    sim = await staged();
    const { stage } = sim;
    const idle = await sim.run(init(stage, null));
    const busy = await sim.run(init(stage, 'tx', { timeoutMs: 900_000 }));
    await sim.run(produce(stage, 'lines', idle, { sequence: 0 }));
    const [known] = await sim.noted((on) => producers(on, 'lines'));
    expect(known).toMatchObject({ known: [{ lastSequence: 1 }] });
    await sim.clock.advance(86_400_000 - 600_000);
    expect(await sim.noted((on) => produce(on, 'lines', idle, { sequence: 5 }))).toMatchObject([
      { errorCode: ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER },
    ]);
    await sim.run(add(stage, 'tx', busy, 'lines'));
    await sim.run(produce(stage, 'lines', busy, { transactionalId: 'tx' }));
    await sim.clock.advance(1_200_000);
    const [later] = await sim.noted((on) => producers(on, 'lines'));
    expect(later).toMatchObject({ known: [{ producerEpoch: 1 }] });
    // As if it had never been: any sequence number may come first.
    expect(await sim.noted((on) => produce(on, 'lines', idle, { sequence: 5 }))).toMatchObject([
      { errorCode: 0 },
    ]);
  });
});

describe('compaction', () => {
  const keyed = (
    records: readonly (readonly [string | null, string | null])[],
    codec: CodecName = 'none',
  ) => {
    const builder = new BatchBuilder(MIB);
    records.forEach(([key, value], at) => {
      builder.tryAppend(key, value, undefined, 1_704_067_200_000 + at);
    });
    return builder.seal({ codec, producerId: -1, producerEpoch: -1, baseSequence: -1 });
  };
  const compacted = {
    partitions: 1,
    configs: { 'cleanup.policy': 'compact', 'delete.retention.ms': '1000' },
  };

  /** Offset, key and value of all records, as a reader gets them over the wire. */
  const read = async (): Promise<unknown[]> => {
    const { responses } = await sim.run(sim.stage.call(fetchApi, 12, fetchRequest({ topic: 'table' })));
    const found: unknown[] = [];
    const origin = { topic: 'table', partition: 0 };
    for (const batch of parseBatches(responses[0]!.partitions[0]!.records!, origin)) {
      await prepareCodec(batch.codecId);
      const cursor = new BatchCursor(batch, 'table', 0);
      for (let record = cursor.next(); record !== undefined; record = cursor.next()) {
        found.push([record.offset, record.key?.toString(), record.value?.toString() ?? null]);
      }
    }
    return found;
  };

  it.each(['none', 'gzip', 'zstd'] as const)(
    'keeps the last record of each key at its offset, with %s',
    async (codec) => {
      await prepareCodec(codecId(codec));
      sim = await staged({ topics: { table: compacted } });
      await send(
        keyed(
          [
            ['a', '1'],
            ['b', '1'],
            ['a', '2'],
          ],
          codec,
        ),
        'table',
      );
      await send(
        keyed(
          [
            ['c', '1'],
            ['b', '2'],
          ],
          codec,
        ),
        'table',
      );
      await send(keyed([['a', '3']], codec), 'table');
      await sim.run(sim.box.compact('table'));
      expect(await read()).toEqual([
        [3, 'c', '1'],
        [4, 'b', '2'],
        [5, 'a', '3'],
      ]);
      await send(
        keyed(
          [
            ['b', '3'],
            ['d', '1'],
          ],
          codec,
        ),
        'table',
      );
      await sim.run(sim.box.compact('table'));
      expect(await read()).toEqual([
        [3, 'c', '1'],
        [5, 'a', '3'],
        [6, 'b', '3'],
        [7, 'd', '1'],
      ]);
      expect(sim.box.partition('table', 0)).toMatchObject({
        logStartOffset: 0,
        highWatermark: 8,
        batches: 3,
      });
      expect(await sim.box.records('table', 0)).toHaveLength(4);
    },
  );

  it('keeps tombstones for delete.retention.ms', async () => {
    sim = await staged({ topics: { table: compacted } });
    await send(
      keyed([
        ['a', '1'],
        ['b', '1'],
      ]),
      'table',
    );
    await send(keyed([['a', null]]), 'table');
    await sim.run(sim.box.compact('table'));
    await sim.clock.advance(999);
    await sim.run(sim.box.compact('table'));
    expect(await read()).toEqual([
      [1, 'b', '1'],
      [2, 'a', null],
    ]);
    await sim.clock.advance(1);
    await sim.run(sim.box.compact('table'));
    expect(await read()).toEqual([[1, 'b', '1']]);
    expect(await send(keyed([['c', '1']]), 'table')).toMatchObject({ baseOffset: 3 });
  });

  it('drops what was aborted, keeps markers while their records are there, and leaves open transactions alone', async () => {
    sim = await staged({ topics: { table: compacted } });
    const { stage } = sim;
    const write = async (transactionalId: string, key: string, commit?: boolean): Promise<void> => {
      const producer = await sim.run(init(stage, transactionalId));
      await sim.run(add(stage, transactionalId, producer, 'table'));
      const builder = new BatchBuilder(MIB);
      builder.tryAppend(key, transactionalId, undefined, 1_704_067_200_000);
      const { producerId, epoch: producerEpoch } = producer;
      const batch = transactional(
        builder.seal({ codec: 'none', producerId, producerEpoch, baseSequence: 0 }),
      );
      const request = { ...produceRequest(batch, { topic: 'table' }), transactionalId };
      const { responses } = await sim.run(stage.call(produceApi, 9, request));
      expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(0);
      if (commit !== undefined) await sim.run(end(stage, transactionalId, producer, commit));
    };
    await write('committed', 'a', true);
    await write('aborted', 'a', false);
    await send(keyed([['b', '1']]), 'table');
    await write('open', 'b');
    await sim.run(sim.box.compact('table'));
    expect(await read()).toEqual([
      [0, 'a', 'committed'],
      [4, 'b', '1'],
      [5, 'b', 'open'],
    ]);
    expect(sim.box.partition('table', 0)).toMatchObject({ batches: 5, lastStableOffset: 5 });
    await sim.clock.advance(1000);
    await sim.run(sim.box.compact('table'));
    // The abort marker had nothing left to end.
    expect(sim.box.partition('table', 0)).toMatchObject({ batches: 4, lastStableOffset: 5 });
  });

  it('is for compacted topics, which take no records without a key', async () => {
    sim = await staged({ topics: { table: compacted, lines: 1 } });
    await expect(sim.box.compact('lines')).rejects.toThrow(/cleanup.policy/);
    const answer = await send(
      keyed([
        ['a', '1'],
        [null, '2'],
        [null, '3'],
      ]),
      'table',
    );
    expect(answer.errorCode).toBe(ERRORS.INVALID_RECORD);
    expect(answer.recordErrors).toEqual(
      [1, 2].map((batchIndex) => ({
        batchIndex,
        batchIndexErrorMessage:
          'Compacted topic cannot accept message without key in topic partition table-0.',
      })),
    );
    expect((await send(keyed([[null, '2']], 'gzip'), 'table')).errorCode).toBe(ERRORS.INVALID_RECORD);
    expect((await send(keyed([['a', '2']], 'gzip'), 'table')).errorCode).toBe(0);
  });
});
