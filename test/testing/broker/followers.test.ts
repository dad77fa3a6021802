// Consumers that read from the replica next to them (KIP-392).
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { metadataApi } from '../../../src/core/protocol/messages/03-metadata.ts';
import { batchOf, fetchRequest, produceRequest, recordsIn } from './requests.ts';
import type { FetchAt } from './requests.ts';
import { simulated } from './simulated.ts';
import type { Simulated } from './simulated.ts';

let sim: Simulated;

beforeEach(async () => {
  sim = await simulated({
    brokers: 4,
    racks: ['a', 'b', 'b', 'c'],
    topics: { lines: { partitions: 1, replicationFactor: 3 } },
  });
  await sim.run(sim.connect(0).call(produceApi, 9, produceRequest(batchOf({ values: ['one', 'two'] }))));
});

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

async function fetchFrom(node: number, rackId: string, at: FetchAt = {}, version = 12) {
  const body = { ...fetchRequest(at), rackId };
  const { responses } = await sim.run(sim.connect(node).call(fetchApi, version, body));
  return responses[0]!.partitions[0]!;
}

describe('a consumer with a rack', () => {
  it('finds the racks in the metadata', async () => {
    const { brokers } = await sim.run(sim.connect(1).call(metadataApi, 12, { topics: [] }));
    expect(brokers.map(({ rack }) => rack)).toEqual(['a', 'b', 'b', 'c']);
  });

  it('is sent to a replica in it, without records and without waiting', async () => {
    const answer = await fetchFrom(0, 'b', { offset: 2, maxWaitMs: 60_000 });
    expect(answer).toMatchObject({ errorCode: ERRORS.NONE, preferredReadReplica: 1, highWatermark: 2 });
    expect(answer.records).toHaveLength(0);
    expect(sim.clock.now()).toBe(0);
  });

  it('is served by the leader in its own rack, in one without a replica, and without one', async () => {
    for (const rack of ['a', 'c', '', 'z']) {
      const { preferredReadReplica, records } = await fetchFrom(0, rack);
      expect(preferredReadReplica).toBe(-1);
      expect(recordsIn(records)).toHaveLength(2);
    }
  });

  it('is not sent to a replica that is down', async () => {
    await sim.run(sim.box.stop(1));
    expect((await fetchFrom(0, 'b')).preferredReadReplica).toBe(2);
    await sim.run(sim.box.stop(2));
    expect((await fetchFrom(0, 'b')).preferredReadReplica).toBe(-1);
  });
});

describe('a follower', () => {
  it('serves fetches from version 11 on, and waits for records', async () => {
    expect(recordsIn((await fetchFrom(1, 'b')).records)).toHaveLength(2);
    expect(recordsIn((await fetchFrom(2, '', {}, 11)).records)).toHaveLength(2);
    expect((await fetchFrom(1, '', {}, 10)).errorCode).toBe(ERRORS.NOT_LEADER_OR_FOLLOWER);
    const waiting = sim.connect(1).call(fetchApi, 12, fetchRequest({ offset: 2, maxWaitMs: 60_000 }));
    await sim.clock.advance(5);
    await sim.run(sim.connect(0).call(produceApi, 9, produceRequest(batchOf({ values: ['three'] }))));
    const { responses } = await sim.run(waiting);
    expect(recordsIn(responses[0]!.partitions[0]!.records)).toEqual([[2, 'three']]);
  });

  it('refuses offsets beyond its log and other epochs; who has no replica refuses all', async () => {
    expect((await fetchFrom(1, 'b', { offset: 3 })).errorCode).toBe(ERRORS.OFFSET_OUT_OF_RANGE);
    expect((await fetchFrom(1, 'b', { leaderEpoch: 1 })).errorCode).toBe(ERRORS.UNKNOWN_LEADER_EPOCH);
    sim.box.moveLeader('lines', 0, 2);
    expect((await fetchFrom(1, 'b', { leaderEpoch: 0 })).errorCode).toBe(ERRORS.FENCED_LEADER_EPOCH);
    expect((await fetchFrom(3, 'c')).errorCode).toBe(ERRORS.NOT_LEADER_OR_FOLLOWER);
  });

  it('does not serve what nobody leads', async () => {
    sim.box.leaderless('lines', 0);
    expect((await fetchFrom(1, 'b')).errorCode).toBe(ERRORS.NOT_LEADER_OR_FOLLOWER);
  });
});
