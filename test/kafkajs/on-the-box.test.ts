// Topologies over a real kafkajs, on the broker in the box.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/core/clock.ts';
import { eachClaim, mapAsync, tap, text, topology, UsageError, type Topology } from '../../src/index.ts';
import { kafkajs } from '../../src/kafkajs/index.ts';
import { createBroker, type BrokerBox } from '../../src/testing/index.ts';
import { until } from '../helpers/until.ts';
import { cuttable, kafkajsOf } from './support.ts';

const PARTITIONS = 3;
let box: BrokerBox;

beforeEach(async () => {
  box = await createBroker({ brokers: 2 });
  box.createTopic('in', { partitions: PARTITIONS });
  box.createTopic('out', { partitions: PARTITIONS });
});
afterEach(() => box.close());

async function fill(count: number, from = 0): Promise<void> {
  const producer = kafkajsOf(box.bootstrap).producer();
  await producer.connect();
  await producer.send({
    topic: 'in',
    messages: Array.from({ length: count }, (_, at) => ({
      key: `k${(from + at) % 10}`,
      value: `${from + at}`,
    })),
  });
  await producer.disconnect();
}

async function written(topic = 'out'): Promise<string[]> {
  const all = await Promise.all(Array.from({ length: PARTITIONS }, (_, at) => box.records(topic, at)));
  return all.flat().map(({ value }) => String(value));
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, at) => `${at}`);
const sorted = (values: readonly string[]): string[] => [...values].sort((a, b) => Number(a) - Number(b));

function committed(groupId: string): number {
  let sum = 0;
  for (let at = 0; at < PARTITIONS; at++) sum += box.committed(groupId, 'in', at)?.offset ?? 0;
  return sum;
}

/** Commits that come with another generation than the group's. */
function staleCommits(groupId: string): number[] {
  const stale: number[] = [];
  box.fault({
    match: { api: 'OffsetCommit', group: groupId },
    observe: ({ body }) => {
      const { generationIdOrMemberEpoch: sent } = body as { readonly generationIdOrMemberEpoch: number };
      if (sent !== box.group(groupId)?.generationId) stale.push(sent);
    },
  });
  return stale;
}

const copyTopology = (groupId = 'copy'): Topology =>
  topology('copy', ({ fromGroup, toTopic }) =>
    fromGroup({ groupId, topics: ['in'], key: text(), value: text() }).pipe(
      toTopic('out', ({ key, value }) => ({ key, value })),
    ),
  );

describe('a topology over kafkajs', () => {
  it('copies every record once, in order per key, commits and leaves', async () => {
    await fill(500);
    const run = copyTopology().start(kafkajs(kafkajsOf(box.bootstrap)));
    await run.ready;
    await until('all is copied', async () => (await written()).length >= 500);
    const summary = await run.drain();
    expect(summary).toEqual({ recordsIn: 500, recordsOut: 500, unsettled: 0 });
    expect(sorted(await written())).toEqual(numbers(500));
    expect(committed('copy')).toBe(500);
    expect(box.group('copy')?.members).toEqual([]);
    expect(box.internalErrors).toEqual([]);
  });

  it('hands over no more than the credit, fetches no more than it may keep, and holds up no neighbour', async () => {
    await fill(3_000);
    let held = 0;
    const stalled = topology('stalled', ({ fromGroup }) =>
      fromGroup({
        groupId: 'stalled',
        topics: ['in'],
        value: text(),
        credit: { records: 10 },
        prefetchBytes: 1_000,
        partitionFetchBytes: 1_000,
      }).pipe(
        eachClaim((claim) =>
          claim.pipe(
            mapAsync(
              () => {
                if (claim.partition !== 0) return Promise.resolve();
                held += 1;
                return new Promise<void>(() => undefined);
              },
              { concurrency: 100, order: 'input' },
            ),
          ),
        ),
      ),
    );
    const run = stalled.start(kafkajs(kafkajsOf(box.bootstrap)), { drainTimeoutMs: 100 });
    const end = (at: number): number => box.partition('in', at).highWatermark;
    const isDone = (at: number): boolean => box.committed('stalled', 'in', at)?.offset === end(at);
    await until('the neighbours are read', () => isDone(1) && isDone(2));
    expect(held).toBe(10);
    const fetched = box.requests('Fetch').length;
    await until('it goes on asking for the others', () => box.requests('Fetch').length > fetched + 3);
    const { unsettled } = await run.abort();
    expect(unsettled).toBe(10);
    expect(box.committed('stalled', 'in', 0)?.offset ?? 0).toBe(0);
  });

  it('refuses what kafkajs cannot do, naming the way out', async () => {
    const client = kafkajs(kafkajsOf(box.bootstrap));
    await expect(copyTopology().run(client, { guarantee: 'exactly-once' })).rejects.toThrow(
      /'exactly-once' needs this library's own client: run the topology with new Kafka/,
    );
    for (const [options, name] of [
      [{ groupInstanceId: 'one' }, 'groupInstanceId'],
      [{ groupProtocol: 'consumer' }, 'groupProtocol'],
      [{ assignors: ['range'] }, 'assignors'],
      [{ budgetBytes: 1 }, 'budgetBytes'],
      [{ outOfRange: { byMs: 1 } }, 'outOfRange'],
    ] as const) {
      const refused = topology('refused', ({ fromGroup }) =>
        fromGroup({ groupId: 'refused', topics: ['in'], ...options }),
      );
      const error = await refused.run(client).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(UsageError);
      expect((error as UsageError).option).toBe(name);
      expect((error as Error).message).toMatch(/over kafkajs/);
    }
    await expect(copyTopology('lingering').run(client, { producer: { lingerMs: 5 } })).rejects.toThrow(
      /producer\.lingerMs is not possible/,
    );
    expect(() => kafkajs({} as never)).toThrow(/client of kafkajs/);
  });
});

