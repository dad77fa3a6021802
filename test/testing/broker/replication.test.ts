// What followers lack, and what is lost with a leader.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { add, end, endOfEpoch, fetch, init, offsets, produce } from './parity/calls.ts';
import type { Producer } from './parity/calls.ts';
import { batchOf, fetchRequest, produceRequest, recordsIn } from './requests.ts';
import { staged } from './staged.ts';
import type { Staged } from './staged.ts';

const ALL = -1;
const LATEST = -1;

let sim: Staged;
let producer: Producer;
let sequence = 0;

beforeEach(async () => {
  sim = await staged({ brokers: 2, topics: { lines: { partitions: 1, replicationFactor: 2 } } });
  producer = await sim.run(init(sim.stage, null));
  sequence = 0;
});

afterEach(async () => {
  expect(sim.box.internalErrors).toEqual([]);
  await sim.box.close();
});

/** Sends the next batch of the producer to the leader. */
const send = async (value: string, acks = 1): Promise<unknown> => {
  const leader = sim.connect(sim.box.leaderOf('lines', 0));
  const batch = batchOf({ values: [value], ...identity(), baseSequence: sequence });
  const { responses } = await sim.run(leader.call(produceApi, 9, produceRequest(batch, { acks })));
  leader.close();
  const answer = responses[0]!.partitionResponses[0]!;
  if (answer.errorCode === 0) sequence++;
  return answer;
};

const identity = (): { producerId: number; producerEpoch: number } => ({
  producerId: producer.producerId,
  producerEpoch: producer.epoch,
});

const values = async (): Promise<string[]> =>
  (await sim.box.records('lines', 0)).map(({ value }) => value!.toString());

describe('followers that fetch nothing', () => {
  it('keep the high watermark where it is, and readers with it', async () => {
    await send('a');
    const release = sim.box.holdReplication('lines', 0);
    await send('b');
    expect(sim.box.partition('lines', 0)).toMatchObject({
      highWatermark: 1,
      lastStableOffset: 1,
      logEndOffset: 2,
    });
    const stage = sim.other(sim.box.leaderOf('lines', 0));
    await sim.run(fetch(stage, 'lines'));
    await sim.run(offsets(stage, 'lines', [LATEST]));
    expect(stage.notes.map((note) => (note as [string, unknown])[1])).toMatchObject([
      { highWatermark: 1, bytes: batchOf({ values: ['a'] }).length },
      { offset: 1 },
      { offset: 1 },
    ]);
    release();
    expect(sim.box.partition('lines', 0)).toMatchObject({ highWatermark: 2, logEndOffset: 2 });
  });

  it('make acks=all wait, for as long as the producer says', async () => {
    const release = sim.box.holdReplication('lines', 0);
    const sent = send('a', ALL);
    await expect(sent).resolves.toMatchObject({ errorCode: ERRORS.REQUEST_TIMED_OUT, baseOffset: -1 });
    expect(sim.clock.now()).toBe(1000);
    const leader = sim.connect(sim.box.leaderOf('lines', 0));
    const again = leader.call(produceApi, 9, produceRequest(batchOf({ values: ['b'] }), { acks: ALL }));
    await sim.clock.advance(500);
    expect(leader.waiting).toBe(1);
    release();
    const { responses } = await sim.run(again);
    expect(responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 1 });
    expect(sim.clock.now()).toBe(1500);
    expect(sim.clock.pendingTimers).toBe(0);
  });

  it('wake readers when they go on', async () => {
    const release = sim.box.holdReplication('lines', 0);
    await send('a');
    const reader = sim.connect(sim.box.leaderOf('lines', 0));
    const waiting = reader.call(fetchApi, 12, fetchRequest({ maxWaitMs: 60_000 }));
    await sim.clock.advance(10);
    expect(reader.waiting).toBe(1);
    release();
    const { responses } = await sim.run(waiting);
    expect(recordsIn(responses[0]!.partitions[0]!.records)).toEqual([[0, 'a']]);
  });

  it('keep a transaction open whose marker they lack', async () => {
    const stage = sim.other(sim.box.leaderOf('lines', 0));
    const coordinator = sim.other(sim.box.coordinatorOf('tx'));
    const writer = await sim.run(init(coordinator, 'tx'));
    await sim.run(add(coordinator, 'tx', writer, 'lines'));
    await sim.run(produce(stage, 'lines', writer, { transactionalId: 'tx' }));
    const release = sim.box.holdReplication('lines', 0);
    await sim.run(end(coordinator, 'tx', writer, true));
    expect(sim.box.transaction('tx')).toMatchObject({ state: 'CompleteCommit' });
    expect(sim.box.partition('lines', 0)).toMatchObject({ highWatermark: 2, lastStableOffset: 0 });
    release();
    expect(sim.box.partition('lines', 0)).toMatchObject({ highWatermark: 3, lastStableOffset: 3 });
  });
});

