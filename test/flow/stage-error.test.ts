import { inspect } from 'node:util';
import { expect, it } from '@jest/globals';
import { StageError } from '../../src/flow/stage-error.ts';

it('a stage error carries its value and does not print it', () => {
  const error = new StageError({
    stage: 'charge',
    value: { card: '4111 1111' },
    attempt: 2,
    origins: [],
    cause: new Error('no answer'),
  });
  expect(error.value).toEqual({ card: '4111 1111' });
  expect(error.origins).toEqual([]);
  expect(inspect(error)).toContain('stage charge failed, attempt 2: no answer');
  for (const text of [inspect(error), JSON.stringify(error), String(error)])
    expect(text).not.toContain('4111');
});
