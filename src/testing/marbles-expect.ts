import { isDeepStrictEqual, inspect } from 'node:util';
import { TestScheduler } from 'rxjs/testing';

/** One notification at one moment of virtual time. */
export interface Message {
  readonly frame: number;
  readonly kind: 'next' | 'error' | 'complete';
  readonly value?: unknown;
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

function line({ frame, kind, value }: Message): string {
  return `  ${frame} ms: ${kind}${kind === 'complete' ? '' : ` ${inspect(value, { depth: 4, breakLength: Infinity })}`}`;
}

function list(messages: readonly Message[]): string {
  return messages.length === 0 ? '  (nothing)' : messages.map(line).join('\n');
}

/** Throws when the two differ, showing both. */
export function expectMessages(what: string, actual: readonly Message[], expected: readonly Message[]): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`${what}\nexpected\n${list(expected)}\ngot\n${list(actual)}`);
}