describe('a leader that is lost', () => {
  it('takes with it what its followers had not fetched, and the epochs tell', async () => {
    const first = sim.box.leaderOf('lines', 0);
    await send('a');
    sim.box.holdReplication('lines', 0);
    await send('b');
    await send('c');
    await sim.box.crash(first);
    expect(sim.box.leaderOf('lines', 0)).toBe(1 - first);
    expect(await values()).toEqual(['a']);
    // The next leader never had 'b' and 'c': their sequence numbers come again.
    sequence = 1;
    expect(await send('B')).toMatchObject({ errorCode: 0, baseOffset: 1 });
    const stage = sim.other(1 - first);
    await sim.run(endOfEpoch(stage, 'lines', 0));
    await sim.run(endOfEpoch(stage, 'lines', 1));
    expect(stage.notes.map((note) => (note as [string, unknown])[1])).toMatchObject([
      [{ partitions: [{ leaderEpoch: 0, endOffset: 1 }] }],
      [{ partitions: [{ leaderEpoch: 1, endOffset: 2 }] }],
    ]);
    const behind = sim.connect(1 - first);
    const request = fetchRequest({ offset: 2, lastFetchedEpoch: 0 });
    const { responses } = await sim.run(behind.call(fetchApi, 12, request));
    expect(responses[0]!.partitions[0]!.divergingEpoch).toEqual({ epoch: 0, endOffset: 1 });
    await sim.box.start(first);
    expect(sim.box.partition('lines', 0)).toMatchObject({ highWatermark: 2, logEndOffset: 2 });
  });

  it('loses as many records as asked for, but none that acks=all promised', async () => {
    await send('a', ALL);
    await send('b');
    await send('c');
    await sim.box.crash(sim.box.leaderOf('lines', 0), { loseUnreplicated: 1 });
    expect(await values()).toEqual(['a', 'b']);
    await sim.box.start(0);
    await sim.box.start(1);
    await sim.box.crash(sim.box.leaderOf('lines', 0), { loseUnreplicated: 10 });
    expect(await values()).toEqual(['a']);
    await sim.box.start(0);
    await sim.box.start(1);
    await sim.box.crash(sim.box.leaderOf('lines', 0), { loseUnreplicated: 10, unclean: true });
    expect(await values()).toEqual([]);
    expect(sim.box.partition('lines', 0)).toMatchObject({ highWatermark: 0, logEndOffset: 0, bytes: 0 });
    sequence = 0;
    expect(await send('again')).toMatchObject({ errorCode: 0, baseOffset: 0 });
  });

  it('keeps what all have at last, although its producer did not wait for that', async () => {
    const release = sim.box.holdReplication('lines', 0);
    expect(await send('a', ALL)).toMatchObject({ errorCode: ERRORS.REQUEST_TIMED_OUT });
    release();
    expect(sim.box.partition('lines', 0)).toMatchObject({ highWatermark: 1 });
    await sim.box.crash(sim.box.leaderOf('lines', 0), { loseUnreplicated: 10 });
    expect(await values()).toEqual(['a']);
  });

  it('leaves the ends of transactions and what lies before them, which all have', async () => {
    const leader = sim.box.leaderOf('lines', 0);
    const stage = sim.other(leader);
    const coordinator = sim.other(sim.box.coordinatorOf('tx'));
    const writer = await sim.run(init(coordinator, 'tx'));
    await sim.run(add(coordinator, 'tx', writer, 'lines'));
    await sim.run(produce(stage, 'lines', writer, { transactionalId: 'tx' }));
    await sim.run(end(coordinator, 'tx', writer, true));
    await sim.box.crash(leader, { loseUnreplicated: 10 });
    expect(sim.box.partition('lines', 0)).toMatchObject({ logEndOffset: 3, lastStableOffset: 3 });
  });

  it('takes the ends of transactions with it when it is unclean, and they are open again', async () => {
    const leader = sim.box.leaderOf('lines', 0);
    const stage = sim.other(leader);
    const coordinator = sim.other(sim.box.coordinatorOf('tx'));
    const writer = await sim.run(init(coordinator, 'tx'));
    await sim.run(add(coordinator, 'tx', writer, 'lines'));
    await sim.run(produce(stage, 'lines', writer, { transactionalId: 'tx' }));
    await sim.run(end(coordinator, 'tx', writer, false));
    await sim.box.crash(leader, { loseUnreplicated: 1, unclean: true });
    expect(sim.box.partition('lines', 0)).toMatchObject({ highWatermark: 2, lastStableOffset: 0 });
    const next = sim.other(1 - leader);
    await sim.run(fetch(next, 'lines', { committed: true }));
    expect((next.notes[0] as [string, unknown])[1]).toMatchObject({ abortedTransactions: [], bytes: 0 });
  });

  it('does not write over what is on its way to a reader', async () => {
    await send('a');
    await send('b');
    const reader = sim.connect(sim.box.leaderOf('lines', 0));
    const { responses } = await sim.run(reader.call(fetchApi, 12, fetchRequest()));
    const seen = responses[0]!.partitions[0]!.records!;
    await sim.box.crash(sim.box.leaderOf('lines', 0), { loseUnreplicated: 1 });
    sequence = 1;
    await send('B');
    expect(recordsIn(seen)).toEqual([
      [0, 'a'],
      [1, 'b'],
    ]);
    expect(await values()).toEqual(['a', 'B']);
  });
});

