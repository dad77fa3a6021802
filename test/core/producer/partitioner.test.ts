import { describe, expect, it } from '@jest/globals';
import { murmur2 } from '../../../src/core/producer/murmur2.ts';
import {
  partitionerByName,
  toPositive,
  type PartitionerName,
} from '../../../src/core/producer/partitioner.ts';

function hash(text: string): number {
  const bytes = Buffer.from(text);
  return murmur2(bytes, 0, bytes.length);
}

describe('murmur2', () => {
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('gives %j the value the Java client gives it', (text, expected) => {
    expect(hash(text)).toBe(expected);
  });

  it('hashes the part of a buffer it is given', () => {
    const bytes = Buffer.from('xxfoobaryy');
    expect(murmur2(bytes, 2, 8)).toBe(-790332482);
  });

  it('drops the sign bit as Java does', () => {
    expect(toPositive(-973932308)).toBe(1173551340);
    expect(toPositive(-2147483648)).toBe(0);
    expect(toPositive(7)).toBe(7);
  });
});

const vectors: readonly (readonly [string, ...(readonly [PartitionerName, number, number])[]])[] = [
  ['', ['fnv1a', 0, 5], ['fnv1a-reference', 2, 3], ['crc32', 0, 0], ['murmur2', 0, 1]],
  ['a', ['fnv1a', 0, 6], ['fnv1a-reference', 2, 2], ['crc32', 0, 7], ['murmur2', 1, 4]],
  ['foobar', ['fnv1a', 0, 6], ['fnv1a-reference', 2, 2], ['crc32', 2, 9], ['murmur2', 0, 6]],
  ['21', ['fnv1a', 0, 2], ['fnv1a-reference', 2, 6], ['crc32', 1, 2], ['murmur2', 0, 0]],
  ['hello sarama kafka', ['fnv1a', 1, 6], ['fnv1a-reference', 1, 6], ['crc32', 1, 0], ['murmur2', 1, 4]],
  ['键', ['fnv1a', 2, 2], ['fnv1a-reference', 0, 6], ['crc32', 0, 6], ['murmur2', 0, 6]],
];

describe('partitioners by name', () => {
  const rows = vectors.flatMap(([key, ...cells]) =>
    cells.map(([name, of3, of10]) => [name, key, of3, of10] as const),
  );

  it.each(rows)('%s sends %j to %d of 3 and %d of 10', (name, key, of3, of10) => {
    const partition = partitionerByName(name)!;
    expect(partition(key, 3)).toBe(of3);
    expect(partition(key, 10)).toBe(of10);
    expect(partition(Buffer.from(key), 10)).toBe(of10);
  });

  it('sends a long text key where its bytes go', () => {
    const key = 'schlüssel-'.repeat(300);
    const partition = partitionerByName('murmur2')!;
    expect(partition(key, 1000)).toBe(partition(Buffer.from(key), 1000));
  });

  it('leaves a record without a key to the producer', () => {
    expect(partitionerByName('murmur2')!(null, 3)).toBeUndefined();
    expect(partitionerByName('crc32')!(null, 3)).toBeUndefined();
  });

  it('knows no other names', () => {
    expect(partitionerByName('toString' as PartitionerName)).toBeUndefined();
  });
});
