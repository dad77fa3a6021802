// What is told on which channel, by a client of the box in simulated time.
import diagnosticsChannel from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Kafka } from '../../../src/core/client.ts';
import { openPartitions } from '../../../src/core/consumer/open-partitions.ts';
import { onEvent } from '../../../src/core/events/channels.ts';
import { addReadingSource, readAll } from '../../../src/core/events/readings.ts';
import { GroupConsumer } from '../../../src/core/group/group-consumer.ts';
import type { GroupClaim } from '../../../src/core/group/claim.ts';
import type { KafkaOptions } from '../../../src/core/options.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import type { BrokerOptions } from '../../../src/testing/broker/options.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';
import { RecordedEvents } from './recorded-events.ts';

const SECRETS = ['open sesame', 'a key of a record', 'a value of a record', 'a header of a record'];

let clock: VirtualClock;
let box: BrokerBox;
let kafka: Kafka;
let events: RecordedEvents;

async function begin(box_: BrokerOptions = {}, options: Partial<KafkaOptions> = {}): Promise<void> {
  clock = new VirtualClock();
  const random = seededRandom(7);
  const settings = { topics: { t: 1, u: 2 }, autoCreateTopics: false, ...box_ };
  box = await createBroker({ clock, random, listen: 'memory', latencyMs: 1, ...settings });
  kafka = new Kafka(
    { brokers: box.bootstrap, clientId: 'told', ...options },
    { clock, random, transport: box.transport },
  );
}

const run = <T>(promise: Promise<T>, limitMs?: number): Promise<T> => clock.run(promise, limitMs);
const record = { key: SECRETS[1]!, value: SECRETS[2]!, headers: [['h', SECRETS[3]!]] } as const;

beforeEach(() => {
  events = new RecordedEvents();
});

afterEach(async () => {
  events.close();
  await run(Promise.all([kafka.close(), box.close()]));
});

describe('connections and requests', () => {
  it('are told with the node, what they took, and what was said', async () => {
    await begin(
      { sasl: { users: { alice: SECRETS[0]! } } },
      {
        sasl: { mechanism: 'plain', username: 'alice', password: SECRETS[0]! },
      },
    );
    await run(kafka.producer().sendAsync('t', { value: 'x' }));
    expect(new Set(events.kinds('sluice:connection'))).toEqual(new Set(['authenticated', 'opened']));
    const place = { clientId: 'told', host: expect.any(String), port: expect.any(Number) };
    expect(events.of('sluice:connection')[0]).toMatchObject({
      ...place,
      kind: 'authenticated',
      mechanism: 'PLAIN',
      isAgain: false,
    });
    const requests = events.of('sluice:request');
    const produce = requests.filter(({ api }) => api === 'Produce');
    expect(produce.map(({ kind }) => kind)).toEqual(['sent', 'answered']);
    expect(produce[1]).toMatchObject({ ...place, apiKey: 0, nodeId: 0, durationMs: 2, throttleTimeMs: 0 });
    expect(produce[1]!.requestBytes).toBeGreaterThan(61);
    for (const event of requests)
      if (event.kind === 'answered') expect(event.responseBytes).toBeGreaterThan(8);
    expect(requests.filter(({ kind }) => kind === 'sent')).toHaveLength(
      requests.filter(({ kind }) => kind === 'answered').length,
    );
    await run(kafka.close());
    const closed = events.of('sluice:connection').filter(({ kind }) => kind === 'closed');
    const opened = events.of('sluice:connection').filter(({ kind }) => kind === 'opened');
    expect(closed.map(({ connectionId }) => connectionId).sort()).toEqual(
      opened.map(({ connectionId }) => connectionId).sort(),
    );
    expect(closed[0]).toMatchObject({ error: { name: 'ConnectionError' } });
  });

  it('that fail say why', async () => {
    await begin(
      { sasl: { users: { alice: SECRETS[0]! } } },
      { sasl: { mechanism: 'plain', username: 'alice', password: 'wrong' } },
    );
    await expect(run(kafka.cluster.refresh([]))).rejects.toThrow('SASL');
    expect(events.of('sluice:connection').at(-1)).toMatchObject({
      kind: 'failed',
      nodeId: -1,
      error: { name: 'AuthenticationError' },
    });
    expect(events.of('sluice:metadata').at(-1)).toMatchObject({
      kind: 'failed',
      clientId: 'told',
      error: { name: 'AuthenticationError' },
    });
  });

  it('that are not answered, or not waited for, end all the same', async () => {
    await begin({}, { requestTimeout: 1000 });
    await run(kafka.cluster.refresh(['t']));
    const nodeId = await kafka.cluster.anyNode();
    const { heartbeatApi } = await import('../../../src/core/protocol/messages/12-heartbeat.ts');
    const body = { groupId: 'g', memberId: 'm', generationId: 1, groupInstanceId: null };
    box.fault({ match: { api: 'Heartbeat' }, do: fault.dropRequest, count: 2 });
    await expect(run(kafka.cluster.send(nodeId, heartbeatApi, body))).rejects.toThrow('did not answer');
    const abort = new AbortController();
    const sent = kafka.cluster.send(nodeId, heartbeatApi, body, { signal: abort.signal });
    const ended = expect(sent).rejects.toThrow('enough');
    await clock.advance(100);
    abort.abort(new Error('enough'));
    await run(ended);
    const heartbeats = events.of('sluice:request').filter(({ api }) => api === 'Heartbeat');
    expect(heartbeats.map(({ kind }) => kind)).toEqual(['sent', 'failed', 'sent', 'abandoned']);
    expect(heartbeats[1]).toMatchObject({ durationMs: 1000, error: { name: 'TimeoutError' } });
  });

  it('of metadata are told by round', async () => {
    await begin();
    await run(kafka.cluster.refresh(['t', 'u']));
    await run(kafka.cluster.refresh());
    expect(events.of('sluice:metadata')).toMatchObject([
      { clientId: 'told', kind: 'refreshed', topics: 2 },
      { clientId: 'told', kind: 'refreshed', topics: undefined },
    ]);
  });
});

