import { describe, expect, it } from '@jest/globals';
import { OffsetStash } from '../../../src/core/offsets/offset-stash.ts';
import { UsageError } from '../../../src/errors.ts';

describe('OffsetStash', () => {
  it('keeps the furthest mark of each partition, with the metadata that came with it', () => {
    const stash = new OffsetStash();
    expect(stash.markNextOffset('a', 0, 10, 'ten')).toBe(true);
    expect(stash.markNextOffset('a', 0, 5, 'five')).toBe(false);
    expect(stash.markMessage({ topic: 'a', partition: 0, offset: 11, leaderEpoch: 3 })).toBe(true);
    stash.markMessage({ topic: 'b', partition: 2, offset: 0 });
    expect([...stash]).toEqual([
      { topic: 'a', partition: 0, offset: 12, metadata: 'ten', leaderEpoch: 3 },
      { topic: 'b', partition: 2, offset: 1, metadata: undefined, leaderEpoch: -1 },
    ]);
    expect(stash.size).toBe(2);
  });

  it('keeps the smallest reset', () => {
    const stash = new OffsetStash();
    expect(stash.resetOffset('a', 0, 10)).toBe(true);
    expect(stash.resetOffset('a', 0, 4, 'back')).toBe(true);
    expect(stash.resetOffset('a', 0, 7)).toBe(false);
    expect([...stash]).toEqual([{ topic: 'a', partition: 0, offset: 4, metadata: 'back', leaderEpoch: -1 }]);
  });

  it.each([-1, 1.5, NaN, 2 ** 53])('refuses %p as an offset', (offset) => {
    const stash = new OffsetStash();
    expect(() => stash.markNextOffset('a', 0, offset)).toThrow(UsageError);
    expect(() => stash.resetOffset('a', 0, offset)).toThrow(UsageError);
    expect(stash.size).toBe(0);
  });
});
