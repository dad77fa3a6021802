// Incremental fetches (KIP-227), as Kafka 4.3 answers them.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RequestOf, ResponseOf } from '../../../src/core/protocol/api.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import { batchOf, produceRequest, recordsIn } from './requests.ts';
import { simulated } from './simulated.ts';
import type { Simulated } from './simulated.ts';
import type { WireClient } from './wire-client.ts';

type Request = RequestOf<typeof fetchApi>;
type Wanted = readonly [partition: number, offset: number];

let sim: Simulated;
let client: WireClient;

beforeEach(async () => {
  sim = await simulated({ fetchSessionSlots: 2 });
  client = sim.connect();
});

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

function request(id: number, epoch: number, wanted: readonly Wanted[], rest: Partial<Request> = {}): Request {
  const partitions = wanted.map(([partition, fetchOffset]) => ({
    partition,
    fetchOffset,
    partitionMaxBytes: 2 ** 20,
  }));
  return {
    maxWaitMs: 0,
    minBytes: 1,
    sessionId: id,
    sessionEpoch: epoch,
    topics: wanted.length === 0 ? [] : [{ topic: 'lines', partitions }],
    ...rest,
  };
}

const fetched = (body: Request, version = 12): Promise<ResponseOf<typeof fetchApi>> =>
  sim.run(client.call(fetchApi, version, body));

const produce = (partition: number, value: string) =>
  sim.run(client.call(produceApi, 9, produceRequest(batchOf({ values: [value] }), { partition })));

/** The partitions an answer names. */
const named = (answer: ResponseOf<typeof fetchApi>): number[] =>
  answer.responses.flatMap(({ partitions }) => partitions.map(({ partitionIndex }) => partitionIndex));

async function open(wanted: readonly Wanted[]): Promise<number> {
  const { sessionId, errorCode } = await fetched(request(0, 0, wanted));
  expect(errorCode).toBe(ERRORS.NONE);
  return sessionId;
}

describe('a fetch session', () => {
  it('tells everything once, and then only what is new', async () => {
    await produce(1, 'first');
    const full = await fetched(
      request(0, 0, [
        [0, 0],
        [1, 0],
        [2, 0],
      ]),
    );
    expect(full.sessionId).toBeGreaterThan(0);
    expect(named(full)).toEqual([0, 1, 2]);
    const nothing = await fetched(request(full.sessionId, 1, [[1, 1]]));
    expect(named(nothing)).toEqual([]);
    expect(nothing.sessionId).toBe(full.sessionId);
    await produce(2, 'second');
    const news = await fetched(request(full.sessionId, 2, []));
    expect(named(news)).toEqual([2]);
    expect(recordsIn(news.responses[0]!.partitions[0]!.records)).toEqual([[0, 'second']]);
    // The client has not said that it is further: the records come again.
    expect(named(await fetched(request(full.sessionId, 3, [])))).toEqual([2]);
    expect(named(await fetched(request(full.sessionId, 4, [[2, 1]])))).toEqual([]);
  });

  it('waits over all its partitions', async () => {
    const id = await open([
      [0, 0],
      [1, 0],
      [2, 0],
    ]);
    const waiting = client.call(fetchApi, 12, request(id, 1, [], { maxWaitMs: 60_000 }));
    await sim.clock.advance(10);
    await sim.run(
      sim.connect().call(produceApi, 9, produceRequest(batchOf({ values: ['x'] }), { partition: 2 })),
    );
    expect(named(await sim.run(waiting))).toEqual([2]);
    expect(sim.clock.now()).toBe(10);
    const empty = fetched(request(id, 2, [[2, 1]], { maxWaitMs: 500 }));
    expect(named(await empty)).toEqual([]);
    expect(sim.clock.now()).toBe(510);
  });

  it('adds partitions, and forgets others', async () => {
    const id = await open([[0, 0]]);
    expect(named(await fetched(request(id, 1, [[1, 0]])))).toEqual([1]);
    const forgottenTopicsData = [{ topic: 'lines', partitions: [0] }];
    expect(named(await fetched(request(id, 2, [], { forgottenTopicsData })))).toEqual([]);
    await produce(0, 'unheard');
    await produce(1, 'heard');
    expect(named(await fetched(request(id, 3, [])))).toEqual([1]);
  });

  it('tells errors every time, and the partition again when it is well', async () => {
    const id = await open([
      [0, 0],
      [1, 0],
    ]);
    sim.box.fault({
      match: { api: 'Fetch', partition: 1 },
      do: fault.error('KAFKA_STORAGE_ERROR'),
      count: 2,
    });
    for (const epoch of [1, 2]) {
      const { responses } = await fetched(request(id, epoch, []));
      expect(responses[0]!.partitions).toHaveLength(1);
      expect(responses[0]!.partitions[0]).toMatchObject({
        partitionIndex: 1,
        errorCode: ERRORS.KAFKA_STORAGE_ERROR,
      });
    }
    expect(named(await fetched(request(id, 3, [])))).toEqual([1]);
    expect(named(await fetched(request(id, 4, [])))).toEqual([]);
  });

  it('reads a partition that gave records after the others next time', async () => {
    for (const partition of [0, 1]) await produce(partition, 'x'.repeat(1000));
    const id = await open([
      [0, 0],
      [1, 0],
    ]);
    const limited = { maxBytes: 500 };
    const first = await fetched(request(id, 1, [], limited));
    const second = await fetched(request(id, 2, [], limited));
    const whoGave = (answer: ResponseOf<typeof fetchApi>): number[] =>
      answer.responses.flatMap(({ partitions }) =>
        partitions.filter(({ records }) => records!.length > 0).map(({ partitionIndex }) => partitionIndex),
      );
    expect([...whoGave(first), ...whoGave(second)].sort()).toEqual([0, 1]);
  });

  it('refuses unknown sessions, wrong epochs, and names where ids are used', async () => {
    const id = await open([[0, 0]]);
    const refused = async (body: Request, version = 12) => {
      const { errorCode, sessionId, responses } = await fetched(body, version);
      expect([sessionId, responses]).toEqual([0, []]);
      return errorCode;
    };
    expect(await refused(request(id + 1, 1, []))).toBe(ERRORS.FETCH_SESSION_ID_NOT_FOUND);
    expect(await refused(request(0, 1, []))).toBe(ERRORS.FETCH_SESSION_ID_NOT_FOUND);
    expect(await refused(request(id, 2, []))).toBe(ERRORS.INVALID_FETCH_SESSION_EPOCH);
    expect(await refused(request(id, 1, []), 13)).toBe(ERRORS.FETCH_SESSION_TOPIC_ID_ERROR);
    expect((await fetched(request(id, 1, []))).errorCode).toBe(ERRORS.NONE);
    // The same epoch again: a request that was sent twice.
    expect(await refused(request(id, 1, []))).toBe(ERRORS.INVALID_FETCH_SESSION_EPOCH);
  });

  it('ends with epoch -1, and when its last partition is forgotten', async () => {
    const id = await open([[0, 0]]);
    const last = await fetched(request(id, -1, [[0, 0]]));
    expect([last.sessionId, named(last)]).toEqual([0, [0]]);
    expect((await fetched(request(id, 1, []))).errorCode).toBe(ERRORS.FETCH_SESSION_ID_NOT_FOUND);
    const other = await open([[0, 0]]);
    const forgottenTopicsData = [{ topic: 'lines', partitions: [0] }];
    expect((await fetched(request(other, 1, [], { forgottenTopicsData }))).sessionId).toBe(0);
    expect((await fetched(request(other, 2, []))).errorCode).toBe(ERRORS.FETCH_SESSION_ID_NOT_FOUND);
  });

  it('knows its topics by id from version 13 on', async () => {
    const topicId = sim.box.topicId('lines');
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }];
    const full = await fetched({ ...request(0, 0, []), topics: [{ topicId, partitions }] }, 17);
    await produce(0, 'x');
    const news = await fetched(request(full.sessionId, 1, []), 17);
    expect(news.responses[0]!.topicId).toBe(topicId);
    expect(named(news)).toEqual([0]);
    expect((await fetched(request(full.sessionId, 2, []), 12)).errorCode).toBe(
      ERRORS.FETCH_SESSION_TOPIC_ID_ERROR,
    );
  });
});