describe('batches', () => {
  it('are told as they are sent, repeated and acknowledged', async () => {
    await begin();
    const producer = kafka.producer();
    box.fault({ match: { api: 'Produce' }, do: fault.error('NOT_ENOUGH_REPLICAS'), count: 1 });
    await run(Promise.all([1, 2, 3].map(() => producer.sendAsync('t', record))));
    expect(events.kinds('sluice:produce')).toEqual(['sent', 'retried', 'sent', 'acked']);
    const [first, retried, , acked] = events.of('sluice:produce');
    const batch = { topic: 't', partition: 0, records: 3, sends: 1 };
    expect(first).toMatchObject({ clientId: 'told', nodeId: 0, batches: [batch] });
    expect(retried).toMatchObject({
      batch: { ...batch, sends: 2 },
      error: { errorName: 'NOT_ENOUGH_REPLICAS' },
    });
    expect(acked).toMatchObject({ batch: { ...batch, sends: 2 }, offset: 0 });
    const { bytes, uncompressedBytes } = (acked as { batch: { bytes: number; uncompressedBytes: number } })
      .batch;
    expect(bytes).toBe(uncompressedBytes);
    await run(producer.close());
  });

  it('that fail say why', async () => {
    await begin();
    const producer = kafka.producer();
    box.fault({ match: { api: 'Produce' }, do: fault.error('TOPIC_AUTHORIZATION_FAILED'), count: 1 });
    await expect(run(producer.sendAsync('t', record))).rejects.toThrow();
    expect(events.of('sluice:produce').at(-1)).toMatchObject({
      kind: 'failed',
      batch: { records: 1 },
      error: { errorName: 'TOPIC_AUTHORIZATION_FAILED' },
    });
    await run(producer.close());
  });
});

