// Killed and restarted at any moment, from any commit: the rows are those of one clean run, each possibly several times, and never another one.
import { describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import { Observable } from 'rxjs';
import type { ConsumerRecord } from '../../../src/core/records/types.ts';
import type { Delivery } from '../../../src/flow/delivery.ts';
import type { Op } from '../../../src/flow/op.ts';
import {
  flatMap,
  hoppingWindow,
  mapAsync,
  sessionWindow,
  tumblingWindow,
  type Windowed,
} from '../../../src/operators/index.ts';
import { CommittingSource } from './committing-source.ts';

interface Value {
  readonly offset: number;
  readonly key: string;
  readonly time: number;
}

type Row = Windowed<string, string | null>;

/** One life of a claim of a log: reads from its start offset, and knows what may be committed. */
class Life extends CommittingSource<Value> {
  private next: number;

  constructor(start: Commit) {
    super(start.metadata);
    this.next = start.offset;
  }

  hand(log: readonly Value[]): boolean {
    const value = log[this.next];
    if (value === undefined) return false;
    const offset = this.next++;
    this.emit(value, 0, { offset, timestamp: value.time } as ConsumerRecord);
    return true;
  }

  point(): Commit {
    const [first] = this.unsettledBetween(0, Infinity);
    const offset = first ?? this.next;
    return { offset, metadata: this.commit(offset) };
  }
}

interface Commit {
  readonly offset: number;
  readonly metadata: string;
}

interface Shape {
  readonly kind: number;
  readonly size: number;
  readonly advance: number;
  readonly grace: number;
  readonly updates: boolean;
  readonly perKey: boolean;
  readonly copies: number;
}

function windowOf(
  { kind, size, advance, grace, updates, perKey }: Shape,
  late: Op<Value, unknown>,
): Op<Value, Row> {
  const options = {
    graceMs: grace,
    key: ({ key }: Value) => key,
    timestamp: ({ time }: Value) => time,
    onFull: 'fail' as const,
    streamTime: perKey ? ('key' as const) : ('partition' as const),
    late,
    seed: () => '',
    add: (row: string, { offset }: Value) => `${row}${offset},`,
    merge: (one: string, other: string) => one + other,
  };
  const emit = updates ? 'updates' : 'final';
  if (kind === 0) return tumblingWindow({ ...options, emit, sizeMs: size });
  if (kind === 1)
    return hoppingWindow({ ...options, emit, sizeMs: size, advanceMs: Math.min(advance, size) });
  return emit === 'updates'
    ? sessionWindow({ ...options, emit, gapMs: size })
    : sessionWindow({ ...options, emit, gapMs: size });
}

interface Started {
  readonly life: Life;
  readonly rows: Delivery<Row>[];
  /** Late values on their way. */
  readonly late: (() => void)[];
  readonly stop: () => void;
}

/** What was written, as far as it is known to be. */
interface Seen {
  readonly rows: string[];
  readonly late: string[];
}

function start(shape: Shape, from: Commit, seen: Seen): Started {
  const life = new Life(from);
  const rows: Delivery<Row>[] = [];
  const copies = flatMap((value: Value) => Array.from({ length: shape.copies }, () => value));
  const late: (() => void)[] = [];
  const write = ({ offset }: Value): Observable<unknown> =>
    new Observable((out) => {
      late.push(() => {
        seen.late.push(String(offset));
        out.next(offset);
        out.complete();
      });
    });
  const writeLate = mapAsync(write, { concurrency: 1_000, order: 'none' });
  const subscription = life.flow.pipe(copies, windowOf(shape, writeLate)).subscribe((row) => {
    seen.rows.push(JSON.stringify(row.value));
    rows.push(row);
  });
  return { life, rows, late, stop: () => subscription.unsubscribe() };
}

function settle<T>(list: T[], which: number, act: (one: T) => void): void {
  for (const one of list.splice(which % Math.max(1, list.length), 1)) act(one);
}

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)].sort();

const shapes = fc.record({
  kind: fc.nat(2),
  size: fc.integer({ min: 1, max: 12 }),
  advance: fc.integer({ min: 1, max: 12 }),
  grace: fc.nat(10),
  updates: fc.boolean(),
  perKey: fc.boolean(),
  copies: fc.constantFrom(1, 1, 2),
});
const logs = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), step: fc.nat(6), back: fc.nat(40) }), {
  minLength: 5,
  maxLength: 60,
});
/** What is done between values: rows are settled, a commit is made, the process is killed. */
const acts = fc.array(fc.tuple(fc.nat(99), fc.nat(20)), { minLength: 10, maxLength: 200 });

describe('windows and restarts', () => {
  it('make the rows of one clean run, whatever was committed when the process was killed', () => {
    fc.assert(
      fc.property(shapes, logs, acts, (shape, steps, todo) => {
        let now = 100;
        const log = steps.map(({ key, step, back }, offset) => {
          now += step;
          return { offset, key, time: Math.max(0, back > 20 ? now - (back - 20) : now) };
        });
        const finish = ({ life, rows, late }: Started): void => {
          do {
            for (const row of rows.splice(0)) row.ack();
            for (const written of late.splice(0)) written();
          } while (life.hand(log));
        };
        const nothing: Commit = { offset: 0, metadata: '' };
        const clean: Seen = { rows: [], late: [] };
        finish(start(shape, nothing, clean));
        const isClean = (seen: Seen): void => {
          expect(distinct(seen.rows)).toEqual(distinct(clean.rows));
          expect(distinct(seen.late)).toEqual(distinct(clean.late));
        };

        const seen: Seen = { rows: [], late: [] };
        let commit = nothing;
        let one = start(shape, commit, seen);
        const act = (what: number, which: number): void => {
          if (what < 50) one.life.hand(log);
          else if (what < 65) settle(one.rows, which, (row) => row.ack());
          else if (what < 75) settle(one.late, which, (written) => written());
          else if (what < 85) for (const row of one.rows.splice(0)) row.ack();
          else if (what < 97) {
            commit = one.life.point();
            // As if it was killed now.
            const after: Seen = { rows: [...seen.rows], late: [...seen.late] };
            finish(start(shape, commit, after));
            isClean(after);
          } else {
            one.stop();
            one = start(shape, commit, seen);
          }
        };
        for (const [what, which] of todo) act(what, which);
        finish(one);
        isClean(seen);
        expect(one.life.problems).toEqual([]);
        expect(commit.metadata.length).toBeLessThanOrEqual(4_096);
      }),
      { numRuns: 250 },
    );
  });
});
