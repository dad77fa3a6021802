// Draws what happened as a marble diagram, so that a failing test shows two diagrams of the same kind.
import { inspect, isDeepStrictEqual } from 'node:util';
import type { Message } from './marbles-expect.ts';

/** Longer pauses are written as a time. */
const LONGEST_DASHES = 20;
const SPARE_MARKS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'.split('');
const NO_ROOM = '(not drawn: more happens at one time than a diagram has room for)';

/** Gives values their marks: those of the test, a letter to a letter, spare ones to what the test does not know. */
class Marks {
  readonly spare: string[] = [];
  private readonly values: readonly (readonly [string, unknown])[];
  private readonly made: [string, unknown][] = [];

  constructor(values: { readonly [mark: string]: unknown } = {}) {
    this.values = Object.entries(values);
  }

  of(value: unknown): string {
    for (const [mark, known] of [...this.values, ...this.made])
      if (isDeepStrictEqual(known, value)) return mark;
    const isTaken = (mark: string): boolean =>
      [...this.values, ...this.made].some(([known]) => known === mark);
    if (typeof value === 'string' && /^[\p{L}\p{N}]$/u.test(value) && !isTaken(value)) return value;
    const mark = SPARE_MARKS.find((one) => !isTaken(one)) ?? '?';
    this.made.push([mark, value]);
    this.spare.push(`${mark} = ${inspect(value, { depth: 4, breakLength: Infinity })}`);
    return mark;
  }
}

/** The diagram of the messages, and the meaning of marks that are not among `values`. */
export function drawMarbles(
  messages: readonly Message[],
  values?: { readonly [mark: string]: unknown },
): { readonly diagram: string; readonly legend: readonly string[] } {
  const marks = new Marks(values);
  const drawn = new Map<number, string>();
  for (const { frame, kind, value } of messages) {
    const mark = kind === 'complete' ? '|' : kind === 'error' ? '#' : marks.of(value);
    drawn.set(frame, (drawn.get(frame) ?? '') + mark);
  }
  let diagram = '';
  let at = 0;
  for (const [frame, text] of [...drawn].sort(([a], [b]) => a - b)) {
    if (frame < at) return { diagram: NO_ROOM, legend: [] };
    diagram += pause(frame - at, diagram === '');
    diagram += text.length === 1 ? text : `(${text})`;
    at = frame + (text.length === 1 ? 1 : text.length + 2);
  }
  return { diagram: diagram === '' ? '(nothing)' : diagram, legend: marks.spare };
}

function pause(frames: number, first: boolean): string {
  if (frames <= LONGEST_DASHES) return '-'.repeat(frames);
  return `${first ? '' : ' '}${frames}ms `;
}
