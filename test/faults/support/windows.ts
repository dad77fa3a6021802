// Windows of all kinds over one topic, and the rows that they make of it: lines of text, the same in a process that is killed and in the test that knows what they must be.
import type { Op } from '../../../src/flow/op.ts';
import type { ConsumerRecord } from '../../../src/core/records/types.ts';
import {
  hoppingWindow,
  map,
  sessionWindow,
  tumblingWindow,
  type Windowed,
} from '../../../src/operators/index.ts';

export type Line = ConsumerRecord<string, string>;
type Window = Op<Line, Windowed<string, string | null>>;

/** One of each kind: what they emit, and what is late for them, as lines. `late` writes the late ones. */
export function windowsOf(late: (name: string) => Op<Line, unknown>): readonly Op<Line, string>[] {
  const options = (name: string, graceMs: number) => ({
    name,
    graceMs,
    late: late(name),
    key: (line: Line) => line.key,
    onFull: 'fail' as const,
    seed: () => '',
    add: (row: string, line: Line) => `${row} ${line.partition}:${line.offset}`,
    merge: (one: string, other: string) => one + other,
  });
  const windows: { readonly [name: string]: Window } = {
    tumbling: tumblingWindow({ ...options('tumbling', 30), sizeMs: 100 }),
    hopping: hoppingWindow({ ...options('hopping', 30), sizeMs: 100, advanceMs: 40 }),
    session: sessionWindow({ ...options('session', 20), gapMs: 25 }),
    changes: sessionWindow({ ...options('changes', 10), gapMs: 25, emit: 'updates' }),
    device: tumblingWindow({ ...options('device', 10), sizeMs: 100, streamTime: 'key' }),
  };
  return Object.entries(windows).map(
    ([name, window]) =>
      (lines) =>
        lines.pipe(
          window,
          map(
            ({ key, start, end, value, final }) =>
              `${name} ${key} ${start}-${end} ${final}${value ?? ' taken back'}`,
          ),
        ),
  );
}

export const lateLine = (name: string, { partition, offset }: Line): string =>
  `late for ${name} ${partition}:${offset}`;

/** A topic's values, apart by partition: times of twenty keys that mostly go on, some late, and one that closes what is open. */
export function timesOf(
  records: number,
  partition: number,
): readonly { readonly key: string; readonly timestamp: number }[] {
  let state = 17 + partition;
  const draw = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
  let now = 1_000_000;
  const times = Array.from({ length: records - 1 }, () => {
    now += draw(3);
    const isLate = draw(10) === 0;
    return { key: `k${draw(20)}`, timestamp: isLate ? now - draw(90) : now };
  });
  return [...times, { key: 'end', timestamp: now + 10_000 }];
}
