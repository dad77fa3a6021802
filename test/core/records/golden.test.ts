import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { CorruptRecordError } from '../../../src/errors.ts';
import { controlType } from '../../../src/core/records/control-records.ts';
import { parseBatches } from '../../../src/core/records/record-batch.ts';
import { describeBatches, recordsOf } from './describe.ts';

const folder = 'test/golden/records';
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));
const origin = { topic: 'golden', partition: 0 };

function golden(name: string): Buffer {
  return readFileSync(`${folder}/${name}.bin`);
}

interface GoldenBatch {
  maxTimestamp: string | number;
}

describe('batches written by Java', () => {
  it('are all there', () => {
    expect(names).toHaveLength(16);
  });

  it.each(names)('%s reads as Java reads it', async (name) => {
    const expected = JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8')) as GoldenBatch[];
    // A header's maxTimestamp is the nearest number; a record's own is compared exactly.
    for (const batch of expected) batch.maxTimestamp = Number(batch.maxTimestamp);
    expect(await describeBatches(golden(name))).toEqual(expected);
  });

  it('show no record of a control batch, and its type by controlType', () => {
    const batches = [...parseBatches(golden('transaction'), origin)];
    expect(
      batches.map((batch) => [batch.isControl, batch.isControl ? controlType(batch) : undefined]),
    ).toEqual([
      [false, undefined],
      [true, 'abort'],
      [true, 'commit'],
      [false, undefined],
    ]);
    expect(recordsOf(batches[1]!)).toEqual([]);
  });

  it('of nanosecond timestamps give the nearest number and the exact bigint', () => {
    const records = recordsOf([...parseBatches(golden('nanoseconds'), origin)][0]!);
    expect(records.map((record) => record.timestampBigInt)).toEqual(
      [0n, 1n, 2n, 3n, 4n].map((i) => 1_760_000_000_123_456_789n + i * 1001n),
    );
    expect(records.map((record) => record.timestamp)).toEqual(
      records.map((record) => Number(record.timestampBigInt)),
    );
  });

  it.each([0, 1])('in the old format v%i are refused by name', (magic) => {
    const read = () => [...parseBatches(golden(`magic-${magic}`), origin)];
    expect(read).toThrow(CorruptRecordError);
    expect(read).toThrow(`old message format v${magic}`);
  });
});
