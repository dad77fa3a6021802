import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../../src/core/client.ts';
import type { Cluster } from '../../../src/core/cluster/cluster.ts';
import type { KafkaOptions } from '../../../src/core/options.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { metadataApi } from '../../../src/core/protocol/messages/03-metadata.ts';
import { findCoordinatorApi } from '../../../src/core/protocol/messages/10-find-coordinator.ts';
import { heartbeatApi } from '../../../src/core/protocol/messages/12-heartbeat.ts';
import { apiVersionsApi } from '../../../src/core/protocol/messages/18-api-versions.ts';
import { ConnectionError, TimeoutError, UsageError } from '../../../src/errors.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';
import { FakeBrokers, topicId } from '../../helpers/fake-brokers.ts';
import { bodyOf, silentPeer } from '../../helpers/fake-wire.ts';
import { rejection } from '../../helpers/rejection.ts';

let clock: VirtualClock;
let brokers: FakeBrokers;
let kafka: Kafka;
let cluster: Cluster;

function connect(options: Partial<KafkaOptions> = {}, random: () => number = () => 0.5): void {
  kafka = new Kafka(
    { brokers: brokers.addresses, ...options },
    { clock, random, transport: brokers.transport },
  );
  cluster = kafka.cluster;
}

beforeEach(() => {
  clock = new VirtualClock();
  brokers = new FakeBrokers(clock, 3);
  connect();
});

/** Whatever a test did: after `close()` nothing is open and no timer runs. */
afterEach(async () => {
  await kafka.close();
  expect(brokers.transport.openWires).toEqual([]);
  await clock.advance(brokers.latencyMs);
  expect(clock.pendingTimers).toBe(0);
});

const beat = { groupId: 'g', generationId: 1, memberId: 'm' };

