import { describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import { Batch } from '../../../src/core/producer/batch.ts';
import { BatchEntries } from '../../../src/core/producer/batch-entries.ts';
import type { ProducerContext } from '../../../src/core/producer/context.ts';
import { newCounters } from '../../../src/core/producer/counters.ts';
import { deliver } from '../../../src/core/producer/deliver.ts';
import { NumberRun } from '../../../src/core/producer/number-run.ts';
import type { Receipt } from '../../../src/core/producer/receipt.ts';
import { BatchBuilder } from '../../../src/core/records/batch-builder.ts';
import { numbered, Setup, TOPIC } from './setup.ts';

/** One receipt for many records; notes what it is told, with the tag. */
class Tagged implements Receipt {
  readonly told: string[] = [];
  readonly withdrawn = new Set<number>();

  onAcked(_partition: number, offset: number, timestamp: number, tag: number): void {
    this.told.push(`${tag} acked at ${offset}, time ${timestamp}`);
  }

  onFailed(error: Error & { errorName?: string }, tag: number): void {
    this.told.push(`${tag} failed: ${error.errorName ?? error.name}`);
  }

  isWithdrawn(tag: number): boolean {
    return this.withdrawn.has(tag);
  }

  onWithdrawn(tag: number): void {
    this.told.push(`${tag} withdrawn`);
  }
}

describe('a receipt of many records', () => {
  it('is told the tag of each, through a split, beside other receipts', async () => {
    const setup = new Setup(1);
    await setup.warmUp();
    setup.cluster.log(TOPIC, 0).maxBatchBytes = 300;
    const tagged = new Tagged();
    const tags = [7, 8, 9, 10, 40, 3, 3, 0, 11, 12];
    tags.forEach((tag, at) => {
      const value = `${at}`.repeat(30);
      setup.producer.send(TOPIC, { value, partition: 0, timestamp: 1_000 + at * at }, tagged, tag);
      if (at === 6) setup.send(['another']);
    });
    await setup.drain();
    const offsets = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11];
    expect(tagged.told).toEqual(
      tags.map((tag, at) => `${tag} acked at ${offsets[at]}, time ${1_000 + at * at}`),
    );
    expect(setup.recorder.fates.get('another')).toMatchObject({ kind: 'acked', offset: 8 });
  });

  it('is told of neighbours in one call where it takes that, and of the rest when it throws', () => {
    const tagged = new Tagged();
    const seen: number[][] = [];
    const runs: Receipt = {
      onAcked: () => seen.push([]),
      onFailed: () => undefined,
      onRunAcked(records, from, to) {
        seen.push(Array.from({ length: to - from }, (_, at) => records.tag(from + at)));
        if (seen.length === 1) throw new Error('on purpose');
      },
    };
    const batch = new Batch(new BatchBuilder(10_000), 0, 0);
    for (const [tag, receipt] of [runs, runs, tagged, runs, runs, runs, tagged, tagged].entries())
      batch.tryAppend(null, 'v', undefined, 5, receipt, tag);
    batch.offset = 100;
    const reported: unknown[] = [];
    const context = { counters: newCounters(), report: (error: unknown) => reported.push(error) };
    deliver(batch, 0, context as unknown as ProducerContext);
    expect(reported).toMatchObject([{ message: 'on purpose' }]);
    expect(seen).toEqual([
      [0, 1],
      [3, 4, 5],
    ]);
    expect(tagged.told).toEqual([2, 6, 7].map((tag) => `${tag} acked at ${100 + tag}, time 5`));
  });

  it('is asked by tag which are withdrawn', async () => {
    const setup = new Setup(1);
    await setup.warmUp();
    const tagged = new Tagged();
    for (const tag of [1, 2, 3, 4])
      setup.producer.send(TOPIC, { value: `v${tag}`, timestamp: 5 }, tagged, tag);
    tagged.withdrawn.add(2).add(3);
    await setup.drain();
    expect(setup.values()).toEqual(['warm-0', 'v1', 'v4']);
    expect(tagged.told).toEqual([
      '2 withdrawn',
      '3 withdrawn',
      '1 acked at 1, time 5',
      '4 acked at 2, time 5',
    ]);
  });

  it('is told the tag of a record that waits for its topic, is too large, or fails', async () => {
    const setup = new Setup(1, { maxRecordBytes: 1000, batchBytes: 1000 });
    const tagged = new Tagged();
    setup.producer.send(TOPIC, { value: 'early', timestamp: 5 }, tagged, 1);
    setup.producer.send(TOPIC, { value: 'x'.repeat(2000) }, tagged, 2);
    setup.producer.send('nowhere', { value: 'lost' }, tagged, 3);
    await setup.drain();
    expect(tagged.told.sort()).toEqual([
      '1 acked at 0, time 5',
      '2 failed: MESSAGE_TOO_LARGE',
      '3 failed: UNKNOWN_TOPIC_OR_PARTITION',
    ]);
  });

  it('has tag 0 where none is given', async () => {
    const setup = new Setup(1);
    const tagged = new Tagged();
    for (const value of numbered(2)) setup.producer.send(TOPIC, { value, timestamp: 5 }, tagged);
    await setup.drain();
    expect(tagged.told).toEqual(['0 acked at 0, time 5', '0 acked at 1, time 5']);
  });
});

describe('NumberRun', () => {
  it('gives back what it was given', () => {
    const steps = fc.array(fc.constantFrom(0, 1, 1, 1, -5, 2 ** 40), { maxLength: 60 });
    fc.assert(
      fc.property(fc.maxSafeInteger(), steps, (first, deltas) => {
        const values = [Math.floor(first / 4)];
        for (const delta of deltas) values.push(values.at(-1)! + delta);
        const run = new NumberRun();
        for (const value of values) run.push(value);
        expect(Array.from(values, (_, at) => run.at(at))).toEqual(values);
        expect(run.count).toBe(values.length);
      }),
    );
  });
});

describe('NumberRun of times', () => {
  it('gives back what changes seldom, and what changes always, in any order of reading', () => {
    const lengths = fc.array(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.nat(3)), { maxLength: 60 });
    fc.assert(
      fc.property(lengths, fc.nat(), (pieces, from) => {
        const values: number[] = [];
        let value = 1_700_000_000_000;
        for (const [length, step] of pieces) {
          for (let at = 0; at < length; at += 1) values.push((value += at === 0 ? 1 : step));
          value += 7;
        }
        const run = new NumberRun();
        for (const each of values) run.push(each);
        const middle = values.length === 0 ? 0 : from % values.length;
        const order = [...values.keys()].slice(middle).concat([...values.keys()].slice(0, middle).reverse());
        expect(order.map((at) => run.at(at))).toEqual(order.map((at) => values[at]));
      }),
      { numRuns: 50 },
    );
  });
});

describe('BatchEntries', () => {
  it('keeps each receipt with its tag and time', () => {
    const receipts = [new Tagged(), new Tagged()];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1), fc.nat(5), fc.nat(3))), (given) => {
        const entries = new BatchEntries();
        for (const [which, tag, timestamp] of given) entries.push(receipts[which]!, tag, timestamp);
        const got = given.map((_, at) => [
          receipts.indexOf(entries.receipt(at) as Tagged),
          entries.tag(at),
          entries.timestamp(at),
        ]);
        expect(got).toEqual(given);
        expect(entries.count).toBe(given.length);
      }),
    );
  });
});