describe('retry topics over kafkajs', () => {
  const LEVELS = [
    { topic: 'later.1', delayMs: 100 },
    { topic: 'later.2', delayMs: 200 },
  ];
  beforeEach(() => {
    for (const topic of ['later.1', 'later.2', 'dead']) box.createTopic(topic, { partitions: PARTITIONS });
  });

  const retrying = (order: 'key' | 'none', work: (value: string) => void): Topology =>
    topology('retrying', ({ fromGroup, toTopic, retryTopics }) => {
      const later = retryTopics({ levels: LEVELS, deadLetter: 'dead', order });
      return fromGroup({
        groupId: 'retrying',
        topics: ['in'],
        key: text(),
        value: text(),
        retryTopics: later,
      }).pipe(
        mapAsync(
          (record) => {
            work(record.value);
            return Promise.resolve(record);
          },
          { concurrency: 8, order: 'none', onError: later },
        ),
        toTopic('out', ({ key, value }) => ({ key, value })),
      );
    });

  it("with order 'none' try again after each level's delay, and end in the dead letter topic", async () => {
    // Even values are good, 1 fails once, 3 twice, 5 always.
    const fails: Readonly<Record<string, number>> = { '1': 1, '3': 2, '5': 9 };
    const tries = new Map<string, number[]>();
    const work = (value: string): void => {
      const times = [...(tries.get(value) ?? []), systemClock.now()];
      tries.set(value, times);
      if (times.length <= (fails[value] ?? 0)) throw new RangeError(`no ${value}`);
    };
    await fill(6);
    const run = retrying('none', work).start(kafkajs(kafkajsOf(box.bootstrap)));
    await until('all are through', async () => (await written()).length === 5);
    await until('one is given up', async () => (await written('dead')).length === 1);
    const summary = await run.drain();
    expect(summary.unsettled).toBe(0);
    expect(sorted(await written())).toEqual(['0', '1', '2', '3', '4']);
    expect(await written('dead')).toEqual(['5']);
    expect(numbers(6).map((value) => tries.get(value)!.length)).toEqual([1, 2, 1, 3, 1, 3]);
    for (const times of tries.values())
      for (const [at, time] of times.slice(1).entries())
        expect(time - times[at]!).toBeGreaterThanOrEqual(LEVELS[at]!.delayMs);
    expect(committed('retrying')).toBe(6);
  });

  it('hold what waits over a restart', async () => {
    await fill(6);
    const failing = retrying('none', () => {
      throw new RangeError('not yet');
    }).start(kafkajs(kafkajsOf(box.bootstrap)));
    await until('all wait', async () => (await written('later.1')).length === 6);
    await failing.drain();
    const run = retrying('none', () => undefined).start(kafkajs(kafkajsOf(box.bootstrap)));
    const ended = async (): Promise<string[]> => [...(await written()), ...(await written('dead'))];
    await until('all are through', async () => (await ended()).length === 6);
    await run.drain();
    expect(sorted(await ended())).toEqual(numbers(6));
  });

  it("with order 'key' need this library's own client", async () => {
    const client = kafkajs(kafkajsOf(box.bootstrap));
    const error = await retrying('key', () => undefined)
      .run(client)
      .catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toMatch(/new Kafka\(\{ brokers \}\)/);
  });
});

