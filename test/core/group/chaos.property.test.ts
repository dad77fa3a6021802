// Random lives of a group on the broker in the box, in simulated time.

import { describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import { fault, type FaultAction } from '../../../src/testing/broker/faults/fault.ts';
import { Simulation, type Held, type Member } from './harness.ts';

const PARTITIONS = 3;
const MAX_MEMBERS = 4;

const groupApi = fc.constantFrom(
  'JoinGroup',
  'SyncGroup',
  'Heartbeat',
  'OffsetCommit',
  'OffsetFetch',
  'LeaveGroup',
);
const trouble = fc.oneof(
  fc
    .constantFrom(
      'COORDINATOR_LOAD_IN_PROGRESS',
      'NOT_COORDINATOR',
      'COORDINATOR_NOT_AVAILABLE',
      'REBALANCE_IN_PROGRESS',
      'ILLEGAL_GENERATION',
      'UNKNOWN_MEMBER_ID',
    )
    .map((name) => fault.error(name)),
  fc.constantFrom(fault.close, fault.rst, fault.applyThenDropResponse, fault.dropRequest),
  fc.integer({ min: 10, max: 60_000 }).map((ms) => fault.delay(ms)),
);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('join' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'drain' as const,
        'abort' as const,
        'crash' as const,
        'stall' as const,
        'rewind' as const,
      ),
      at: fc.nat(),
      ms: fc.integer({ min: 0, max: 20_000 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 30_000 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('produce' as const),
      partition: fc.nat({ max: PARTITIONS - 1 }),
      count: fc.integer({ min: 1, max: 40 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      api: groupApi,
      act: trouble,
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rehash' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The group, and what is known to be true of it at every moment. */
class Life {
  private readonly sim: Simulation;
  private readonly delays: number[];
  private readonly living: Member[] = [];
  private readonly stalled = new Map<Member, Held[]>();
  /** `partition:offset` of every record that was ever settled. */
  private readonly settled = new Set<string>();
  private readonly produced = new Array<number>(PARTITIONS).fill(0);
  private readonly highest = new Array<number>(PARTITIONS).fill(0);
  private records = 0;

  constructor(sim: Simulation, delays: number[]) {
    this.sim = sim;
    this.delays = delays;
  }

  async act(one: Step): Promise<void> {
    const { sim } = this;
    if (one.kind === 'join') this.join();
    else if (one.kind === 'advance') await sim.clock.advance(one.ms);
    else if (one.kind === 'rehash') sim.box.rehashCoordinators();
    else if (one.kind === 'fault') this.trouble(one.api, one.act, one.count);
    else if (one.kind === 'produce') {
      await sim.produce('orders', one.partition, one.count);
      this.produced[one.partition]! += one.count;
    } else await this.disturb(one.kind, one.at, one.ms);
    this.check();
  }

  /** With nothing in the way any more, one member settles all that is left. */
  async finish(): Promise<void> {
    this.sim.box.clearFaults();
    for (const member of [...this.living]) await this.disturb('drain', this.living.indexOf(member), 1_000);
    this.check();
    await this.sim.clock.advance(120_000);
    this.join();
    await this.sim.clock.runUntil(() =>
      this.produced.every((count, partition) => this.committed(partition) === count),
    );
    const summary = await this.sim.clock.run(this.living[0]!.consumer.drain(20_000));
    expect(summary).toMatchObject({ unsettled: 0, committed: true });
    this.check();
  }

  private committed(partition: number): number {
    return this.sim.committed(partition) ?? 0;
  }

  /** A commit that a broker held for longer than the client waits would be applied behind later ones, as Kafka has it. */
  private trouble(api: string, act: FaultAction, count: number): void {
    const held = act.kind === 'delay' && api === 'OffsetCommit';
    this.sim.box.fault({ match: { api }, do: held ? fault.delay(act.ms % 1_000) : act, count });
  }

  private join(): void {
    if (this.living.length === MAX_MEMBERS) return;
    const member = this.sim.member({
      commitEveryRecords: 10,
      drainTimeoutMs: 15_000,
      credit: { records: 8 },
    });
    member.onRecord = (held) => this.take(member, held);
    this.living.push(member);
    member.start();
  }

  private take(member: Member, held: Held): void {
    const waiting = this.stalled.get(member);
    if (waiting !== undefined) {
      waiting.push(held);
      return;
    }
    this.records += 1;
    const ms = this.delays[this.records % this.delays.length]!;
    this.sim.clock.setTimeout(() => this.settle(held), ms);
  }

  private settle({ claim, sequence, record }: Held): void {
    this.settled.add(`${record.partition}:${record.offset}`);
    claim.settle(sequence);
  }

  private async disturb(kind: string, at: number, ms: number): Promise<void> {
    const member = this.living[at % Math.max(1, this.living.length)];
    if (member === undefined) return;
    if (kind === 'stall') {
      const waiting = this.stalled.get(member);
      if (waiting === undefined) this.stalled.set(member, []);
      else {
        this.stalled.delete(member);
        for (const held of waiting) this.settle(held);
      }
      return;
    }
    if (kind === 'rewind') {
      member.open[at % Math.max(1, member.open.length)]?.rewind(ms);
      return;
    }
    this.living.splice(this.living.indexOf(member), 1);
    this.stalled.delete(member);
    if (kind === 'crash') {
      await this.sim.clock.run(member.kafka.close());
      return;
    }
    const ending = kind === 'drain' ? member.consumer.drain(ms) : member.consumer.abort('chaos');
    const from = this.sim.clock.now();
    await this.sim.clock.run(ending);
    expect(this.sim.clock.now() - from).toBeLessThanOrEqual((kind === 'drain' ? ms : 0) + 11_000);
  }

  /** Nothing unsettled is below a commit, and no commit has gone back. */
  private check(): void {
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const committed = this.committed(partition);
      expect(committed).toBeGreaterThanOrEqual(this.highest[partition]!);
      for (let offset = this.highest[partition]!; offset < committed; offset += 1) {
        expect(this.settled.has(`${partition}:${offset}`)).toBe(true);
      }
      this.highest[partition] = committed;
    }
  }
}

describe('a group in trouble', () => {
  it('never commits what is not settled, never goes back, and settles everything in the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 40 }),
        fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 20 }),
        async (steps, delays) => {
          const sim = await Simulation.start({ orders: PARTITIONS }, 2);
          try {
            const life = new Life(sim, delays);
            for (const one of steps) await life.act(one);
            await life.finish();
            expect(sim.box.internalErrors).toEqual([]);
          } finally {
            await sim.close();
          }
        },
      ),
      { numRuns: 40, endOnFailure: true },
    );
  });
});