describe('bootstrap', () => {
  it('connects to nothing before the first call', async () => {
    await clock.advance(10_000);
    expect(brokers.transport.wires).toEqual([]);
    expect(cluster.nodeIds()).toEqual([]);
  });

  it('asks one seed, and keeps the connection it asked on', async () => {
    await clock.run(cluster.refresh([]));
    expect(cluster.nodeIds()).toEqual([1, 2, 3]);
    const nodeId = await cluster.anyNode();
    brokers.on(heartbeatApi, () => ({ errorCode: 0 }));
    await clock.run(cluster.send(nodeId, heartbeatApi, beat));
    expect(brokers.transport.wires.length).toBe(1);
  });

  it('tries seeds in random order', async () => {
    const first = new Set<string>();
    for (const value of [0, 0.4, 0.7, 0.99]) {
      connect({}, () => value);
      const from = brokers.transport.wires.length;
      await clock.run(cluster.anyNode());
      first.add(brokers.transport.wires[from]!.address.host);
      await kafka.close();
    }
    expect(first.size).toBeGreaterThan(1);
  });

  it('skips seeds that refuse, hang, or are no brokers', async () => {
    for (const alive of [1, 2, 3]) {
      brokers = new FakeBrokers(clock, 3);
      brokers.advertised = [alive];
      for (const nodeId of [1, 2, 3].filter((other) => other !== alive)) brokers.stop(nodeId);
      if (alive === 3) brokers.transport.peers.set('kafka-1:9092', silentPeer);
      connect();
      const from = clock.now();
      await clock.run(cluster.refresh([]));
      expect(cluster.nodeIds()).toEqual([alive]);
      expect(clock.now() - from).toBeLessThan(2500);
      await kafka.close();
      await clock.advance(10);
    }
  });

  it('lists each seed and its cause when all are dead', async () => {
    brokers.stop(1);
    brokers.transport.peers.set('kafka-2:9092', silentPeer);
    brokers.transport.peers.set('kafka-3:9092', (wire) => {
      wire.accept();
      wire.data(Buffer.from('HTTP/1.1 400 Bad Request\r\n'));
    });
    const error = await clock.run(rejection<ConnectionError>(cluster.anyNode()));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toMatch(/^None of 3 brokers could be used: /);
    expect(error.message).toContain('kafka-1:9092 could not be reached: connect ECONNREFUSED');
    expect(error.message).toContain(
      'kafka-2:9092 accepted the connection and answered nothing within 10000 ms',
    );
    expect(error.message).toContain('kafka-3:9092 broke the protocol: The peer answered in HTTP');
    expect((error.cause as AggregateError).errors.length).toBe(3);
    expect(clock.now()).toBeLessThan(12_500);
  });

  it('gives up ten seeds that lead nowhere within twice the connection timeout', async () => {
    const seeds = Array.from({ length: 10 }, (_, at) => `hole-${at}:9092`);
    for (const seed of seeds) brokers.transport.peers.set(seed, () => undefined);
    connect({ brokers: seeds, connectionTimeout: 3000 });
    const error = await clock.run(rejection(cluster.refresh(['t'])));
    expect(error.message).toMatch(/None of 10 brokers/);
    expect(clock.now()).toBeLessThanOrEqual(6000);
  });

  it('takes a broker that is only starting for no answer', async () => {
    brokers.advertised = [];
    const error = await clock.run(rejection(cluster.refresh([])));
    expect(error.message).toMatch(/LEADER_NOT_AVAILABLE.*names no brokers yet/);
    expect(error).toMatchObject({ retriable: true });
  });

  it('says at first use that there are no brokers', async () => {
    connect({ brokers: [] });
    for (const use of [
      cluster.anyNode(),
      cluster.controller(),
      cluster.refresh(['t']),
      cluster.coordinator('group', 'g'),
    ]) {
      expect(await rejection(use)).toMatchObject({ name: 'UsageError', option: 'brokers' });
    }
  });

  it('starts from the seeds again when every known broker is gone', async () => {
    connect({ brokers: ['seed:9092'] });
    let source = brokers;
    brokers.transport.peers.set('seed:9092', (wire) => {
      wire.onRequest = (request) => {
        if (request.api.key === apiVersionsApi.key) {
          const apiKeys = [3, 18].map((apiKey) => ({ apiKey, minVersion: 0, maxVersion: 4 }));
          wire.respond<typeof apiVersionsApi>(request, { errorCode: 0, apiKeys });
        } else wire.respond<typeof metadataApi>(request, source.metadata(bodyOf(metadataApi, request)));
      };
      wire.accept();
    });
    await clock.run(cluster.refresh([]));
    expect(cluster.nodeIds()).toEqual([1, 2, 3]);
    await clock.run(cluster.negotiated(1, heartbeatApi));
    for (const nodeId of [1, 2, 3]) brokers.stop(nodeId);
    source = new FakeBrokers(clock, 0);
    source.advertised = [7];
    source.controllerId = 7;
    await clock.run(cluster.refresh([]));
    expect(cluster.nodeIds()).toEqual([7]);
    expect(await cluster.controller()).toBe(7);
  });

  it('starts from the seeds again when a broker asks for it', async () => {
    connect({ brokers: ['kafka-3:9092'] });
    await clock.run(cluster.refresh([]));
    brokers.on(metadataApi, (body, nodeId) =>
      nodeId === 3
        ? { ...brokers.metadata(body), errorCode: ERRORS.REBOOTSTRAP_REQUIRED }
        : brokers.metadata(body),
    );
    brokers.topic('t', [1]);
    await clock.run(cluster.refresh(['t']));
    expect(cluster.metadata.topic('t')?.partitions.length).toBe(1);
  });
});

