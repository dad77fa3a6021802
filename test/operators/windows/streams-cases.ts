// Cases that Kafka Streams was given, see test/golden/windows/GenerateWindows.java, and the same for the windows of this library.
import { hoppingWindow, sessionWindow, tumblingWindow, type Windowed } from '../../../src/operators/index.ts';
import type { Op } from '../../../src/flow/op.ts';
import { collect } from '../../flow/manual-source.ts';
import { CommittingSource } from './committing-source.ts';

type Input = readonly [key: string | null, timestamp: number, value: string | null];
type Row = readonly [key: string, start: number, end: number, value: string | null];

export interface StreamsCase {
  readonly kind: 'tumbling' | 'hopping' | 'session';
  readonly emit: 'updates' | 'suppress' | 'close';
  readonly policy: 'fail' | 'skip' | 'use-stream-time';
  readonly sizeMs?: number;
  readonly advanceMs?: number;
  readonly gapMs?: number;
  readonly graceMs: number;
  readonly input: readonly Input[];
  /** For each input the rows that came of it. */
  readonly output: readonly (readonly Row[])[];
}

/** A window as the case has it, emitting what Kafka Streams emits for it, and the last rows. */
export function windowOf({
  kind,
  emit,
  policy,
  graceMs,
  ...sizes
}: StreamsCase): Op<Input, Windowed<string | null, string | null>> {
  const options = {
    graceMs,
    key: ([key]: Input) => key,
    timestamp: ([, timestamp]: Input) => timestamp,
    onInvalidTimestamp: policy,
    onFull: 'fail' as const,
    seed: () => '',
    add: (row: string, [, , value]: Input) => row + (value ?? '-'),
    merge: (one: string, other: string) => one + other,
  };
  const changes = emit === 'updates' ? 'updates' : 'final';
  if (kind === 'tumbling') return tumblingWindow({ ...options, emit: changes, sizeMs: sizes.sizeMs! });
  if (kind === 'hopping')
    return hoppingWindow({ ...options, emit: changes, sizeMs: sizes.sizeMs!, advanceMs: sizes.advanceMs! });
  return changes === 'updates'
    ? sessionWindow({ ...options, emit: 'updates', gapMs: sizes.gapMs! })
    : sessionWindow({ ...options, gapMs: sizes.gapMs! });
}

/** What this library makes of the case, in the form of its output. */
export function play(one: StreamsCase): Row[][] {
  const source = new CommittingSource<Input>();
  const { values } = collect(source.flow.pipe(windowOf(one)));
  return one.input.map((input) => {
    source.emit(input);
    return values
      .splice(0)
      .filter(({ final }) => final === (one.emit !== 'updates'))
      .map(({ key, start, end, value }) => [key!, start, end, value]);
  });
}

/** Windows that close together are emitted in no order that anyone could rely on. Updates are. */
export function sorted({ emit }: StreamsCase, output: readonly (readonly Row[])[]): string[][] {
  return output.map((rows) => {
    const texts = rows.map((row) => JSON.stringify(row));
    return emit === 'updates' ? texts : texts.sort();
  });
}
