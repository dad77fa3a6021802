import { describe, expect, it } from '@jest/globals';
import { resolveAssignors } from '../../src/core/group/assignors/named.ts';
import { resolveGroupTimes } from '../../src/core/group/options.ts';
import { UsageError } from '../../src/errors.ts';

const base = { groupId: 'g', topics: ['t'] };

describe('G-02: defaults of a group', () => {
  it("are Java's where Java has one", () => {
    expect({ ...resolveGroupTimes(base), assignors: resolveAssignors(undefined).map(({ name }) => name) })
      .toMatchInlineSnapshot(`
      {
        "assignors": [
          "range",
          "cooperative-sticky",
        ],
        "commitEveryRecords": 10000,
        "commitIntervalMs": 5000,
        "commitTimeoutMs": 5000,
        "drainTimeoutMs": 30000,
        "heartbeatIntervalMs": 3000,
        "metadataMaxAgeMs": 300000,
        "rebalanceTimeoutMs": 60000,
        "sessionTimeoutMs": 45000,
      }
    `);
  });

  it('heartbeats are below the session, and a drain fits into a rebalance', () => {
    expect(() => resolveGroupTimes({ ...base, heartbeatIntervalMs: 45_000 })).toThrow(UsageError);
    expect(() => resolveGroupTimes({ ...base, drainTimeoutMs: 60_000 })).toThrow(/rebalanceTimeoutMs/);
  });

  it.each([
    ['groupInstanceId', { groupInstanceId: 'with space' }],
    ['groupInstanceId', { groupInstanceId: 'x'.repeat(250) }],
    ['excludeTopics', { excludeTopics: ['t'] }],
    ['excludeTopics', { excludeTopics: 't' as never }],
    ['assignors', { assignors: ['fair'] as never }],
    ['sessionTimeoutMs', { sessionTimeoutMs: 0 }],
  ])('%s is checked', (option, options) => {
    expect(() => resolveGroupTimes({ ...base, ...options })).toThrow(expect.objectContaining({ option }));
  });
});
