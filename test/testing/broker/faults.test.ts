import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { metadataApi } from '../../../src/core/protocol/messages/03-metadata.ts';
import { offsetFetchApi } from '../../../src/core/protocol/messages/09-offset-fetch.ts';
import { findCoordinatorApi } from '../../../src/core/protocol/messages/10-find-coordinator.ts';
import { apiVersionsApi } from '../../../src/core/protocol/messages/18-api-versions.ts';
import { createTopicsApi } from '../../../src/core/protocol/messages/19-create-topics.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import type { FaultAction } from '../../../src/testing/broker/faults/fault.ts';
import type { ObservedRequest } from '../../../src/testing/broker/faults/fault-rule.ts';
import { TestMember } from './group-member.ts';
import { batchOf, fetchRequest, produceRequest } from './requests.ts';
import type { Place } from './requests.ts';
import { simulated } from './simulated.ts';
import type { Simulated } from './simulated.ts';
import type { WireClient } from './wire-client.ts';

let sim: Simulated;
let client: WireClient;

const send = (at: Place = {}, by = client) =>
  by
    .call(produceApi, 9, produceRequest(batchOf({ values: ['x'] }), at))
    .then(({ responses, throttleTimeMs }) => ({ ...responses[0]!.partitionResponses[0]!, throttleTimeMs }));
const produce = (at: Place = {}, by = client) => sim.run(send(at, by));
const written = (partition = 0, topic = 'lines') => sim.box.partition(topic, partition).highWatermark;
const onProduce = (act: FaultAction, count?: number) =>
  sim.box.fault({ match: { api: 'Produce' }, do: act, ...(count !== undefined && { count }) });

beforeEach(async () => {
  sim = await simulated({ brokers: 2 });
  client = sim.connect(0, 'a-client');
  for (const partition of [0, 1, 2]) sim.box.moveLeader('lines', partition, 0);
});

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

describe('a request that a fault delays', () => {
  it('is served although its client is gone, but not when its node has stopped', async () => {
    for (const [stops, records] of [
      [false, 1],
      [true, 0],
    ] as const) {
      const own = await simulated({ brokers: 1 });
      own.box.fault({ match: { api: 'Produce' }, do: fault.delay(1000) });
      const client = own.connect();
      const asked = own.run(client.call(produceApi, 9, produceRequest(batchOf({ values: ['late'] }))), 500);
      await expect(asked).rejects.toThrow();
      client.close();
      if (stops) {
        await own.box.stop(0);
        await own.box.start(0);
      }
      await own.clock.advance(2000);
      expect(await own.box.records('lines', 0)).toHaveLength(records);
      await own.box.close();
    }
  });
});

