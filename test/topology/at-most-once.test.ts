// Processes that read at most once and die at any moment, in simulated time: no record is emitted twice, whatever the moment.
import { describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/client.ts';
import { atMostOnce } from '../../src/operators/index.ts';
import { text } from '../../src/serdes/text.ts';
import { seededRandom } from '../../src/testing/simulation/seeded-random.ts';
import { SimulatedProcess } from '../../src/testing/simulation/simulated-process.ts';
import { sluice } from '../../src/topology/script.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

const PARTITIONS = 2;
const RECORDS = 200;
const CREDIT = 20;
const SESSION_MS = 6_000;
const LIVES = 4;

describe('atMostOnce', () => {
  it.each(Array.from({ length: 25 }, (_, seed) => seed))(
    'repeats nothing when processes die, seed %i',
    async (seed) => {
      const random = seededRandom(`at most once ${seed}`);
      const cluster = await SimulatedCluster.start({ in: PARTITIONS });
      for (let partition = 0; partition < PARTITIONS; partition++)
        await cluster.sendNumbers('in', RECORDS / PARTITIONS, partition);
      const emitted: string[] = [];
      let last: Kafka | undefined;
      for (let life = 0; life < LIVES; life++) {
        const process = new SimulatedProcess(cluster.clock, cluster.box.transport);
        last = new Kafka(
          { brokers: cluster.box.bootstrap, clientId: `life-${life}` },
          { clock: process.clock, random: seededRandom(life), transport: process.transport },
        );
        sluice(last)
          .fromGroup({
            groupId: 'g',
            topics: ['in'],
            value: text(),
            sessionTimeoutMs: SESSION_MS,
            heartbeatIntervalMs: 1_000,
            credit: { records: CREDIT },
          })
          .pipe(atMostOnce())
          .subscribe(({ partition, value }) => emitted.push(`${partition}:${value}`));
        if (life === LIVES - 1) break;
        // From when its predecessor is missed, a moment within what the reading takes.
        await cluster.clock.advance(life === 0 ? 0 : SESSION_MS);
        await cluster.clock.advance(random() * 60);
        process.die(random() < 0.5);
      }
      await cluster.clock.advance(60_000);
      for (let partition = 0; partition < PARTITIONS; partition++)
        expect(cluster.committed('g', 'in', partition)).toBe(RECORDS / PARTITIONS);
      expect(new Set(emitted).size).toBe(emitted.length);
      expect(RECORDS - emitted.length).toBeLessThanOrEqual((LIVES - 1) * PARTITIONS * CREDIT * 2);
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const own = emitted
          .filter((one) => one.startsWith(`${partition}:`))
          .map((one) => Number(one.slice(2)));
        expect(own).toEqual([...own].sort((a, b) => a - b));
      }
      await cluster.clock.run(last!.close());
      await cluster.close();
    },
  );
});
