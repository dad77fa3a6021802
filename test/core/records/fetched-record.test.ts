import { describe, expect, it } from '@jest/globals';
import { BatchBuilder } from '../../../src/core/records/batch-builder.ts';
import { stampOffsets } from '../../../src/core/records/batch-header.ts';
import { emptyHeaders } from '../../../src/core/records/headers.ts';
import { parseBatches } from '../../../src/core/records/record-batch.ts';
import { recordsOf } from './describe.ts';
import { plain } from './forge.ts';

function records() {
  const builder = new BatchBuilder(1 << 20);
  builder.tryAppend('first', 'value', undefined, 1_760_000_000_000);
  builder.tryAppend(
    'schlüssel',
    'wert ✓',
    [
      ['h', 'x'],
      ['h', null],
    ],
    1_760_000_000_500,
  );
  builder.tryAppend(null, null, undefined, -1);
  builder.tryAppend('', '', { only: 'one' }, 5);
  const bytes = builder.seal(plain);
  stampOffsets(bytes, 70, 4);
  const [batch] = [...parseBatches(bytes, { topic: 'topic', partition: 2 })];
  return { batch: batch!, bytes, records: recordsOf(batch!) };
}

function everything(record: ReturnType<typeof recordsOf>[number]) {
  return {
    where: [record.topic, record.partition, record.offset, record.leaderEpoch, record.timestampType],
    timestamp: [record.timestamp, record.timestampBigInt],
    key: record.key?.toString() ?? null,
    value: record.value?.toString() ?? null,
    texts: [record.keyText, record.valueText],
    headers: [...record.headers].map(([name, value]) => [name, value?.toString()]),
    bytes: record.bytes,
  };
}

describe('FetchedRecord', () => {
  it('tells null from empty', () => {
    const [, , nulls, empties] = records().records;
    expect([nulls!.key, nulls!.value, nulls!.keyText, nulls!.valueText]).toEqual([null, null, null, null]);
    expect([empties!.key, empties!.value]).toEqual([Buffer.alloc(0), Buffer.alloc(0)]);
    expect([empties!.keyText, empties!.valueText]).toEqual(['', '']);
  });

  it('shows views of its batch, the same at every look', () => {
    const { records: all, bytes } = records();
    const record = all[1]!;
    expect(record.value!.buffer).toBe(bytes.buffer);
    expect(record.value).toBe(record.value);
    expect(record.key).toBe(record.key);
    expect(record.headers).toBe(record.headers);
    expect(all[0]!.headers).toBe(emptyHeaders);
  });

  it('is the same after compact, off its batch', () => {
    const { records: all, batch, bytes } = records();
    for (const record of all) {
      const before = everything(record);
      expect(record.batch).toBe(batch);
      record.compact();
      expect(record.batch).toBeUndefined();
      expect(everything(record)).toEqual(before);
      if (record.value !== null) expect(record.value.buffer).not.toBe(bytes.buffer);
      record.compact();
      expect(everything(record)).toEqual(before);
    }
  });

  it('keeps its bytes when the batch memory is overwritten after compact', () => {
    const { records: all, bytes } = records();
    const before = all.map(everything);
    for (const record of all) record.compact();
    bytes.fill(0xff);
    expect(all.map(everything)).toEqual(before);
  });
});
