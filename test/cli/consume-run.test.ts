// The verifiable consumer's run, on the broker in the box and in simulated time.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConsumeRun, type ConsumePlan } from '../../src/cli/consume-run.ts';
import { EventWriter } from '../../src/cli/event-writer.ts';
import { GroupConsumer, type GroupConsumerOptions } from '../../src/core/index.ts';
import { fault } from '../../src/testing/broker/faults/fault.ts';
import { Simulation } from '../core/group/harness.ts';
import { HarnessRules } from './support/harness-rules.ts';
import { Reader } from './support/reader.ts';

const MAX_INT32 = 2 ** 31 - 1;

let sim: Simulation;

beforeEach(async () => {
  sim = await Simulation.start({ orders: 2 });
});

afterEach(async () => {
  await sim.close();
  expect(sim.box.internalErrors).toEqual([]);
});

/** A run of its own, with its reader. */
class Running {
  readonly reader = new Reader();
  readonly run: ConsumeRun;
  readonly stop = new AbortController();
  readonly ended: Promise<void>;
  isOver = false;

  constructor(plan: Partial<ConsumePlan> = {}, options: Partial<GroupConsumerOptions> = {}) {
    const { clock } = sim;
    const whole = { maxMessages: -1, maxPollRecords: 500, verbose: false, autoCommit: false, ...plan };
    this.run = new ConsumeRun(whole, new EventWriter(this.reader, clock), clock);
    const group = new GroupConsumer(
      sim.client().cluster,
      {
        groupId: 'g',
        topics: ['orders'],
        credit: { records: whole.maxPollRecords },
        commitIntervalMs: whole.autoCommit ? 5_000 : MAX_INT32,
        commitEveryRecords: MAX_INT32,
        ...options,
      },
      this.run,
    );
    this.ended = this.run.run(group, this.stop.signal).finally(() => {
      this.isOver = true;
    });
  }

  get consumed(): number {
    return this.reader.named('records_consumed').reduce((sum, { count }) => sum + Number(count), 0);
  }

  get names(): string[] {
    return this.reader.events.map(({ name }) => name);
  }

  async finish(): Promise<void> {
    this.stop.abort('SIGTERM');
    await sim.clock.run(this.ended);
    await sim.clock.settle();
  }
}

const until = (holds: () => boolean, limitMs?: number): Promise<void> => sim.clock.runUntil(holds, limitMs);
const ORDERS = [0, 1].map((partition) => ({ topic: 'orders', partition }));

describe('a run', () => {
  it("tells what Java's tool tells, in its order and its shape", async () => {
    await sim.produce('orders', 0, 3);
    const running = new Running({ verbose: true });
    await until(() => running.consumed === 3);
    await sim.clock.advance(100);
    await running.finish();
    const place = { topic: 'orders', partition: 0 };
    expect(
      running.reader.events.map(({ timestamp, ...event }) => (expect(timestamp).toBeGreaterThan(0), event)),
    ).toEqual([
      { name: 'startup_complete' },
      { name: 'partitions_assigned', partitions: ORDERS },
      ...[0, 1, 2].map((offset) => ({
        name: 'record_data',
        key: null,
        value: `0:${offset}`,
        ...place,
        offset,
      })),
      {
        name: 'records_consumed',
        count: 3,
        partitions: [{ ...place, count: 3, minOffset: 0, maxOffset: 2 }],
      },
      { name: 'offsets_committed', offsets: [{ ...place, offset: 3 }], success: true },
      { name: 'shutdown_requested' },
      { name: 'partitions_revoked', partitions: ORDERS },
      { name: 'shutdown_complete' },
    ]);
    expect(sim.box.group('g')).toMatchObject({ members: [] });
  });

  it('commits each batch before the next one, and no batch is larger than it may be', async () => {
    await sim.produce('orders', 0, 25);
    await sim.produce('orders', 1, 25);
    const running = new Running({ maxPollRecords: 10 });
    await until(() => running.consumed === 50);
    await sim.clock.advance(100);
    const { events } = running.reader;
    const steps = events.filter(({ name }) => name === 'records_consumed' || name === 'offsets_committed');
    for (const [at, { name, count }] of steps.entries()) {
      expect(name).toBe(at % 2 === 0 ? 'records_consumed' : 'offsets_committed');
      if (count !== undefined) expect(count).toBeLessThanOrEqual(10);
    }
    expect([sim.committed(0), sim.committed(1)]).toEqual([25, 25]);
    await running.finish();
  });

  it('of so many messages reports and commits exactly those, and ends', async () => {
    await sim.produce('orders', 0, 20);
    const running = new Running({ maxMessages: 7 });
    await sim.clock.run(running.ended);
    await sim.clock.settle();
    expect(running.consumed).toBe(7);
    expect(sim.committed(0)).toBe(7);
    expect(running.names.slice(-2)).toEqual(['partitions_revoked', 'shutdown_complete']);
    expect(running.names).not.toContain('shutdown_requested');
  });

  it('with auto-commit reports no commits, but commits what it reported', async () => {
    await sim.produce('orders', 0, 9);
    const running = new Running({ autoCommit: true });
    await until(() => running.consumed === 9);
    expect(sim.committed(0)).toBeUndefined();
    await sim.clock.advance(5_100);
    expect(sim.committed(0)).toBe(9);
    await sim.produce('orders', 0, 1);
    await until(() => running.consumed === 10);
    await running.finish();
    expect(sim.committed(0)).toBe(10);
    expect(running.names).not.toContain('offsets_committed');
  });

  it('stopped while a commit is under way waits for it', async () => {
    await sim.produce('orders', 0, 5);
    sim.box.fault({ match: { api: 'OffsetCommit' }, do: fault.delay(2_000), count: 1 });
    const running = new Running();
    await until(() => running.consumed === 5);
    await running.finish();
    expect(running.reader.named('offsets_committed')).toMatchObject([
      { success: true, offsets: [{ offset: 5 }] },
    ]);
    expect(running.names.indexOf('offsets_committed')).toBeLessThan(
      running.names.indexOf('partitions_revoked'),
    );
  });

  it('stopped before it has joined ends', async () => {
    const running = new Running();
    await running.finish();
    expect(running.names).toEqual(['startup_complete', 'shutdown_requested', 'shutdown_complete']);
  });
});

