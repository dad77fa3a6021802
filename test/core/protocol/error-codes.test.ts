import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { errorCode, ERRORS } from '../../../src/core/protocol/error-codes.ts';

interface GoldenError {
  readonly code: number;
  readonly name: keyof typeof ERRORS;
  readonly retriable: boolean;
}

const kafka = JSON.parse(readFileSync('test/golden/protocol/error-codes.json', 'utf8')) as GoldenError[];

describe('the error table', () => {
  it('has Kafka’s codes, names and retriable flags, all of them and no other', () => {
    const ours = kafka.map(({ code }) => {
      const { name, retriable } = errorCode(code);
      return { code, name, retriable };
    });
    expect(ours).toEqual(kafka);
    expect(Object.keys(ERRORS)).toHaveLength(kafka.length);
    for (const { code, name } of kafka) expect(ERRORS[name]).toBe(code);
  });

  it('says something about each', () => {
    for (const { code } of kafka) expect(errorCode(code).message).toMatch(/^\S.{5,}[^.]$/);
  });

  it('keeps the number of a code it does not know', () => {
    expect(errorCode(4711)).toEqual({
      code: 4711,
      name: 'UNKNOWN_SERVER_ERROR',
      retriable: false,
      message: 'error code 4711, which this client does not know',
    });
  });
});
