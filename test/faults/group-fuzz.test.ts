// A group whose members come, leave and die at random: who owns what, who commits what, and what is done twice. SLUICE_SEED plays a schedule again.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { short } from '../helpers/brokers.ts';
import { fuzzGroup } from './support/group-fuzz.ts';
import { GROUP_KINDS } from './support/group-kinds.ts';
import { canStartKafka, startOwnKafka, type OwnKafka } from './support/own-kafka.ts';
import { report } from './support/report.ts';
import { seedOf } from './support/seed.ts';

const SESSION_MS = 3_000;
const HEARTBEAT_MS = 500;
const seed = seedOf(20_261_121);

const SIZE = short
  ? { records: 400, slots: 4, acts: 5, leastQuota: 35, mostQuota: 200 }
  : { records: 5_000, slots: 13, acts: 100, leastQuota: 35, mostQuota: 1_000 };

(canStartKafka ? describe : describe.skip)(
  `${SIZE.slots} members with quotas, and ${SIZE.acts} joins, leaves and kills, seed ${seed}`,
  () => {
    let kafka: OwnKafka;
    beforeAll(async () => {
      kafka = await startOwnKafka({ sessionTimeoutMs: SESSION_MS, heartbeatIntervalMs: HEARTBEAT_MS });
    });
    afterAll(() => kafka?.stop());

    it.each(GROUP_KINDS)(
      `%s: each of ${SIZE.records} records once or within the uncommitted part, no commit of an old generation, no partition forgotten`,
      async (kind) => {
        const { violations, figures, acts } = await fuzzGroup(kafka, {
          kind,
          seed,
          partitions: 4,
          sessionTimeoutMs: SESSION_MS,
          heartbeatIntervalMs: HEARTBEAT_MS,
          ...SIZE,
        });
        report(`group fuzz, ${kind}, seed ${seed}`, { ...acts, ...figures, violations: violations.length });
        expect(violations).toEqual([]);
      },
    );
  },
);
