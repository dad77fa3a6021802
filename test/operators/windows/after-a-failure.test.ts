// A record that was refused comes again after a restart or a rewind. Its window must not count as done then, whatever came after it in the meantime.
import { describe, expect, it } from '@jest/globals';
import type { Op } from '../../../src/flow/op.ts';
import {
  fail,
  hoppingWindow,
  map,
  rewind,
  sessionWindow,
  tumblingWindow,
  type Windowed,
} from '../../../src/operators/index.ts';
import { collect } from '../../flow/manual-source.ts';
import { CommittingSource } from './committing-source.ts';
import { HITS, type Hit } from './hits.ts';

const FURTHER: readonly Hit[] = [...HITS, { name: 'f', at: 2_000 }];

const POLICIES = { fail, rewind: rewind({ attempts: 3 }) };
const KINDS = ['tumblingWindow', 'hoppingWindow', 'sessionWindow'] as const;
const STREAM_TIMES = ['partition', 'key'] as const;

interface Shape {
  readonly kind: (typeof KINDS)[number];
  readonly streamTime: (typeof STREAM_TIMES)[number];
  readonly policy: keyof typeof POLICIES;
  readonly where: 'before the window' | 'in the window';
}

const SHAPES: readonly Shape[] = KINDS.flatMap((kind) =>
  STREAM_TIMES.flatMap((streamTime) =>
    (['fail', 'rewind'] as const).flatMap((policy) =>
      (['before the window', 'in the window'] as const).map((where) => ({ kind, streamTime, policy, where })),
    ),
  ),
);

function stages(
  { kind, streamTime, policy, where }: Shape,
  isBroken: boolean,
): [Op<Hit, Hit>, Op<Hit, Windowed<string, string>>] {
  const onError = POLICIES[policy];
  const check = (at: Shape['where'], { name }: Hit): void => {
    if (isBroken && where === at && name === 'b') throw new Error('out of order');
  };
  const before = map(
    (hit: Hit) => {
      check('before the window', hit);
      return hit;
    },
    { onError },
  );
  const options = {
    graceMs: 0,
    streamTime,
    key: () => 'all',
    timestamp: ({ at }: Hit) => at,
    onFull: 'fail' as const,
    seed: () => '',
    add: (row: string, hit: Hit) => {
      check('in the window', hit);
      return row + hit.name;
    },
    merge: (one: string, other: string) => one + other,
    onError,
  };
  if (kind === 'tumblingWindow') return [before, tumblingWindow({ ...options, sizeMs: 100 })];
  if (kind === 'hoppingWindow') return [before, hoppingWindow({ ...options, sizeMs: 100, advanceMs: 100 })];
  return [before, sessionWindow({ ...options, gapMs: 50 })];
}

/** Reads from an offset; where it may go on afterwards, with what goes along. */
function read(
  shape: Shape,
  isBroken: boolean,
  from: number,
  metadata: string,
): { rows: string[]; offset: number; metadata: string } {
  const source = new CommittingSource<Hit>(metadata);
  const [before, window] = stages(shape, isBroken);
  const out = collect(source.flow.pipe(before, window));
  FURTHER.slice(from).forEach((hit, at) => source.emit(hit, 0, { offset: from + at } as never));
  const settled = source.marked('ack').split(' ').filter(Boolean).length;
  const offset = isBroken ? 1 : from + settled;
  const next = source.commit(offset);
  out.stop();
  return { rows: out.values.map(({ value }) => value), offset, metadata: next };
}

describe('a window after a failure', () => {
  it.each(SHAPES)(
    '$kind by the time of the $streamTime, $policy $where: the record is in its row',
    (shape) => {
      const first = read(shape, true, 0, '');
      // What came after the failure is left to be read again as well.
      expect(first.rows.filter((row) => row.includes('c') || row.includes('d'))).toEqual([]);
      const second = read(shape, false, first.offset, first.metadata);
      expect([...first.rows, ...second.rows].filter((row) => row.includes('b'))).not.toEqual([]);
      expect(second.rows.slice(-2)).toEqual(['cd', 'e']);
    },
  );
});