describe('what goes wrong', () => {
  it('with a commit is an event with its error, and the run goes on', async () => {
    await sim.produce('orders', 0, 5);
    const running = new Running();
    await until(() => running.consumed === 5);
    await sim.clock.advance(100);
    sim.box.fault({
      match: { api: 'OffsetCommit' },
      do: fault.error('GROUP_AUTHORIZATION_FAILED'),
      count: 1,
    });
    await sim.produce('orders', 0, 1);
    await until(() => running.consumed === 6);
    await sim.clock.advance(10_000);
    const [good, bad] = running.reader.named('offsets_committed');
    expect(good).toMatchObject({ success: true, offsets: [{ offset: 5 }] });
    expect(bad).toMatchObject({
      success: false,
      error: expect.stringContaining('GROUP_AUTHORIZATION_FAILED'),
      offsets: [{ topic: 'orders', partition: 0, offset: 6 }],
    });
    await running.finish();
  });

  it('with the group is an error event, and the end', async () => {
    const running = new Running({}, { topics: ['nowhere'] });
    await sim.clock.run(running.ended);
    await sim.clock.settle();
    expect(running.names).toEqual(['startup_complete', 'error', 'shutdown_complete']);
    expect(running.reader.named('error')[0]).toMatchObject({
      exception: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: expect.stringContaining('nowhere'),
    });
    expect(running.run.failure).toBeDefined();
  });

  it('with the membership takes the partitions away, and gives them back: nothing is lost', async () => {
    await sim.produce('orders', 0, 10);
    const running = new Running({ maxPollRecords: 2 });
    await until(() => running.consumed >= 2);
    sim.box.fault({ match: { api: 'OffsetCommit' }, do: fault.error('UNKNOWN_MEMBER_ID'), count: 1 });
    await until(() => running.reader.named('partitions_assigned').length === 2);
    await until(() => sim.committed(0) === 10);
    await running.finish();
    const rules = new HarnessRules();
    const member = rules.member('it');
    for (const event of running.reader.events) member.see(event);
    expect(rules.broken).toEqual([]);
    expect([...rules.consumed.get('orders-0')!.keys()].sort((a, b) => a - b)).toEqual([...Array(10).keys()]);
    expect(running.reader.named('offsets_committed').some(({ success }) => success === false)).toBe(true);
  });
});

describe('a reader of the events that stands still', () => {
  it('holds up commits, but neither the membership nor the end', async () => {
    await sim.produce('orders', 0, 40);
    const running = new Running({ maxPollRecords: 10 });
    await until(() => running.names.includes('partitions_assigned'));
    running.reader.standStill();
    await sim.clock.advance(120_000);
    const before = sim.committed(0) ?? 0;
    expect(before).toBeLessThanOrEqual(10);
    expect(sim.box.group('g')).toMatchObject({ state: 'Stable' });
    running.stop.abort('SIGTERM');
    await sim.clock.run(running.ended);
    running.reader.goOn();
    await sim.clock.settle();
    expect(running.consumed).toBeLessThanOrEqual(10);
    expect(running.names.at(-1)).toBe('shutdown_complete');
  });

  it('and goes on makes the run go on', async () => {
    await sim.produce('orders', 0, 40);
    const running = new Running({ maxPollRecords: 10 });
    await until(() => running.names.includes('partitions_assigned'));
    running.reader.standStill();
    await sim.clock.advance(5_000);
    running.reader.goOn();
    await until(() => sim.committed(0) === 40);
    expect(running.consumed).toBe(40);
    await running.finish();
  });
});

describe('a group of them', () => {
  it("keeps the rules of Kafka's system tests while members come, go and are fenced out", async () => {
    const rules = new HarnessRules();
    const all: { running: Running; seen: number; member: ReturnType<HarnessRules['member']> }[] = [];
    const join = (): void => {
      const running = new Running({ maxPollRecords: 20 }, { sessionTimeoutMs: 6_000 });
      all.push({ running, seen: 0, member: rules.member(`member ${all.length}`) });
    };
    const look = (): void => {
      for (const one of all) {
        const { events } = one.running.reader;
        for (const event of events.slice(one.seen)) one.member.see(event);
        one.seen = events.length;
      }
    };
    let produced = 0;
    for (let round = 0; round < 12; round++) {
      if (round % 3 === 0) join();
      if (round % 4 === 3) await all[round >> 2]!.running.finish();
      if (round === 5)
        sim.box.fault({ match: { api: 'Heartbeat' }, do: fault.error('UNKNOWN_MEMBER_ID'), count: 1 });
      await sim.produce('orders', 0, 30);
      await sim.produce('orders', 1, 50);
      produced += 80;
      for (let step = 0; step < 40; step++) {
        await sim.clock.advance(100);
        look();
      }
    }
    await until(() => {
      look();
      return rules.total === produced && rules.totalCommitted === produced;
    });
    for (const { running } of all) if (!running.isOver) await running.finish();
    look();
    expect(rules.broken).toEqual([]);
    expect(rules.total).toBe(produced);
  });
});
