// How a run or a script fails, and how soon.
import { expect } from '@jest/globals';
import type { KafkaError } from '../../../src/index.ts';
import { rejection } from '../rejection.ts';

/** What a promise rejects with, within a limit in ms, which is far above what is asked of it and far below a hang. */
export async function failsWithin<E extends Error = KafkaError>(
  limitMs: number,
  promise: Promise<unknown>,
): Promise<E> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing happened within ${limitMs} ms`)), limitMs);
  });
  const error = await rejection<E>(Promise.race([promise, late]));
  clearTimeout(timer);
  if (error.message.startsWith('nothing happened')) throw error;
  return error;
}

/** What a program branches on. */
export interface Coded extends Error {
  readonly code?: string;
  readonly errorName?: string;
  readonly retriable?: boolean;
}

/** The error beneath those that say which stage it came from. */
export function rootOf(error: Error): Coded {
  let root: Coded = error;
  while (root.code === 'STAGE_FAILED' && root.cause instanceof Error) root = root.cause;
  return root;
}

/** Fails unless every part of the error says what, where and what to do: `parts` are patterns of its message. */
export function expectClear(error: Error, fields: object, ...parts: readonly RegExp[]): void {
  expect(rootOf(error)).toMatchObject(fields);
  for (const part of parts) expect(error.message).toMatch(part);
}
