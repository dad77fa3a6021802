import { describe, expect, it } from '@jest/globals';
import type { FetchedRecord } from '../../src/core/records/fetched-record.ts';
import { bytes } from '../../src/serdes/bytes.ts';
import { text } from '../../src/serdes/text.ts';
import { copy } from '../../src/sources/copy.ts';
import { Decoder } from '../../src/sources/decoder.ts';
import { record } from '../../src/testing/marbles-record.ts';
import { FakeClaim } from './fake-claim.ts';

/** A record that lies in a batch with others. */
function fetched(): FetchedRecord {
  const claim = new FakeClaim();
  const seen: FetchedRecord[] = [];
  claim.start({
    onRecord: (one) => seen.push(one),
    onPressure: () => undefined,
    onEnd: () => undefined,
    onError: () => undefined,
    onRevoking: () => undefined,
    onLost: () => undefined,
  });
  claim.hand('a'.repeat(500), 'b'.repeat(20), 'c'.repeat(500));
  return seen[1]!;
}

const memoryOf = (data: unknown): number => (data as Buffer).buffer.byteLength;
const fieldsOf = ({
  topic,
  partition,
  offset,
  timestamp,
  leaderEpoch,
  key,
  value,
  headers,
}: FetchedRecord): unknown => ({
  topic,
  partition,
  offset,
  timestamp,
  leaderEpoch,
  key,
  value,
  headers: [...headers],
});

describe('a record', () => {
  it('holds all of what it was fetched with; its copy holds itself alone, and is the same', () => {
    const one = fetched();
    expect(memoryOf(one.value)).toBeGreaterThan(1_000);
    const own = copy(one);
    expect(memoryOf(own.value)).toBeLessThan(60);
    expect(fieldsOf(own)).toEqual(fieldsOf(one));
    expect(own.batch).toBeUndefined();
    expect(one.batch).toBeDefined();
    expect(memoryOf(copy(own).value)).toBeLessThan(60);
  });

  it('with formats is copied with them: bytes by themselves, anything else as it is', () => {
    const one = fetched();
    for (const formats of [{}, { value: bytes() }]) {
      const own = copy(new Decoder('orders', formats).decode(one));
      expect(String(own.value)).toBe('b'.repeat(20));
      expect(memoryOf(own.value)).toBeLessThan(60);
      expect(own).toMatchObject({ topic: one.topic, partition: one.partition, offset: one.offset });
    }
    expect(copy(new Decoder('orders', { value: text() }).decode(one)).value).toBe('b'.repeat(20));
  });

  it('of a test is copied too', () => {
    const large = Buffer.alloc(10_000);
    const own = copy(record({ key: 'k', value: large.subarray(0, 3), topic: 't' }));
    expect(own).toMatchObject({ key: 'k', topic: 't', value: Buffer.alloc(3) });
    expect(memoryOf(own.value)).toBe(3);
  });
});