describe('min.insync.replicas', () => {
  it('refuses acks=all where too few are in sync, and nothing else', async () => {
    sim.box.createTopic('safe', {
      partitions: 1,
      replicationFactor: 2,
      configs: { 'min.insync.replicas': '2' },
    });
    await sim.box.stop(1);
    const client = sim.connect(0);
    const to = async (acks: number): Promise<unknown> => {
      const request = produceRequest(batchOf({ values: ['a'] }), { topic: 'safe', acks });
      const { responses } = await sim.run(client.call(produceApi, 9, request));
      return responses[0]!.partitionResponses[0]!;
    };
    expect(await to(ALL)).toMatchObject({ errorCode: ERRORS.NOT_ENOUGH_REPLICAS, baseOffset: -1 });
    expect(await to(1)).toMatchObject({ errorCode: 0, baseOffset: 0 });
    await sim.box.start(1);
    expect(await to(ALL)).toMatchObject({ errorCode: 0, baseOffset: 1 });
  });

  it('says so when replicas are lost after the append', async () => {
    sim.box.createTopic('safe', {
      partitions: 1,
      replicationFactor: 2,
      configs: { 'min.insync.replicas': '2' },
    });
    const leader = sim.box.leaderOf('safe', 0);
    const client = sim.connect(leader);
    const release = sim.box.holdReplication('safe', 0);
    const request = produceRequest(batchOf({ values: ['a'] }), { topic: 'safe', acks: ALL });
    const sent = client.call(produceApi, 9, request);
    await sim.clock.advance(10);
    await sim.box.stop(1 - leader);
    release();
    const { responses } = await sim.run(sent);
    expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(ERRORS.NOT_ENOUGH_REPLICAS_AFTER_APPEND);
  });

  it('counts no replica that is out of sync, and no leader comes of it but where that is allowed', async () => {
    const configs = { 'min.insync.replicas': '2' };
    sim.box.createTopic('safe', { partitions: 1, replicationFactor: 2, configs });
    const leader = sim.box.leaderOf('safe', 0);
    const back = sim.box.putOutOfSync('safe', 0, 1 - leader);
    expect(() => sim.box.putOutOfSync('safe', 0, leader)).toThrow(/no follower/);
    const client = sim.connect(leader);
    const to = async (): Promise<number> => {
      const request = produceRequest(batchOf({ values: ['a'] }), { topic: 'safe', acks: ALL });
      const { responses } = await sim.run(client.call(produceApi, 9, request));
      return responses[0]!.partitionResponses[0]!.errorCode;
    };
    expect(await to()).toBe(ERRORS.NOT_ENOUGH_REPLICAS);
    back();
    expect(await to()).toBe(0);
    sim.box.putOutOfSync('safe', 0, 1 - leader);
    await sim.box.stop(leader);
    expect(sim.box.leaderOf('safe', 0)).toBe(-1);
    await sim.box.start(leader);
    expect(sim.box.leaderOf('safe', 0)).toBe(leader);
  });
});
