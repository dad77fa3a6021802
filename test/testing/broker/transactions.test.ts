// Transactions where time, leaders and coordinators do what they should not; what they answer otherwise is compared with Kafka's own answers
// (test/integration/parity-transactions.test.ts).
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { endTxnApi } from '../../../src/core/protocol/messages/26-end-txn.ts';
import { settingsOf } from '../../../src/testing/broker/options.ts';
import { ClusterState } from '../../../src/testing/broker/state/cluster-state.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';
import { add, addOffsets, commitOffsets, end, fetch, init, produce, state } from './parity/calls.ts';
import type { Producer } from './parity/calls.ts';
import type { Stage } from './parity/stage.ts';
import { fetchRequest, recordsIn } from './requests.ts';
import { staged } from './staged.ts';
import type { Staged } from './staged.ts';

const ID = 'payments';
const TIMEOUT_MS = 5000;

let sim: Staged;

beforeEach(async () => {
  sim = await staged();
});

afterEach(async () => {
  expect(sim.box.internalErrors).toEqual([]);
  await sim.box.close();
});

const begin = async (): Promise<Producer> => {
  const producer = await sim.run(init(sim.stage, ID, { timeoutMs: TIMEOUT_MS }));
  await sim.run(add(sim.stage, ID, producer, 'lines'));
  await sim.run(produce(sim.stage, 'lines', producer, { transactionalId: ID }));
  return producer;
};

/** Ends the transaction without waiting for its markers. */
const callEnd = (stage: Stage, { producerId, epoch: producerEpoch }: Producer): Promise<unknown> =>
  stage.call(endTxnApi, 4, { transactionalId: ID, producerId, producerEpoch, committed: true });

function bareCluster(): ClusterState {
  return new ClusterState({ clock: new VirtualClock(), random: seededRandom(1), settings: settingsOf({}) });
}

const readCommitted = async (offset = 0): Promise<[number, string | undefined][]> => {
  const request = { ...fetchRequest({ offset }), isolationLevel: 1 };
  const { responses } = await sim.run(sim.stage.call(fetchApi, 12, request));
  return recordsIn(responses[0]!.partitions[0]!.records);
};

describe('a transaction that takes too long', () => {
  it.each([1, 2])('is aborted and its producer fenced, with transaction.version %i', async (version) => {
    await sim.box.close();
    sim = await staged({ features: { 'transaction.version': version } });
    const producer = await begin();
    await sim.clock.advance(TIMEOUT_MS - 1);
    expect(sim.box.transaction(ID)).toMatchObject({ state: 'Ongoing', producerEpoch: 0 });
    await sim.clock.advance(1);
    expect(sim.box.transaction(ID)).toMatchObject({
      state: 'CompleteAbort',
      producerEpoch: 1,
      partitions: [],
    });
    expect(sim.box.partition('lines', 0)).toMatchObject({ lastStableOffset: 3, highWatermark: 3 });
    const answers = await sim.noted(async (stage) => {
      await end(stage, ID, producer, true);
      await produce(stage, 'lines', producer, { transactionalId: ID, sequence: 2 });
      await fetch(stage, 'lines', { committed: true });
    });
    expect(answers).toMatchObject([
      { errorCode: ERRORS.PRODUCER_FENCED },
      { errorCode: ERRORS.INVALID_PRODUCER_EPOCH },
      { abortedTransactions: [{ firstOffset: 0 }] },
    ]);
  });

  it('leaves no timer behind when it ends in time', async () => {
    const producer = await begin();
    await sim.run(end(sim.stage, ID, producer, true));
    expect(sim.clock.pendingTimers).toBe(0);
    await sim.clock.advance(10 * TIMEOUT_MS);
    expect(sim.box.transaction(ID)).toMatchObject({ state: 'CompleteCommit', producerEpoch: 0 });
  });
});