describe('the cache of sessions', () => {
  it('is bounded: who comes when it is full goes without', async () => {
    const ids = [await open([[0, 0]]), await open([[0, 0]])];
    expect(new Set(ids).size).toBe(2);
    expect(await open([[0, 0]])).toBe(0);
    // One that nobody has used for two minutes makes room.
    await sim.clock.advance(100_000);
    await fetched(request(ids[1]!, 1, []));
    await sim.clock.advance(60_000);
    expect(await open([[0, 0]])).toBeGreaterThan(0);
    expect((await fetched(request(ids[0]!, 1, []))).errorCode).toBe(ERRORS.FETCH_SESSION_ID_NOT_FOUND);
    expect((await fetched(request(ids[1]!, 2, []))).errorCode).toBe(ERRORS.NONE);
  });

  it('gives the place of a small old session to a larger one', async () => {
    const small = await open([[0, 0]]);
    const large = await open([
      [0, 0],
      [1, 0],
    ]);
    for (let minute = 1; minute <= 3; minute++) {
      await sim.clock.advance(60_000);
      await fetched(request(small, minute, []));
      await fetched(request(large, minute, []));
    }
    expect(await open([[0, 0]])).toBe(0);
    expect(
      await open([
        [0, 0],
        [1, 0],
        [2, 0],
      ]),
    ).toBeGreaterThan(0);
    expect((await fetched(request(small, 4, []))).errorCode).toBe(ERRORS.FETCH_SESSION_ID_NOT_FOUND);
    expect((await fetched(request(large, 4, []))).errorCode).toBe(ERRORS.NONE);
  });

  it('is empty after its node was restarted', async () => {
    const id = await open([[0, 0]]);
    await sim.run(sim.box.stop(0));
    await sim.run(sim.box.start(0));
    client = sim.connect();
    expect((await fetched(request(id, 1, []))).errorCode).toBe(ERRORS.FETCH_SESSION_ID_NOT_FOUND);
  });
});
