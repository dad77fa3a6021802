import { afterEach, describe, expect, it } from '@jest/globals';
import { brokers } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { ClassicGroup } from './programs/classic-group.ts';

const onBroker = brokers === undefined ? describe.skip : describe;

onBroker('G-01: the life of a session', () => {
  let group: ClassicGroup;
  afterEach(() => group.close());

  it('over 20 rebalances: claims are drained, committed, released, then the next generation is claimed', async () => {
    group = await ClassicGroup.create(2);
    const one = group.join({ heartbeatIntervalMs: 50 });
    await group.balanced([one, 2]);
    const records = [0, 0];
    for (let round = 0; round < 10; round += 1) {
      await group.produce([1, 1]);
      records.forEach((_, partition) => (records[partition]! += 1));
      const two = group.join({ heartbeatIntervalMs: 50 });
      await group.balanced([one, 1], [two, 1]);
      await two.leave();
      await group.balanced([one, 2]);
    }
    const generations = one.log.filter((line) => line.startsWith('assigned'));
    expect(generations).toHaveLength(21);
    expect(new Set(generations).size).toBe(21);

    // Between two generations every claim ends in this order, whatever the other partitions do.
    const perClaim = new Map<string, string[]>();
    for (const line of one.log) {
      const [kind, name, epoch] = line.split(' ') as [string, string, string?];
      if (kind === 'claimed') perClaim.set(name, [...(perClaim.get(name) ?? []), `claimed ${epoch}`]);
      if (kind === 'revoking') perClaim.get(name)!.push('revoking');
      if (kind === 'released' || kind === 'lost') perClaim.get(name)!.push(`${kind} ${epoch}`);
    }
    for (const lines of perClaim.values()) {
      const whole = lines.slice(0, lines.length - (lines.length % 3));
      for (let at = 0; at < whole.length; at += 3) {
        const epoch = at / 3 + 1;
        expect(whole.slice(at, at + 3)).toEqual([`claimed ${epoch}`, 'revoking', `released ${epoch}`]);
      }
    }
    // All claims of a generation are over before the first of the next one.
    let open = 0;
    for (const line of one.log) {
      if (line.startsWith('claimed')) open += 1;
      if (line.startsWith('released')) open -= 1;
      expect(open).toBeGreaterThanOrEqual(0);
      if (line.startsWith('assigned')) expect(open).toBeLessThanOrEqual(2);
    }
    await group.balanced([one, 2]);
    await one.leave();
    expect([await group.committed(0), await group.committed(1)]).toEqual(records);
    const last = new Map<number, number>();
    for (const { claim, offset } of group.members.flatMap(({ taken }) => taken))
      last.set(claim.partition, Math.max(offset, last.get(claim.partition) ?? 0));
    expect([...last].sort()).toEqual(records.map((count, partition) => [partition, count - 1]));
    const read = group.members.flatMap(({ taken }) => taken).length;
    expect(read).toBe(records[0]! + records[1]!);
    await until('nothing failed', () => group.members.every(({ failures }) => failures.length === 0));
  });
});
