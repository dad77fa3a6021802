// What windows infer: keys and rows, and that a session that is taken back has no value.
import { expect, it } from '@jest/globals';
import { expectTypeOf } from 'expect-type';
import type { Op } from '../../src/index.ts';
import {
  hoppingWindow,
  processingTimeWindow,
  sessionWindow,
  tumblingWindow,
  type Windowed,
} from '../../src/operators/index.ts';

interface Hit {
  readonly page: string;
  readonly at: number;
}

const options = { graceMs: 0, onFull: 'fail', key: (hit: Hit) => hit.page } as const;
const counts = { seed: () => 0, add: (n: number) => n + 1, merge: (n: number, m: number) => n + m };

it('windows infer their keys and rows', () => {
  const tumbling = tumblingWindow({ ...options, ...counts, sizeMs: 1 });
  const hopping = hoppingWindow({ ...options, ...counts, sizeMs: 2, advanceMs: 1 });
  const session = sessionWindow({ ...options, ...counts, gapMs: 1 });
  const changes = sessionWindow({ ...options, ...counts, gapMs: 1, emit: 'updates' });
  const processing = processingTimeWindow({ ...counts, sizeMs: 1, key: options.key });
  expectTypeOf(tumbling).toEqualTypeOf<Op<Hit, Windowed<string, number>>>();
  expectTypeOf(hopping).toEqualTypeOf<Op<Hit, Windowed<string, number>>>();
  expectTypeOf(session).toEqualTypeOf<Op<Hit, Windowed<string, number>>>();
  expectTypeOf(changes).toEqualTypeOf<Op<Hit, Windowed<string, number | null>>>();
  expectTypeOf(processing).toEqualTypeOf<Op<Hit, Windowed<string, number>>>();
  // @ts-expect-error -- what to do when the span is full is always chosen
  expect(() => tumblingWindow({ ...counts, graceMs: 0, key: options.key, sizeMs: 1 })).toThrow(/onFull/);
  // @ts-expect-error -- and so is the grace
  expect(() => tumblingWindow({ ...counts, onFull: 'fail', key: options.key, sizeMs: 1 })).toThrow(/graceMs/);
});