describe('connections', () => {
  it('are one for each broker and use', async () => {
    brokers.on(heartbeatApi, () => ({ errorCode: 0 }));
    await clock.run(cluster.refresh([]));
    const uses = ['control', 'produce', 'coordinator', 'fetch-0', 'fetch-1', 'control', 'fetch-0'] as const;
    await clock.run(
      Promise.all(
        [1, 2].flatMap((nodeId) => uses.map((use) => cluster.send(nodeId, heartbeatApi, beat, { use }))),
      ),
    );
    expect(brokers.transport.wires.filter(({ address }) => address.host === 'kafka-1').length).toBe(5);
    expect(brokers.transport.wires.filter(({ address }) => address.host === 'kafka-2').length).toBe(5);
  });

  it('send in the order of the calls, also what waited for the dial', async () => {
    await clock.run(cluster.refresh([]));
    brokers.on(heartbeatApi, ({ generationId }) => ({ errorCode: generationId }));
    const answers: number[] = [];
    const send = (generationId: number): Promise<void> =>
      cluster.send(1, heartbeatApi, { ...beat, generationId }, { use: 'produce' }).then(({ errorCode }) => {
        answers.push(errorCode);
        if (generationId === 1) void send(100);
      });
    const sent = [1, 2, 3].map(send);
    await clock.run(Promise.all(sent));
    await clock.advance(10);
    expect(answers).toEqual([1, 2, 3, 100]);
  });

  it('are dialled again on demand, after a pause that doubles, for each broker on its own', async () => {
    await clock.run(cluster.refresh([]));
    brokers.stop(1);
    const dials: number[] = [];
    const transport = brokers.transport;
    for (let n = 0; n < 8; n += 1) {
      const from = transport.wires.length;
      const error = await clock.run(
        rejection<ConnectionError>(cluster.send(1, heartbeatApi, beat, { use: 'produce' })),
      );
      expect(error.phase).toBe('dial');
      expect(transport.wires.length).toBe(from + 1);
      dials.push(clock.now());
    }
    const pauses = dials.slice(1).map((at, n) => Math.round(at - dials[n]!));
    expect(pauses).toEqual([50, 100, 200, 400, 800, 1000, 1000]);
    const before = clock.now();
    await clock.run(cluster.negotiated(2, heartbeatApi));
    expect(clock.now() - before).toBeLessThan(5);
    await clock.advance(60_000);
    expect(transport.wires.filter(({ address }) => address.host === 'kafka-1').length).toBeLessThanOrEqual(9);
    brokers.start(1);
    brokers.on(heartbeatApi, () => ({ errorCode: 0 }));
    await clock.run(cluster.send(1, heartbeatApi, beat, { use: 'produce' }));
  });

  it('that cannot be opened in time leave the request unsent', async () => {
    await clock.run(cluster.refresh([]));
    brokers.transport.peers.set('kafka-1:9092', () => undefined);
    const error = await clock.run(
      rejection<TimeoutError>(cluster.send(1, heartbeatApi, beat, { timeoutMs: 500, use: 'produce' })),
    );
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ sent: false, afterMs: 500 });
    expect(error.message).toBe(
      'Heartbeat was not sent: there was no connection to broker 1 (kafka-1:9092) within 500 ms',
    );
  });

  it('count the dial into the timeout of the request', async () => {
    await clock.run(cluster.refresh([]));
    brokers.latencyMs = 300;
    brokers.on(heartbeatApi, () => ({ errorCode: 0 }));
    const from = clock.now();
    const error = await clock.run(
      rejection<TimeoutError>(cluster.send(1, heartbeatApi, beat, { timeoutMs: 500, use: 'produce' })),
    );
    expect(error).toMatchObject({ sent: true });
    expect(clock.now() - from).toBe(500);
  });

  it('that idled for longer than a broker allows are replaced', async () => {
    await clock.run(cluster.refresh([]));
    brokers.on(heartbeatApi, () => ({ errorCode: 0 }));
    await clock.run(cluster.send(1, heartbeatApi, beat, { use: 'coordinator' }));
    const count = brokers.transport.wires.length;
    await clock.advance(539_000);
    await clock.run(cluster.send(1, heartbeatApi, beat, { use: 'coordinator' }));
    expect(brokers.transport.wires.length).toBe(count);
    await clock.advance(540_001);
    await clock.run(cluster.send(1, heartbeatApi, beat, { use: 'coordinator' }));
    expect(brokers.transport.wires.length).toBe(count + 1);
    expect(brokers.transport.wires[count - 1]!.destroyed).toBe(true);
  });

  it('to an address that a broker left are closed', async () => {
    await clock.run(cluster.refresh([]));
    brokers.on(heartbeatApi, () => undefined);
    const lost = rejection(cluster.send(1, heartbeatApi, beat, { use: 'produce' }));
    await clock.advance(10);
    brokers.on(metadataApi, (body) => ({
      ...brokers.metadata(body),
      brokers: [{ nodeId: 1, host: 'kafka-2', port: 9092 }],
    }));
    await clock.run(cluster.refresh([]));
    brokers.on(heartbeatApi, (_body, nodeId) => ({ errorCode: nodeId }));
    expect((await clock.run(cluster.send(1, heartbeatApi, beat, { use: 'produce' }))).errorCode).toBe(2);
    expect((await lost).message).toBe('kafka-1:9092 is now at kafka-2:9092');
  });

  it('to a broker nobody knows fail at once', async () => {
    await clock.run(cluster.refresh([]));
    const error = await rejection<ConnectionError>(cluster.send(99, heartbeatApi, beat));
    expect(error.message).toMatch(/Broker 99 is not in the cluster's metadata/);
    expect(error).toMatchObject({ phase: 'dial', retriable: true });
  });

  it('end with close(): what is in flight and what waits is rejected', async () => {
    await clock.run(cluster.refresh([]));
    brokers.on(heartbeatApi, () => undefined);
    const flying = rejection<ConnectionError>(cluster.send(1, heartbeatApi, beat));
    await clock.advance(10);
    brokers.transport.peers.set('kafka-2:9092', () => undefined);
    const waiting = rejection<ConnectionError>(cluster.send(2, heartbeatApi, beat));
    const refreshing = rejection(cluster.refresh(['x']));
    const finding = rejection(cluster.coordinator('group', 'g'));
    await kafka.close();
    expect(await flying).toMatchObject({ name: 'ConnectionError', phase: 'io' });
    expect(await waiting).toMatchObject({ name: 'ConnectionError', phase: 'dial' });
    expect(await refreshing).toBeInstanceOf(ConnectionError);
    expect(await finding).toBeInstanceOf(ConnectionError);
    expect(await rejection(cluster.send(1, heartbeatApi, beat))).toBeInstanceOf(UsageError);
    expect(await rejection(cluster.refresh())).toBeInstanceOf(UsageError);
    expect(await rejection(cluster.negotiated(1, heartbeatApi))).toBeInstanceOf(UsageError);
  });

  it('end with close() also in the middle of the bootstrap', async () => {
    for (const name of brokers.addresses) brokers.transport.peers.set(name, silentPeer);
    const starting = rejection(cluster.anyNode());
    await clock.advance(3000);
    expect(brokers.transport.openWires.length).toBe(2);
    await kafka.close();
    expect((await starting).message).toBe('The client was closed');
  });

  it('agree on the version before anyone asks', async () => {
    brokers.maxVersions.set(heartbeatApi.key, 2);
    await clock.run(cluster.refresh([]));
    expect(await clock.run(cluster.negotiated(2, heartbeatApi))).toBe(2);
    expect(await clock.run(cluster.negotiated(2, metadataApi))).toBe(metadataApi.maxVersion);
  });
});

