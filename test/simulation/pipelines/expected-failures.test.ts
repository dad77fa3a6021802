import { describe, expect, it } from '@jest/globals';
import { BrokerError, ProtocolError, TimeoutError } from '../../../src/errors.ts';
import { isExpected } from './expected-failures.ts';
import { Injected } from './pipeline.ts';
import type { Act } from './scenario.ts';

const fault = (does: (Act & { act: 'fault' })['does']): Act => ({
  afterMs: 0,
  act: 'fault',
  api: 'OffsetCommit',
  does,
  error: 'NOT_COORDINATOR',
  count: 4,
});
const around = (acts: readonly Act[] = [], rest = {}) => ({
  scenario: { acts },
  isEnding: false,
  isMended: false,
  ...rest,
});
const late = (cause: unknown) =>
  new TimeoutError('OffsetCommit of group one did not succeed', { afterMs: 5000, sent: true, cause });
const broken = late(new ProtocolError('The broker answered request 4 where the answer to 3 is due'));

describe('a failure of a simulated member', () => {
  it('is expected where it was made on purpose, however deep', () => {
    const deep = new AggregateError([new Error('outer', { cause: new Injected('made') })]);
    expect(isExpected(deep, around([], { isMended: true }))).toBe(true);
    expect(isExpected(new Error('made'), around())).toBe(false);
  });

  it('is expected of a sink where the cluster refuses or the sink gives up, until all is mended', () => {
    const refusal = new BrokerError('INVALID_RECORD', 'no', {
      api: 'Produce',
      topic: 'out',
      retriable: false,
    });
    const acts: Act[] = [{ afterMs: 0, act: 'refuse', error: 'INVALID_RECORD', applies: false, count: 1 }];
    expect(isExpected(refusal, around(acts))).toBe(true);
    expect(isExpected(refusal, around(acts, { isMended: true }))).toBe(false);
    expect(isExpected(refusal, around())).toBe(false);
  });

  it('is expected of the commits of one that is to end, or whose coordinator leaves answers out', () => {
    expect(isExpected(late(undefined), around([], { isEnding: true }))).toBe(true);
    expect(isExpected(late(undefined), around([fault('dropRequest')]))).toBe(false);
    for (const does of ['applyThenDropResponse', 'dropRequest'] as const) {
      expect(isExpected(broken, around([fault(does)]))).toBe(true);
      expect(isExpected(broken, around([fault(does)], { isMended: true }))).toBe(false);
    }
    expect(isExpected(broken, around([fault('error')]))).toBe(false);
  });
});