describe('markers that are held back', () => {
  const endUnsettled = (producer: Producer): Promise<unknown> => sim.run(callEnd(sim.stage, producer));

  it('keep the transaction prepared, its records unread and the next one waiting', async () => {
    const producer = await begin();
    const release = sim.box.stallTransactions(ID);
    expect(await endUnsettled(producer)).toMatchObject({ errorCode: 0 });
    expect(sim.box.transaction(ID)).toMatchObject({ state: 'PrepareCommit', partitions: ['lines-0'] });
    const answers = await sim.noted(async (stage) => {
      await add(stage, ID, producer, 'lines', { partitions: [1] });
      await init(stage, ID);
      await produce(stage, 'lines', producer, { transactionalId: ID, partition: 1 });
      await produce(stage, 'lines', producer, { transactionalId: ID, partition: 1, version: 12 });
      await state(stage, ID);
    });
    expect(answers).toMatchObject([
      [{ resultsByPartition: [{ partitionErrorCode: ERRORS.CONCURRENT_TRANSACTIONS }] }],
      { errorCode: ERRORS.CONCURRENT_TRANSACTIONS },
      { errorCode: ERRORS.NOT_ENOUGH_REPLICAS },
      { errorCode: ERRORS.CONCURRENT_TRANSACTIONS },
      { transactionState: 'PrepareCommit' },
    ]);
    expect(await endUnsettled(producer)).toMatchObject({ errorCode: ERRORS.CONCURRENT_TRANSACTIONS });
    expect(await readCommitted()).toEqual([]);
    release();
    release();
    expect(sim.box.transaction(ID)).toMatchObject({ state: 'CompleteCommit' });
    expect(await readCommitted()).toHaveLength(2);
  });

  it('let a waiting reader of committed records go on when they are written', async () => {
    const producer = await begin();
    const release = sim.box.stallTransactions();
    await endUnsettled(producer);
    const request = { ...fetchRequest({ maxWaitMs: 60_000 }), isolationLevel: 1 };
    const reader = sim.connect();
    const waiting = reader.call(fetchApi, 12, request);
    await sim.clock.advance(1000);
    expect(reader.waiting).toBe(1);
    release();
    const { responses } = await sim.run(waiting);
    expect(recordsIn(responses[0]!.partitions[0]!.records)).toHaveLength(2);
    expect(sim.clock.now()).toBe(1000);
  });

  it('hold back the group offsets too', async () => {
    const producer = await begin();
    await sim.run(addOffsets(sim.stage, ID, producer, 'group'));
    await sim.run(commitOffsets(sim.stage, ID, producer, 'group', { topic: 'lines', offset: 7 }));
    const release = sim.box.stallTransactions(ID);
    await endUnsettled(producer);
    expect(sim.box.committed('group', 'lines', 0)).toBeUndefined();
    release();
    expect(sim.box.committed('group', 'lines', 0)).toMatchObject({ offset: 7 });
  });

  it('wait for a partition that nobody leads, and forget one that is deleted', async () => {
    const producer = await begin();
    sim.box.createTopic('doomed', 1);
    await sim.run(add(sim.stage, ID, producer, 'doomed'));
    await sim.run(produce(sim.stage, 'doomed', producer, { transactionalId: ID }));
    sim.box.leaderless('lines', 0);
    sim.box.deleteTopic('doomed');
    await endUnsettled(producer);
    expect(sim.box.transaction(ID)).toMatchObject({ state: 'PrepareCommit', partitions: ['lines-0'] });
    sim.box.moveLeader('lines', 0, 0);
    expect(sim.box.transaction(ID)).toMatchObject({ state: 'CompleteCommit', partitions: [] });
    expect(await readCommitted()).toHaveLength(2);
  });
});

describe('epochs that are used up', () => {
  const LAST = 32_766;

  it('give the producer a new id when it begins again', () => {
    const { transactions } = bareCluster();
    let last = transactions.init(ID, TIMEOUT_MS, undefined);
    const first = last;
    while (last.epoch < LAST) last = transactions.init(ID, TIMEOUT_MS, undefined);
    expect(last.producerId).toBe(first.producerId);
    const next = transactions.init(ID, TIMEOUT_MS, last);
    expect(next).toMatchObject({ errorCode: 0, epoch: 0 });
    expect(next.producerId).not.toBe(first.producerId);
    // The answer was lost, and the client asks again as who it was.
    expect(transactions.init(ID, TIMEOUT_MS, last)).toEqual(next);
    const other = { producerId: first.producerId, epoch: 5 };
    expect(transactions.init(ID, TIMEOUT_MS, other).errorCode).toBe(ERRORS.PRODUCER_FENCED);
  });

  it('give the producer a new id with the end of a transaction', () => {
    const { transactions } = bareCluster();
    const first = transactions.init(ID, TIMEOUT_MS, undefined);
    let client = { transactionalId: ID, producerId: first.producerId, epoch: first.epoch };
    const endWith = (who: typeof client) => transactions.end(who, false, 2);
    while (client.epoch < LAST) client = { ...client, ...endWith(client) };
    expect(client.producerId).toBe(first.producerId);
    const next = endWith(client);
    expect(next).toMatchObject({ errorCode: 0, epoch: 0 });
    expect(next.producerId).not.toBe(first.producerId);
    expect(endWith(client)).toEqual(next);
    expect(transactions.get(ID)).toMatchObject({
      producerId: next.producerId,
      epoch: 0,
      state: 'CompleteAbort',
    });
  });
});

describe('a coordinator that moves', () => {
  it('sends clients on, and the next one goes on with what was open', async () => {
    await sim.box.close();
    sim = await staged({ brokers: 2 });
    const at = sim.box.coordinatorOf(ID);
    const [stage, other] = [sim.other(at), sim.other(1 - at)];
    const leader = sim.other(sim.box.leaderOf('lines', 0));
    const producer = await sim.run(init(stage, ID));
    await sim.run(add(stage, ID, producer, 'lines'));
    await sim.run(produce(leader, 'lines', producer, { transactionalId: ID }));
    sim.box.rehashCoordinators();
    expect(sim.box.coordinatorOf(ID)).toBe(1 - at);
    const errorCode = ERRORS.NOT_COORDINATOR;
    expect(await sim.run(callEnd(stage, producer))).toMatchObject({ errorCode });
    expect(await sim.run(callEnd(other, producer))).toMatchObject({ errorCode: 0 });
    const written = sim.box.partition('lines', 0);
    expect(written).toMatchObject({ lastStableOffset: 3 });
  });
});