describe('anyNode', () => {
  it('prefers a broker it is connected to', async () => {
    await clock.run(cluster.refresh([]));
    const nodeId = await cluster.anyNode();
    for (let n = 0; n < 20; n += 1) expect(await cluster.anyNode()).toBe(nodeId);
    expect(brokers.transport.wires.length).toBe(1);
  });

  it('avoids a broker that owes an answer, and one that could not be reached', async () => {
    const nodeId = await clock.run(cluster.anyNode());
    brokers.hung.add(nodeId);
    void rejection(cluster.send(nodeId, heartbeatApi, beat));
    await clock.advance(2500);
    const other = await cluster.anyNode();
    expect(other).not.toBe(nodeId);
    brokers.stop(other);
    await clock.run(rejection(cluster.send(other, heartbeatApi, beat)));
    const last = await cluster.anyNode();
    expect([1, 2, 3].filter((id) => id !== nodeId && id !== other)).toEqual([last]);
  });

  it('asks a second broker for metadata when the first keeps silent', async () => {
    const nodeId = await clock.run(cluster.anyNode());
    brokers.hung.add(nodeId);
    const from = clock.now();
    await clock.run(cluster.refresh(['t']));
    expect(clock.now() - from).toBeLessThan(2100);
  });
});

describe('controller', () => {
  it('is the one metadata names, and an error while there is none', async () => {
    brokers.controllerId = 2;
    expect(await clock.run(cluster.controller())).toBe(2);
    brokers.controllerId = -1;
    await clock.run(cluster.refresh([]));
    expect(await clock.run(rejection(cluster.controller()))).toMatchObject({
      errorName: 'NOT_CONTROLLER',
      retriable: true,
    });
  });
});

