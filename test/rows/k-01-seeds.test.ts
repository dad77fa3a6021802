import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/client.ts';
import type { KafkaOptions } from '../../src/core/options.ts';
import type { Runtime } from '../../src/core/client.ts';
import { seededRandom } from '../../src/testing/simulation/seeded-random.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';
import { brokers, testKafka } from '../helpers/brokers.ts';
import { FakeBrokers } from '../helpers/fake-brokers.ts';
import { rejection } from '../helpers/rejection.ts';

const NOBODY = '127.0.0.1:1';

describe('K-01: seeds', () => {
  let clock: VirtualClock;
  let cluster: FakeBrokers;
  let kafka: Kafka | undefined;

  afterEach(() => kafka?.close());

  function begin(nodes: number, options: Partial<KafkaOptions> = {}, runtime: Runtime = {}): Kafka {
    clock = new VirtualClock();
    cluster = new FakeBrokers(clock, nodes);
    const random = seededRandom(7);
    kafka = new Kafka(
      { brokers: cluster.addresses, ...options },
      { clock, random, transport: cluster.transport, ...runtime },
    );
    return kafka;
  }

  const dialled = (): string[] =>
    cluster.transport.wires.map(({ address }) => `${address.host}:${address.port}`);

  it('are tried in random order', async () => {
    const first = new Set<string>();
    for (let seed = 1; seed <= 40; seed++) {
      const client = begin(3, {}, { random: seededRandom(seed) });
      await clock.run(client.cluster.refresh([]));
      first.add(dialled()[0]!);
      await client.close();
    }
    expect([...first].sort()).toEqual(['kafka-1:9092', 'kafka-2:9092', 'kafka-3:9092']);
  });

  it('connect although two of three are dead', async () => {
    const client = begin(3);
    cluster.stop(1);
    cluster.stop(2);
    cluster.advertised = [3];
    await clock.run(client.cluster.refresh([]));
    expect(client.cluster.nodeIds()).toEqual([3]);
  });

  it('that failed are set aside, and resurrected when none is left', async () => {
    const client = begin(2, { brokers: ['dead:1', 'kafka-1:9092'] });
    // No broker is ever known by its address, so that every refresh goes to the seeds.
    cluster.advertised = [1];
    const attempts = async (): Promise<string[]> => {
      cluster.transport.wires.length = 0;
      await clock.run(client.cluster.refresh([])).catch(() => undefined);
      return dialled();
    };
    cluster.stop(1);
    await attempts();
    expect(new Set(await attempts())).toEqual(new Set(['dead:1', 'kafka-1:9092']));
    cluster.start(1);
    await clock.advance(5000);
    await attempts();
    expect(client.cluster.nodeIds()).toEqual([1]);
  });

  it('recover when all were down and are up again', async () => {
    const client = begin(3);
    for (const nodeId of [1, 2, 3]) cluster.stop(nodeId);
    const error = await clock.run(rejection(client.cluster.refresh([])));
    expect(error.message).toMatch(/None of 3 brokers could be used: .*ECONNREFUSED/);
    const pending = client.admin().listTopics();
    await clock.advance(10_000);
    for (const nodeId of [1, 2, 3]) cluster.start(nodeId);
    await clock.run(pending, 5000);
    expect(client.cluster.nodeIds()).toEqual([1, 2, 3]);
  });

  it('are asked again when every broker that was known is gone (KIP-899)', async () => {
    const client = begin(3, { brokers: ['kafka-1:9092'] });
    cluster.advertised = [2, 3];
    await clock.run(client.cluster.refresh([]));
    cluster.stop(2);
    cluster.stop(3);
    cluster.advertised = [1];
    await clock.advance(5000);
    await clock.run(client.cluster.refresh([]));
    expect(client.cluster.nodeIds()).toEqual([1]);
  });

  it('are asked on new connections when a broker says so (KIP-1102)', async () => {
    const client = begin(2, { brokers: ['kafka-1:9092'] });
    await clock.run(client.cluster.refresh([]));
    const opened = cluster.transport.wires.length;
    let told = 0;
    const answer = cluster.metadata.bind(cluster);
    cluster.metadata = (body) => (told++ < 2 ? { brokers: [], topics: [], errorCode: 129 } : answer(body));
    await clock.run(client.cluster.refresh([]));
    expect(told).toBeGreaterThanOrEqual(2);
    expect(cluster.transport.wires.length).toBeGreaterThan(opened);
    expect(client.cluster.nodeIds()).toEqual([1, 2]);
  });

  it('behind one name are dialled by their own names where that is asked for', async () => {
    const dns = {
      addresses: async (host: string) => (host === 'all.kafka' ? ['10.0.0.1', '10.0.0.2', '10.0.0.9'] : []),
      canonicalName: async (address: string) => {
        if (address.endsWith('.9')) throw new Error('ENOTFOUND');
        return `kafka-${address.at(-1)!}`;
      },
    };
    const client = begin(
      2,
      { brokers: ['all.kafka:9092'], clientDnsLookup: 'resolve_canonical_bootstrap_servers_only' },
      { dns },
    );
    cluster.stop(1);
    cluster.advertised = [2];
    await clock.run(client.cluster.refresh([]));
    expect(client.cluster.nodeIds()).toEqual([2]);
    expect(dialled()).not.toContain('all.kafka:9092');
    for (const address of dialled())
      expect(['kafka-1:9092', 'kafka-2:9092', '10.0.0.9:9092']).toContain(address);
  });

  (brokers === undefined ? it.skip : it)(
    'of a real cluster: two dead ones, then a name of several addresses',
    async () => {
      const seeds = [NOBODY, ...brokers!, '127.0.0.1:2'];
      kafka = testKafka({ brokers: seeds });
      expect((await kafka.admin().describeCluster()).brokers.length).toBeGreaterThan(0);
      await kafka.close();

      const [host, port] = brokers![0]!.split(':');
      const asked: string[] = [];
      const lookup: NonNullable<KafkaOptions['lookup']> = (name, options, callback) => {
        asked.push(name);
        // The first addresses of the name are dead ones.
        const all = [
          { address: '127.0.0.7', family: 4 },
          { address: '127.0.0.8', family: 4 },
          { address: host!, family: 4 },
        ];
        if (options.all === true) callback(null, all);
        else callback(null, all[2]!.address, 4);
      };
      kafka = new Kafka({ brokers: [`brokers.test:${port!}`], lookup });
      expect((await kafka.admin().describeCluster()).brokers.length).toBeGreaterThan(0);
      expect(asked).toContain('brokers.test');
    },
  );

  (brokers === undefined ? it.skip : it)('are reached through sockets of the program', async () => {
    const opened: string[] = [];
    kafka = testKafka({
      socketFactory: ({ host, port, ssl, onConnect }) => {
        opened.push(`${host}:${port} ${typeof ssl}`);
        return connect({ host, port }, onConnect);
      },
    });
    await kafka.admin().listTopics();
    expect(opened[0]).toMatch(/^[\w.]+:\d+ undefined$/);
  });
});