describe('what is read', () => {
  it('is told by answer, and credit when it is used up and comes back', async () => {
    await begin();
    const producer = kafka.producer();
    await run(Promise.all(Array.from({ length: 10 }, () => producer.sendAsync('t', record))));
    await run(producer.close());
    const credit = { records: 4 };
    const open = await run(
      openPartitions(kafka.cluster, { topic: 't', from: 'earliest', to: 'latest', credit }),
    );
    const [reader] = open.readers;
    const waiting: number[] = [];
    let ended = false;
    reader!.start({
      onRecord: (_, sequence) => waiting.push(sequence),
      onPressure: () => undefined,
      onEnd: () => (ended = true),
      onError: (error) => {
        throw error;
      },
    });
    await clock.runUntil(() => waiting.length === 4);
    let lag = -1;
    const ignored = { producer: () => undefined, member: () => undefined };
    readAll({ ...ignored, partition: (reading) => (lag = reading.clientId === 'told' ? reading.lag : lag) });
    expect(lag).toBe(6);
    await clock.advance(50);
    while (!ended) {
      for (const sequence of waiting.splice(0)) reader!.settle(sequence);
      await clock.advance(5);
    }
    open.close();
    const brought = events
      .of('sluice:fetch')
      .flatMap((event) => (event.kind === 'answered' ? event.partitions : []))
      .filter(({ records }) => records > 0);
    expect(brought).toMatchObject([{ topic: 't', partition: 0, offset: 0, records: 10, highWatermark: 10 }]);
    expect(events.kinds('sluice:credit')).toEqual(['stalled', 'resumed', 'stalled', 'resumed']);
    expect(events.of('sluice:credit')[0]).toMatchObject({ clientId: 'told', topic: 't', inFlightRecords: 4 });
    const resumed = events.of('sluice:credit')[1] as { stalledMs: number };
    expect(resumed.stalledMs).toBeGreaterThanOrEqual(50);
  });

  it('is told when a fetch fails', async () => {
    await begin({}, { requestTimeout: 1000 });
    const open = await run(openPartitions(kafka.cluster, { topic: 't', from: 'earliest' }));
    box.fault({ match: { api: 'Fetch' }, do: fault.rst, count: 1 });
    await clock.advance(3000);
    open.close();
    expect(events.of('sluice:fetch')).toContainEqual(
      expect.objectContaining({ kind: 'failed', partitions: 1, nodeId: 0 }),
    );
  });
});

describe('groups and transactions', () => {
  it.each(['classic', 'consumer'] as const)('a member of a %s group tells its way', async (groupProtocol) => {
    await begin();
    const claims: GroupClaim[] = [];
    const group = new GroupConsumer(
      kafka.cluster,
      { groupId: 'g', topics: ['u'], groupProtocol },
      { onClaim: (claim) => claims.push(claim), onRebalance: () => undefined, onFailed: () => undefined },
    );
    await run(Promise.all([kafka.producer().sendAsync('u', { ...record, partition: 0 })]));
    group.start();
    await clock.runUntil(() => claims.length === 2);
    const waiting: (() => void)[] = [];
    for (const claim of claims)
      claim.start({
        onRecord: (_, sequence) => waiting.push(() => claim.settle(sequence)),
        onPressure: () => undefined,
        onEnd: () => undefined,
        onError: () => undefined,
        onRevoking: () => undefined,
        onLost: () => undefined,
      });
    await clock.runUntil(() => waiting.length === 1);
    let owned = -1;
    const ignored = { producer: () => undefined, partition: () => undefined };
    readAll({ ...ignored, member: (reading) => (owned = reading.groupId === 'g' ? reading.claims : owned) });
    expect(owned).toBe(2);
    const draining = group.drain(10_000);
    await clock.advance(300);
    waiting[0]!();
    await run(draining);
    const joined = groupProtocol === 'classic' ? ['joined', 'synced'] : ['joined'];
    expect(events.kinds('sluice:rebalance')).toEqual([
      ...joined,
      'claimed',
      'claimed',
      'released',
      'released',
    ]);
    const told = events.of('sluice:rebalance');
    expect(told[0]).toMatchObject({ clientId: 'told', groupId: 'g', memberId: expect.stringMatching(/./) });
    if (groupProtocol === 'classic') {
      expect(told[0]).toMatchObject({ isLeader: true, generationId: 1 });
      expect(told[1]).toMatchObject({ partitions: 2 });
    }
    for (const event of told)
      if (event.kind === 'released') expect(event.drainMs).toBeGreaterThanOrEqual(300);
    expect(events.of('sluice:commit')).toMatchObject([
      {
        kind: 'committed',
        groupId: 'g',
        clientId: 'told',
        offsets: [
          { topic: 'u', partition: 0, offset: 1 },
          { topic: 'u', partition: 1, offset: 0 },
        ],
      },
    ]);
  });

  it('an attempt to join that fails is told', async () => {
    await begin();
    box.fault({ match: { api: 'JoinGroup' }, do: fault.error('COORDINATOR_LOAD_IN_PROGRESS'), count: 1 });
    box.fault({ match: { api: 'SyncGroup' }, do: fault.error('REBALANCE_IN_PROGRESS'), count: 1 });
    const claims: GroupClaim[] = [];
    const group = new GroupConsumer(
      kafka.cluster,
      { groupId: 'g', topics: ['t'] },
      { onClaim: (claim) => claims.push(claim), onRebalance: () => undefined, onFailed: () => undefined },
    );
    group.start();
    await clock.runUntil(() => claims.length === 1);
    await run(group.drain(0));
    expect(events.kinds('sluice:rebalance').slice(0, 5)).toEqual([
      'join-failed',
      'joined',
      'sync-failed',
      'joined',
      'synced',
    ]);
    expect(events.of('sluice:rebalance')[0]).toMatchObject({
      error: { errorName: 'COORDINATOR_LOAD_IN_PROGRESS' },
    });
  });

  it('a transaction tells its way, and that it broke', async () => {
    await begin();
    const producer = kafka.producer({ transactionalId: 'tx' });
    await run(producer.init());
    await run(
      producer.transaction(async () => {
        await producer.sendAsync('t', record);
        await producer.sendOffsets([{ topic: 'u', partition: 0, offset: 3 }], { groupId: 'g' });
      }),
    );
    box.fault({ match: { api: 'Produce' }, do: fault.error('TOPIC_AUTHORIZATION_FAILED'), count: 1 });
    await expect(run(producer.transaction(() => producer.sendAsync('t', record)))).rejects.toThrow();
    await run(producer.close());
    expect(events.kinds('sluice:transaction')).toEqual([
      'initialized',
      'begun',
      'offsets-sent',
      'committed',
      'begun',
      'broken',
      'aborted',
    ]);
    expect(events.of('sluice:transaction')[0]).toMatchObject({
      clientId: 'told',
      transactionalId: 'tx',
      version: 2,
      producerEpoch: expect.any(Number),
    });
    expect(events.of('sluice:transaction')[5]).toMatchObject({ isFatal: false });
  });
});

