import { expect, it } from '@jest/globals';
import { fc } from '../helpers/fast-check.ts';
import { OldestFirst } from '../../src/sources/oldest-first.ts';

it('knows the smallest of what is in it, whatever came and went', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(20))), (steps) => {
      const bag = new OldestFirst();
      const model: number[] = [];
      for (const [adds, offset] of steps) {
        const at = model.indexOf(offset);
        if (adds) {
          bag.add(offset);
          model.push(offset);
        } else if (at >= 0) {
          bag.remove(offset);
          model.splice(at, 1);
        }
        expect(bag.first).toBe(model.length === 0 ? undefined : Math.min(...model));
        expect(bag.count(offset)).toBe(model.filter((one) => one === offset).length);
        expect(bag.size).toBe(new Set(model).size);
      }
    }),
  );
});