describe('what a fault rule does', () => {
  it('error: answers with the error instead of doing the work', async () => {
    onProduce(fault.error('NOT_ENOUGH_REPLICAS'));
    expect((await produce()).errorCode).toBe(ERRORS.NOT_ENOUGH_REPLICAS);
    expect(written()).toBe(0);
    expect((await produce()).errorCode).toBe(ERRORS.NONE);
  });

  it('applyThenError: does the work and says that it failed', async () => {
    onProduce(fault.applyThenError('REQUEST_TIMED_OUT'));
    expect((await produce()).errorCode).toBe(ERRORS.REQUEST_TIMED_OUT);
    expect(written()).toBe(1);
  });

  it('applyThenDropResponse: does the work and says nothing', async () => {
    onProduce(fault.applyThenDropResponse);
    const lost = send();
    lost.catch(() => {});
    expect((await produce()).baseOffset).toBe(1);
    expect([written(), client.waiting]).toEqual([2, 1]);
  });

  it('dropRequest: does nothing and says nothing', async () => {
    onProduce(fault.dropRequest);
    send().catch(() => {});
    expect((await produce()).baseOffset).toBe(0);
    expect([written(), client.waiting]).toEqual([1, 1]);
  });

  it('answerOnly: sends a piece of the answer and closes', async () => {
    onProduce(fault.answerOnly(7));
    const bytes: Buffer[] = [];
    client.tap((chunk) => bytes.push(chunk));
    await expect(produce()).rejects.toThrow('closed');
    expect(Buffer.concat(bytes)).toHaveLength(7);
    expect(written()).toBe(1);
  });

  it('delay: does the work later, and what follows on the connection after it', async () => {
    onProduce(fault.delay(5000));
    const slow = send();
    const behind = send();
    await sim.clock.advance(4999);
    expect(written()).toBe(0);
    expect((await sim.run(slow)).baseOffset).toBe(0);
    expect((await sim.run(behind)).baseOffset).toBe(1);
    expect(sim.clock.now()).toBe(5000);
  });

  it('delay: does the work even when the client has gone meanwhile', async () => {
    onProduce(fault.delay(5000));
    send().catch(() => {});
    await sim.clock.advance(1000);
    client.close();
    await sim.clock.advance(5000);
    expect(written()).toBe(1);
  });

  it('throttle: answers at once with the time, and reads nothing more until it has passed', async () => {
    onProduce(fault.throttle(2000));
    const throttled = await produce();
    expect([throttled.errorCode, throttled.throttleTimeMs, sim.clock.now()]).toEqual([0, 2000, 0]);
    await produce();
    expect(sim.clock.now()).toBe(2000);
  });

  it.each([
    ['close', fault.close, undefined],
    ['rst', fault.rst, 'read ECONNRESET'],
  ] as const)('%s: ends the connection without doing the work', async (_what, act, cause) => {
    onProduce(act);
    await expect(produce()).rejects.toThrow();
    expect((await sim.run(client.closed))?.message).toBe(cause);
    expect(written()).toBe(0);
    await sim.clock.settle();
    expect(sim.box.connections()).toBe(0);
  });

  it('halfOpen: the connection is silent for ever', async () => {
    onProduce(fault.halfOpen);
    send().catch(() => {});
    send().catch(() => {});
    await sim.clock.advance(600_000);
    expect([written(), client.waiting, client.isClosed]).toEqual([0, 2, false]);
    expect((await produce({}, sim.connect())).baseOffset).toBe(0);
  });

  it('nothing: only watches', async () => {
    const seen: ObservedRequest[] = [];
    const watching = sim.box.fault({ match: { api: 'Produce' }, observe: (request) => seen.push(request) });
    onProduce(fault.error('NOT_ENOUGH_REPLICAS'));
    await produce();
    await produce();
    expect(watching.hits).toBe(2);
    expect(seen[0]).toMatchObject({ api: 'Produce', version: 9, node: 0, clientId: 'a-client', atMs: 0 });
    expect(seen[0]!.body).toMatchObject({ acks: -1, topicData: [{ name: 'lines' }] });
    watching.remove();
    await produce();
    expect(watching.hits).toBe(2);
  });
});