describe('events', () => {
  it('hold no secrets and nothing of what records hold', async () => {
    await begin(
      { sasl: { users: { alice: SECRETS[0]! } } },
      { sasl: { mechanism: 'scram-sha-256', username: 'alice', password: SECRETS[0]! } },
    );
    const producer = kafka.producer({ transactionalId: 'tx' });
    await run(producer.init());
    await run(producer.transaction(() => producer.sendAsync('t', record)));
    const open = await run(openPartitions(kafka.cluster, { topic: 't', from: 'earliest', to: 'latest' }));
    await clock.advance(100);
    open.close();
    await run(producer.close());
    await run(kafka.close());
    const text = inspect(events.all, { depth: Infinity, showHidden: true, maxArrayLength: null });
    expect(text).toContain('tx');
    for (const secret of SECRETS) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(Buffer.from(secret).toString('base64'));
    }
  });

  it('are told until one listens no more', async () => {
    await begin();
    const seen: unknown[] = [];
    const stop = onEvent('sluice:produce', (event) => seen.push(event));
    await run(kafka.producer().sendAsync('t', record));
    expect(seen).toHaveLength(2);
    stop();
    await run(kafka.producer().sendAsync('t', record));
    expect(seen).toHaveLength(2);
  });

  it('are made for nobody when nobody listens', async () => {
    events.close();
    await begin();
    const channel = diagnosticsChannel.channel('sluice:request');
    const publish = jest.spyOn(channel, 'publish');
    await run(kafka.producer().sendAsync('t', record));
    expect(publish).not.toHaveBeenCalled();
    publish.mockRestore();
  });
});

describe('readings', () => {
  it('come from what is at work, and end with it', () => {
    const read: number[] = [];
    const stop = addReadingSource({ read: () => read.push(1) });
    const sink = { producer: () => undefined, partition: () => undefined, member: () => undefined };
    readAll(sink);
    stop();
    readAll(sink);
    expect(read).toEqual([1]);
  });
});
