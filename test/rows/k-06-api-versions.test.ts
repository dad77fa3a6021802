import { afterEach, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/client.ts';
import { APIS } from '../../src/core/protocol/apis.ts';
import { UnsupportedVersionError } from '../../src/errors.ts';
import type { BrokerBox } from '../../src/testing/broker/broker-box.ts';
import { createBroker } from '../../src/testing/broker/create-broker.ts';
import type { VersionLimits } from '../../src/testing/broker/options.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';
import { brokers, testKafka } from '../helpers/brokers.ts';
import { rejection } from '../helpers/rejection.ts';

describe('K-06: versions of APIs', () => {
  let clock: VirtualClock;
  let box: BrokerBox | undefined;
  let kafka: Kafka;

  async function begin(versions: { readonly [api: string]: VersionLimits }): Promise<void> {
    clock = new VirtualClock();
    box = await createBroker({ listen: 'memory', clock, versions, topics: { lines: 1 } });
    kafka = new Kafka({ brokers: box.bootstrap }, { clock, transport: box.transport });
  }

  afterEach(async () => {
    await kafka.close();
    await box?.close();
    box = undefined;
  });

  const sent = (api: string): number | undefined => box!.requests(api).at(-1)?.version;

  it.each<[VersionLimits, number]>([
    [[0, 99], 13],
    [[0, 9], 9],
    [[4, 4], 4],
    [[1, 12], 12],
  ])('of a broker that speaks %j of Metadata: ours is %i', async (range, version) => {
    await begin({ Metadata: [range[0], Math.min(13, range[1])] });
    await clock.run(kafka.cluster.refresh([]));
    expect(sent('Metadata')).toBe(version);
  });

  it('of ApiVersions itself fall back, to 0 at last', async () => {
    for (const highest of [3, 2, 0] as const) {
      await begin({ ApiVersions: [0, highest] });
      await clock.run(kafka.cluster.refresh([]));
      expect(sent('ApiVersions')).toBe(highest);
      await kafka.close();
      await box!.close();
    }
    await begin({});
  });

  it('that the broker has not fail here, without a request', async () => {
    await begin({ DescribeCluster: [1, 0], DeleteRecords: [1, 0], ListOffsets: [11, 11] });
    const admin = kafka.admin();
    const deletion = admin.deleteRecords([{ topic: 'lines', partition: 0, beforeOffset: 'latest' }]);
    const error = await clock.run(rejection(deletion));
    expect(error).toBeInstanceOf(UnsupportedVersionError);
    expect(error.message).toMatch(/does not offer DeleteRecords \(api key 21\).*speaks versions 0 to 2/);
    expect(box!.requests('DeleteRecords')).toEqual([]);
    // What can be had another way is.
    expect((await clock.run(admin.describeCluster())).brokers).toHaveLength(1);
    expect(box!.requests('DescribeCluster')).toEqual([]);
  });

  (brokers === undefined ? it.skip : it)('of a real broker are the highest of both', async () => {
    kafka = testKafka();
    await kafka.cluster.refresh([]);
    const node = kafka.cluster.nodeIds()[0]!;
    for (const api of APIS) {
      const version = await kafka.cluster.negotiated(node, api).catch((error: unknown) => error);
      if (version instanceof UnsupportedVersionError) continue;
      expect(version).toBeGreaterThanOrEqual(api.minVersion);
      expect(version).toBeLessThanOrEqual(api.maxVersion);
    }
  });
});