describe('members over kafkajs', () => {
  it('drain and commit before they join again: what is on its way is not done twice', async () => {
    await fill(60);
    const stale = staleCommits('slow');
    const seen: string[] = [];
    const release: (() => void)[] = [];
    const slow = topology('slow', ({ fromGroup, toTopic }) =>
      fromGroup({ groupId: 'slow', topics: ['in'], value: text(), heartbeatIntervalMs: 100 }).pipe(
        tap(({ value }) => seen.push(value)),
        mapAsync(
          async ({ value }) => {
            await new Promise<void>((resolve) => release.push(resolve));
            return value;
          },
          { concurrency: 100, order: 'input' },
        ),
        toTopic('out', (value) => ({ value })),
      ),
    );
    const first = slow.start(kafkajs(kafkajsOf(box.bootstrap)));
    await until('all is on its way', () => release.length === 60);
    const before = box.group('slow')!.generationId;
    const second = slow.start(kafkajs(kafkajsOf(box.bootstrap)));
    await until('the group rebalances', () => box.group('slow')!.state === 'PreparingRebalance');
    const beats = box.requests('Heartbeat').length;
    await until('it keeps its session meanwhile', () => box.requests('Heartbeat').length > beats + 2);
    expect(box.group('slow')!.generationId).toBe(before);
    for (const go of release) go();
    await second.ready;
    expect(box.group('slow')!.generationId).toBe(before + 1);
    expect(committed('slow')).toBe(60);
    await Promise.all([first.drain(), second.drain()]);
    expect(sorted(await written())).toEqual(numbers(60));
    expect(seen).toHaveLength(60);
    expect(stale).toEqual([]);
  });

  it('join, leave and are killed, and nothing is lost', async () => {
    const total = 2_000;
    const stale = staleCommits('many');
    const seen = new Map<string, number>();
    const many = topology('many', ({ fromGroup, toTopic }) =>
      fromGroup({
        groupId: 'many',
        topics: ['in'],
        value: text(),
        sessionTimeoutMs: 6_000,
        heartbeatIntervalMs: 100,
        commitIntervalMs: 200,
        drainTimeoutMs: 10_000,
        credit: { records: 20 },
      }).pipe(
        mapAsync(
          async ({ value }) => {
            await new Promise((resolve) => setTimeout(resolve, 5));
            seen.set(value, (seen.get(value) ?? 0) + 1);
            return value;
          },
          { concurrency: 5, order: 'input' },
        ),
        toTopic('out', (value) => ({ value })),
      ),
    );
    await fill(total);
    const dying = cuttable(box.bootstrap);
    const killed = many.start(kafkajs(dying.client), { drainTimeoutMs: 10 });
    await until('one works', () => seen.size > 100);
    const second = many.start(kafkajs(kafkajsOf(box.bootstrap)));
    await second.ready;
    const third = many.start(kafkajs(kafkajsOf(box.bootstrap)));
    await third.ready;
    await until('they work', () => seen.size > 300);
    const before = [...seen.values()].filter((times) => times > 1).length;
    dying.kill();
    const dead = killed.abort().catch(() => undefined);
    await until('they work', () => seen.size > 900);
    await third.drain();
    await until('all is seen', () => seen.size === total, 40_000);
    await second.drain();
    await dead;
    await dying.ended();
    expect(new Set(await written())).toEqual(new Set(numbers(total)));
    // What joined and left repeated nothing; what the killed one had not committed came again.
    expect(before).toBe(0);
    expect(committed('many')).toBe(total);
    expect(stale).toEqual([]);
  });
});