describe('coordinators', () => {
  function answering(nodeIds: readonly (number | string)[]): void {
    let asked = 0;
    brokers.on(findCoordinatorApi, (body) => {
      const entry = nodeIds[Math.min(asked, nodeIds.length - 1)]!;
      asked += 1;
      return {
        coordinators: body.coordinatorKeys.map((key) =>
          typeof entry === 'number'
            ? { key, nodeId: entry, host: `kafka-${entry}`, port: 9092, errorCode: 0, errorMessage: null }
            : {
                key,
                nodeId: -1,
                host: '',
                port: -1,
                errorCode: ERRORS[entry as keyof typeof ERRORS],
                errorMessage: null,
              },
        ),
      };
    });
  }

  it('are looked up once, by several callers together', async () => {
    answering([2]);
    await clock.run(Promise.all(Array.from({ length: 20 }, () => cluster.coordinator('group', 'g'))));
    expect(await cluster.coordinator('group', 'g')).toBe(2);
    expect(brokers.count(findCoordinatorApi)).toBe(1);
    expect(brokers.bodies(findCoordinatorApi)[0]).toMatchObject({ keyType: 0, coordinatorKeys: ['g'] });
    await clock.run(cluster.coordinator('group', 'h'));
    await clock.run(cluster.coordinator('transaction', 'g'));
    expect(brokers.bodies(findCoordinatorApi).map(({ keyType }) => keyType)).toEqual([0, 0, 1]);
  });

  it('are looked up again once forgotten', async () => {
    answering([2, 3]);
    expect(await clock.run(cluster.coordinator('group', 'g'))).toBe(2);
    cluster.forgetCoordinator('group', 'g');
    expect(await clock.run(cluster.coordinator('group', 'g'))).toBe(3);
  });

  it('are waited for while they are elected', async () => {
    answering(['COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS', 1]);
    expect(await clock.run(cluster.coordinator('group', 'g'))).toBe(1);
    expect(brokers.count(findCoordinatorApi)).toBe(3);
  });

  it('that never come are an error at the deadline', async () => {
    connect({ defaultApiTimeoutMs: 5000 });
    answering(['COORDINATOR_NOT_AVAILABLE']);
    const error = await clock.run(rejection<TimeoutError>(cluster.coordinator('group', 'g')));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error.message).toMatch(/Finding the coordinator of group "g" did not succeed within 5000 ms/);
    expect(clock.now()).toBeLessThanOrEqual(5000);
  });

  it('that the client may not see are an error at once', async () => {
    answering(['GROUP_AUTHORIZATION_FAILED']);
    expect(await clock.run(rejection(cluster.coordinator('group', 'g')))).toMatchObject({
      errorName: 'GROUP_AUTHORIZATION_FAILED',
    });
    answering([1]);
    expect(await clock.run(cluster.coordinator('group', 'g'))).toBe(1);
  });

  it('are found in brokers that answer one key at a time', async () => {
    brokers.maxVersions.set(findCoordinatorApi.key, 3);
    brokers.on(findCoordinatorApi, ({ key }) => ({
      errorCode: 0,
      nodeId: key === 'g' ? 3 : 1,
      host: 'kafka-3',
      port: 9092,
    }));
    expect(await clock.run(cluster.coordinator('group', 'g'))).toBe(3);
  });

  it('may be brokers that metadata has not named yet', async () => {
    brokers.advertised = [1];
    answering([2]);
    brokers.on(heartbeatApi, (_body, nodeId) => ({ errorCode: nodeId }));
    const nodeId = await clock.run(cluster.coordinator('group', 'g'));
    expect((await clock.run(cluster.send(nodeId, heartbeatApi, beat))).errorCode).toBe(2);
  });

  it('are asked of another broker when one hangs', async () => {
    answering([1]);
    brokers.hung.add(await clock.run(cluster.anyNode()));
    const from = clock.now();
    expect(await clock.run(cluster.coordinator('group', 'g'))).toBe(1);
    expect(clock.now() - from).toBeLessThan(11_000);
  });
});

describe('topic ids', () => {
  it('are told apart from names', async () => {
    brokers.topic('t', [1, 2], topicId(5));
    await clock.run(cluster.refresh(['t']));
    expect(cluster.metadata.topicById(topicId(5))?.name).toBe('t');
    expect(cluster.metadata.leader('t', 1)).toEqual({ nodeId: 2, leaderEpoch: 0 });
  });
});
