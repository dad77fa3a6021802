import { describe, expect, it } from '@jest/globals';
import { HarnessRules } from './support/harness-rules.ts';

const place = (partition: number) => ({ topic: 't', partition });
const assigned = (...partitions: number[]) => ({
  name: 'partitions_assigned',
  partitions: partitions.map(place),
});
const revoked = (...partitions: number[]) => ({
  name: 'partitions_revoked',
  partitions: partitions.map(place),
});
const consumed = (partition: number, minOffset: number, maxOffset: number) => {
  const count = maxOffset - minOffset + 1;
  return {
    name: 'records_consumed',
    count,
    partitions: [{ ...place(partition), count, minOffset, maxOffset }],
  };
};
const committed = (partition: number, offset: number) => ({
  name: 'offsets_committed',
  offsets: [{ ...place(partition), offset }],
  success: true,
});

function broken(...events: object[]): string[] {
  const rules = new HarnessRules();
  const member = rules.member('a');
  for (const event of [{ name: 'startup_complete' }, ...events]) member.see(event);
  return rules.broken;
}

describe("the rules of Kafka's system tests", () => {
  it('let a good member pass', () => {
    expect(
      broken(
        ...[assigned(0, 1), consumed(0, 0, 4), committed(0, 5), consumed(1, 7, 8), committed(1, 9)],
        ...[revoked(0, 1), assigned(1), consumed(1, 9, 9), committed(1, 10), { name: 'shutdown_complete' }],
      ),
    ).toEqual([]);
  });

  it.each<[string, object[]]>([
    ['a consumed records while started', [consumed(0, 0, 0)]],
    ['a consumed t-1, which it does not have', [assigned(0), consumed(1, 0, 0)]],
    ['a consumed t-0 from 7 instead of 5', [assigned(0), consumed(0, 0, 4), consumed(0, 7, 8)]],
    ['a committed t-0 at 6, ahead of its position 5', [assigned(0), consumed(0, 0, 4), committed(0, 6)]],
    ['a committed t-0 without a position', [assigned(0), committed(0, 0)]],
    ['a committed t-1, which it does not have', [assigned(0), committed(1, 0)]],
    ['a consumed records while rebalancing', [assigned(0), revoked(0), consumed(0, 0, 0)]],
    ['a revoked t-1, which it did not have', [assigned(0), revoked(1)]],
    [
      'a consumed t-0 at 2, behind the commit 5',
      [assigned(0), consumed(0, 0, 4), committed(0, 5), revoked(0), assigned(0), consumed(0, 2, 3)],
    ],
  ])('find: %s', (what, events) => {
    expect(broken(...events)).toContain(what);
  });
});