describe('what a fault rule is about', () => {
  it('a partition: the others in the same request are served', async () => {
    sim.box.fault({ match: { topic: 'lines', partition: 1 }, do: fault.error('KAFKA_STORAGE_ERROR') });
    const records = batchOf({ values: ['x'] });
    const partitionData = [0, 1, 2].map((index) => ({ index, records }));
    const { responses } = await sim.run(
      client.call(produceApi, 9, { acks: -1, timeoutMs: 1, topicData: [{ name: 'lines', partitionData }] }),
    );
    expect(responses[0]!.partitionResponses.map(({ errorCode }) => errorCode)).toEqual([
      0,
      ERRORS.KAFKA_STORAGE_ERROR,
      0,
    ]);
    expect([written(0), written(1), written(2)]).toEqual([1, 0, 1]);
  });

  it('a topic that is named by id, after the work', async () => {
    const rule = sim.box.fault({
      match: { topic: 'lines', partition: 2 },
      do: fault.applyThenError('UNKNOWN_LEADER_EPOCH'),
    });
    const topicId = sim.box.topicId('lines');
    const { responses } = await sim.run(client.call(fetchApi, 16, fetchRequest({ topicId, partition: 2 })));
    expect(responses[0]!.partitions[0]!.errorCode).toBe(ERRORS.UNKNOWN_LEADER_EPOCH);
    expect(rule.hits).toBe(1);
  });

  it('a group', async () => {
    sim.box.fault({
      match: { group: 'readers', api: 'Heartbeat' },
      do: fault.error('COORDINATOR_LOAD_IN_PROGRESS'),
    });
    const node = (groupId: string) => sim.connect(sim.box.coordinatorOf(groupId));
    const readers = new TestMember(node('readers'), { groupId: 'readers' });
    const writers = new TestMember(node('writers'), { groupId: 'writers' });
    for (const one of [readers, writers]) {
      await sim.run(one.join());
      await sim.run(one.sync());
    }
    expect(await sim.run(writers.heartbeat())).toBe(ERRORS.NONE);
    expect(await sim.run(readers.heartbeat())).toBe(ERRORS.COORDINATOR_LOAD_IN_PROGRESS);
    expect(await sim.run(readers.heartbeat())).toBe(ERRORS.NONE);
  });

  it('the nth request, a version, a node, a client, or what a condition says', async () => {
    sim.box.fault({ match: { api: 'Produce', nth: 3 }, do: fault.error(1) });
    sim.box.fault({ match: { api: 'Produce', version: 8 }, do: fault.error(2) });
    sim.box.fault({ match: { node: 1 }, do: fault.error(4) });
    sim.box.fault({ match: { clientId: 'another' }, do: fault.error(5) });
    const acks = (request: ObservedRequest): unknown => (request.body as { acks: unknown }).acks;
    sim.box.fault({ match: { api: 'Produce', where: (request) => acks(request) === 1 }, do: fault.error(7) });
    const code = async (by = client, at: Parameters<typeof produceRequest>[1] = {}, version = 9) => {
      const request = produceRequest(batchOf({ values: ['x'] }), at);
      const { responses } = await sim.run(by.call(produceApi, version, request));
      return responses[0]!.partitionResponses[0]!.errorCode;
    };
    expect([await code(), await code(), await code(), await code()]).toEqual([0, 0, 1, 0]);
    expect([
      await code(client, {}, 8),
      await code(sim.connect(1)),
      await code(sim.connect(0, 'another')),
    ]).toEqual([2, 4, 5]);
    expect([await code(client, { acks: 1 }), await code(client, { acks: 1 })]).toEqual([7, 0]);
  });

  it('a list of APIs, for as often as it says', async () => {
    const rule = sim.box.fault({ match: { api: ['Fetch', 'Produce'] }, do: fault.error(9), count: 3 });
    const fetch = async () =>
      (await sim.run(client.call(fetchApi, 12, fetchRequest()))).responses[0]!.partitions[0]!.errorCode;
    const codes = [(await produce()).errorCode, await fetch(), (await produce()).errorCode, await fetch()];
    expect(codes).toEqual([9, 9, 9, 0]);
    expect(rule.hits).toBe(3);
    sim.box.fault({ do: fault.error(9), count: Infinity });
    for (let time = 0; time < 5; time++) expect((await produce()).errorCode).toBe(9);
    sim.box.clearFaults();
    expect((await produce()).errorCode).toBe(0);
  });

  it('whatever place an API has for errors', async () => {
    const both = async <T>(ask: () => Promise<T>): Promise<[T, T]> => {
      sim.box.fault({ do: fault.error('KAFKA_STORAGE_ERROR') });
      const instead = await sim.run(ask());
      sim.box.fault({ do: fault.applyThenError('KAFKA_STORAGE_ERROR') });
      return [instead, await sim.run(ask())];
    };
    const code = ERRORS.KAFKA_STORAGE_ERROR;
    const versions = await both(() => client.call(apiVersionsApi, 0, {}));
    expect(versions.map(({ errorCode }) => errorCode)).toEqual([code, code]);
    const metadata = await both(() => client.call(metadataApi, 9, { topics: [{ name: 'lines' }] }));
    expect(metadata.map(({ topics }) => topics[0]!.errorCode)).toEqual([code, code]);
    const found = await both(() => client.call(findCoordinatorApi, 4, { coordinatorKeys: ['g'] }));
    expect(found.map(({ coordinators }) => coordinators[0]!.errorCode)).toEqual([code, code]);
    const old = await both(() => client.call(findCoordinatorApi, 2, { key: 'g' }));
    expect(old.map(({ errorCode }) => errorCode)).toEqual([code, code]);
    const offsets = await both(() =>
      client.call(offsetFetchApi, 8, { groups: [{ groupId: 'g', topics: null }] }),
    );
    expect(offsets.map(({ groups }) => groups[0]!.errorCode)).toEqual([code, code]);
    let number = 0;
    const created = await both(() =>
      client.call(createTopicsApi, 5, {
        topics: [
          { name: `made-${number++}`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
        ],
      }),
    );
    expect(created.map(({ topics }) => topics[0]!.errorCode)).toEqual([code, code]);
    expect(sim.box.topics()).toEqual(['lines', 'made-1']);
  });
});

describe('a fault rule', () => {
  it('lets tests wait for it, and says so when it never acts', async () => {
    const rule = onProduce(fault.error(9), 2);
    const waiting = rule.wait(2);
    await produce();
    await produce();
    await sim.run(waiting);
    await sim.run(rule.wait(1));
    await expect(sim.run(rule.wait(3, 100))).rejects.toThrow(/acted 2 time\(s\) within 100 ms/);
  });

  it('refuses names that Kafka does not have', () => {
    expect(() => sim.box.fault({ match: { api: 'produce' }, do: fault.close })).toThrow(/no API 'produce'/);
    expect(() => fault.error('NO_SUCH_ERROR' as 'NONE')).toThrow(/no error named 'NO_SUCH_ERROR'/);
  });

  it('stands in the request log', async () => {
    onProduce(fault.error(9));
    await produce();
    await produce();
    expect(sim.box.requests('Produce').map((request) => request.fault)).toEqual(['error', undefined]);
  });
});
