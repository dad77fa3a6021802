// A busy claim beside idle ones: the long polls of its neighbours do not slow it down.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mapAsync, tap } from '../../src/operators/index.ts';
import { topology } from '../../src/index.ts';
import { short, testKafka, uniqueName } from '../helpers/brokers.ts';
import { fill } from './support/marks.ts';
import { median } from './support/percentile.ts';
import { report } from './support/report.ts';

const ROUNDS = short ? 5 : 21;
const RECORDS = 20_000;
const CREDIT = 100;
const STAGE_MS = 1;
const VALUE_BYTES = 1_000;

const kafka = testKafka();

/** Records a second of one claim that has all the records of `topic`, from the first to the last. */
async function rateOf(topic: string, concurrency: number, records: number): Promise<number> {
  const groupId = uniqueName('isolation');
  let done = 0;
  let from = 0;
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const running = topology('isolation', ({ fromGroup }) =>
    fromGroup({ groupId, topics: [topic], credit: { records: CREDIT } }).pipe(
      mapAsync(() => new Promise((resolve) => setTimeout(resolve, STAGE_MS)), {
        concurrency,
        order: 'input',
      }),
      tap(() => {
        if (done === 0) from = performance.now();
        if (++done === records) finish();
      }),
    ),
  ).start(kafka);
  await Promise.race([finished, running.done]);
  const rate = (records / (performance.now() - from)) * 1_000;
  await running.drain();
  await kafka.admin().deleteGroups([groupId]);
  return rate;
}

describe('a busy claim', () => {
  const [alone, beside] = [uniqueName('alone'), uniqueName('beside')];

  beforeAll(async () => {
    await kafka.admin().createTopics([
      { name: alone, partitions: 1 },
      { name: beside, partitions: 3 },
    ]);
    for (const topic of [alone, beside]) await fill(kafka, topic, RECORDS, 1, VALUE_BYTES);
  });

  afterAll(async () => {
    await kafka.admin().deleteTopics([alone, beside]);
    await kafka.close();
  });

  const asManyAsItsCredit = ['as many calls at once as its credit', CREDIT, RECORDS] as const;
  const oneCall = ['one call at a time', 1, 1_000] as const;

  it.each(short ? [asManyAsItsCredit] : [asManyAsItsCredit, oneCall])(
    'with %s is as fast beside two idle partitions as alone',
    async (_, concurrency, records) => {
      const ratios: number[] = [];
      const rates: number[] = [];
      await rateOf(alone, concurrency, records);
      for (let round = 0; round < ROUNDS; round++) {
        const aloneRate = await rateOf(alone, concurrency, records);
        ratios.push((await rateOf(beside, concurrency, records)) / aloneRate);
        rates.push(aloneRate);
      }
      report(`isolation, ${concurrency} calls`, {
        'records/s alone': median(rates),
        'beside idle ones, of that': median(ratios),
        least: Math.min(...ratios),
      });
      expect(median(ratios)).toBeGreaterThanOrEqual(0.9);
    },
  );
});
