// R4: records go through three topics by three groups, whose members join and quit all the while: each key at each level, no offset twice.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { short } from '../helpers/brokers.ts';
import { runEtlChain } from './support/etl-chain.ts';
import { GROUP_KINDS } from './support/group-kinds.ts';
import { canStartKafka, startOwnKafka, type OwnKafka } from './support/own-kafka.ts';
import { report } from './support/report.ts';

const SIZE = short
  ? { records: 2_000, fillMs: 5_000, joinAfterMs: 2_000, roundRecords: 20 }
  : { records: 20_000, fillMs: 20_000, joinAfterMs: 5_000, roundRecords: 100 };
const PLAN = {
  ...SIZE,
  partitions: [7, 11, 31],
  sessionTimeoutMs: 6_000,
  heartbeatIntervalMs: 300,
  standing: 3,
  quitters: [0, 2, 2, 0, 1],
  joiners: 3,
  limitMs: 120_000,
};

(canStartKafka ? describe : describe.skip)('R4: an ETL chain over 7, 11 and 31 partitions', () => {
  let own: OwnKafka;
  beforeAll(async () => {
    own = await startOwnKafka(PLAN);
  });
  afterAll(() => own?.stop());

  it.each(GROUP_KINDS)(
    `%s: takes each of ${PLAN.records} keys through each level, and no offset twice, while members quit and join`,
    async (kind) => {
      const { levels, written, committed, failures, quits, seconds } = await runEtlChain(own.brokers, {
        kind,
        ...PLAN,
      });
      report(`ETL chain, ${kind}`, {
        records: PLAN.records,
        quits,
        claims: levels.map(({ claims }) => claims),
        lost: levels.map(({ lost }) => lost),
        seconds,
      });
      expect(failures).toEqual([]);
      expect(levels.map(({ missing, twice, strange }) => ({ missing, twice, strange }))).toEqual(
        levels.map(() => ({ missing: 0, twice: 0, strange: 0 })),
      );
      expect(written).toEqual(levels.map(() => PLAN.records));
      expect(committed).toEqual(levels.map(() => PLAN.records));
    },
  );
});
