import { describe, expect, it } from '@jest/globals';
import { fc } from '../helpers/fast-check.ts';
import { SizeRing } from '../../src/sources/size-ring.ts';

describe('SizeRing', () => {
  it('gives each size once, in whatever order', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.record({ add: fc.nat(1_000) }),
            fc.record({ take: fc.double({ min: 0, max: 1.1, noNaN: true }) }),
          ),
          {
            maxLength: 500,
          },
        ),
        (steps) => {
          const ring = new SizeRing();
          const model = new Map<number, number>();
          let added = 0;
          for (const step of steps) {
            if ('add' in step) {
              ring.add(added, step.add);
              model.set(added++, step.add);
            } else {
              const sequence = Math.floor(step.take * added);
              expect(ring.take(sequence)).toBe(model.get(sequence));
              model.delete(sequence);
            }
          }
          for (let sequence = -1; sequence <= added; sequence++)
            expect(ring.take(sequence)).toBe(model.get(sequence));
        },
      ),
    );
  });

  it('keeps what stays behind a million others, and takes no room for those', () => {
    const ring = new SizeRing();
    for (let sequence = 0; sequence < 1_000_000; sequence++) {
      ring.add(sequence, sequence % 7);
      if (sequence % 100_000 !== 5) ring.take(sequence);
    }
    const state = ring as unknown as { sizes: Float64Array; stragglers: Map<number, number> };
    expect(state.sizes.length).toBeLessThanOrEqual(65_536);
    expect(state.stragglers.size).toBeLessThanOrEqual(10);
    for (let at = 0; at < 10; at++) {
      const sequence = at * 100_000 + 5;
      expect(ring.take(sequence)).toBe(sequence % 7);
      expect(ring.take(sequence)).toBeUndefined();
    }
  });

  it('keeps more in flight than the ring holds', () => {
    const ring = new SizeRing();
    for (let sequence = 0; sequence < 200_000; sequence++) ring.add(sequence, sequence);
    let wrong = 0;
    for (let sequence = 199_999; sequence >= 0; sequence--) if (ring.take(sequence) !== sequence) wrong++;
    expect(wrong).toBe(0);
  });
});
