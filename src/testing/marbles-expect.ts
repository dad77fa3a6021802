import { isDeepStrictEqual, inspect } from 'node:util';
import { TestScheduler } from 'rxjs/testing';
import { UsageError } from '../errors.ts';
import { drawMarbles } from './marbles-diagram.ts';

/** One notification at one moment of virtual time. */
export interface Message {
  readonly frame: number;
  readonly kind: 'next' | 'error' | 'complete';
  readonly value?: unknown;
}

/** What a test says should happen: a diagram, and what it and its marks stand for. */
export interface Expectation {
  readonly marbles: string;
  readonly values: { readonly [mark: string]: unknown } | undefined;
  readonly messages: readonly Message[];
}

/** To be made while the test runs: how long a character is depends on it. */
export function expectationOf(
  marbles: string,
  values?: { readonly [mark: string]: unknown },
  error?: unknown,
): Expectation {
  return { marbles, values, messages: parseMarbles(marbles, values, error) };
}

/** The messages a diagram stands for; marks without a value stand for themselves. */
export function parseMarbles(
  marbles: string,
  values?: { readonly [mark: string]: unknown },
  error: unknown = 'error',
): Message[] {
  return TestScheduler.parseMarbles(marbles, values, error, true, true).map(({ frame, notification }) => {
    if (notification.kind === 'N') return { frame, kind: 'next', value: notification.value as unknown };
    if (notification.kind === 'E') return { frame, kind: 'error', value: notification.error as unknown };
    return { frame, kind: 'complete' };
  });
}

/** The moment of the `!` in a diagram. */
export function momentOf(marbles: string): number {
  const moment = marbles.includes('!') ? momentIn(marbles) : undefined;
  if (moment === undefined) throw new UsageError(`no ! in '${marbles}'`);
  return moment;
}

/** A mark that no diagram uses. */
const MOMENT = '\uE000';

/** The moment of the `!` in a diagram that may have more in it; undefined when there is none. */
export function momentIn(marbles: string): number | undefined {
  return parseMarbles(marbles.replace('!', MOMENT)).find(({ value }) => value === MOMENT)?.frame;
}

function line({ frame, kind, value }: Message): string {
  return `  ${frame} ms: ${kind}${kind === 'complete' ? '' : ` ${inspect(value, { depth: 4, breakLength: Infinity })}`}`;
}

function list(messages: readonly Message[]): string {
  return messages.length === 0 ? '  (nothing)' : messages.map(line).join('\n');
}

/** Throws when what happened is not what the diagram says, showing both as diagrams and as lists. */
export function expectMarbles(what: string, actual: readonly Message[], expectation: Expectation): void {
  const { marbles, values, messages: expected } = expectation;
  if (isDeepStrictEqual(actual, expected)) return;
  const { diagram, legend } = drawMarbles(actual, values);
  const where = legend.length === 0 ? '' : `\nwhere ${legend.join(', ')}`;
  throw new Error(
    `${what}\n  expected  ${marbles === '' ? '(nothing)' : marbles}\n  got       ${diagram}${where}\nexpected\n${list(expected)}\ngot\n${list(actual)}`,
  );
}

/** Throws when the two differ, showing both. */
export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const show = (value: unknown): string => inspect(value, { depth: 4, breakLength: Infinity });
  throw new Error(`${what}\n  expected  ${show(expected)}\n  got       ${show(actual)}`);
}
