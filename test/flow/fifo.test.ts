import { describe, expect, it } from '@jest/globals';
import { fc } from '../helpers/fast-check.ts';
import { Fifo } from '../../src/flow/fifo.ts';

describe('Fifo', () => {
  it('gives out what went in, in order, as an array would', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant('take' as const), fc.integer({ min: 1, max: 40 })), { maxLength: 200 }),
        (steps) => {
          const fifo = new Fifo<number>();
          const model: number[] = [];
          let next = 0;
          for (const step of steps) {
            if (step === 'take') expect(fifo.shift()).toBe(model.shift());
            else {
              for (let at = 0; at < step; at++) {
                fifo.push(next);
                model.push(next++);
              }
            }
            expect(fifo.size).toBe(model.length);
            expect(fifo.peek()).toBe(model[0]);
          }
        },
      ),
    );
  });

  it('is as good as new after it was long', () => {
    const fifo = new Fifo<number>();
    for (let round = 0; round < 2; round++) {
      for (let at = 0; at < 5_000; at++) fifo.push(at);
      for (let at = 0; at < 5_000; at++) expect(fifo.shift()).toBe(at);
      expect(fifo.shift()).toBeUndefined();
    }
  });
});
