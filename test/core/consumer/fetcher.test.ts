import { describe, expect, it } from '@jest/globals';
import type { BrokerError } from '../../../src/errors.ts';
import {
  ConnectionError,
  CorruptRecordError,
  OffsetRangeError,
  ProtocolError,
  UnsupportedVersionError,
  UsageError,
} from '../../../src/errors.ts';
import { Fetcher } from '../../../src/core/consumer/fetcher.ts';
import type { FetcherOptions, FetchTrouble, ReaderOptions } from '../../../src/core/consumer/options.ts';
import type { PartitionReader } from '../../../src/core/consumer/partition-reader.ts';
import type { ResponseOf } from '../../../src/core/protocol/api.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { HEADER } from '../../../src/core/records/batch-header.ts';
import { batch, marker, restamp, run } from './batches.ts';
import { FakeCluster } from './fake-cluster.ts';
import { Notes, span } from './harness.ts';

interface Setup {
  readonly cluster: FakeCluster;
  readonly fetcher: Fetcher;
  readonly open: (options?: Partial<ReaderOptions> & { readonly settle?: boolean }) => {
    reader: PartitionReader;
    notes: Notes;
  };
}

function setUp(leaders: readonly number[] = [1], options: FetcherOptions = {}): Setup {
  const cluster = new FakeCluster();
  cluster.topic('t', leaders);
  const fetcher = new Fetcher(cluster, options);
  return {
    cluster,
    fetcher,
    open: ({ settle = true, ...rest } = {}) => {
      const reader = fetcher.open({ topic: 't', partition: 0, startOffset: 0, ...rest });
      const notes = new Notes();
      if (settle) notes.then = (sequence) => reader.settle(sequence);
      reader.start(notes);
      return { reader, notes };
    },
  };
}

describe('Fetcher', () => {
  it('leaves nothing of what was fetched to the promises that brought it', async () => {
    const { cluster, open } = setUp();
    const answers: { readonly responses: readonly unknown[] }[] = [];
    const send = cluster.send.bind(cluster);
    cluster.send = async (...call: Parameters<typeof send>) => {
      const answer = await send(...call);
      if (call[1].key === fetchApi.key) answers.push(answer as ResponseOf<typeof fetchApi>);
      return answer as never;
    };
    const { notes } = open();
    for (let at = 0; at < 20; at += 5) {
      cluster.append('t', 0, run(at, 5));
      await cluster.clock.advance(20);
    }
    expect(notes.offsets).toEqual(span(0, 20));
    expect(answers.length).toBeGreaterThan(1);
    expect(answers.flatMap(({ responses }) => responses)).toEqual([]);
  });

  it('reads what is there and what comes later, by topic id, and reports the high watermark', async () => {
    const { cluster, open, fetcher } = setUp();
    cluster.append('t', 0, run(0, 5), run(5, 5));
    const { reader, notes } = open();
    await cluster.clock.advance(20);
    expect(notes.offsets).toEqual(span(0, 10));
    expect([reader.highWatermark, reader.lag]).toEqual([10, 0]);
    cluster.append('t', 0, run(10, 1));
    await cluster.clock.advance(2);
    expect(notes.offsets).toEqual(span(0, 11));
    const [first] = cluster.fetches;
    expect([first!.version, first!.use]).toEqual([17, 'fetch-0']);
    expect(first!.request).toMatchObject({ maxWaitMs: 500, minBytes: 1, sessionId: 0, sessionEpoch: 0 });
    expect(first!.request.topics[0]!.topicId).toBe(cluster.topics.get('t')!.id);
    fetcher.close();
    await cluster.clock.advance(1000);
    expect(cluster.clock.pendingTimers).toBe(0);
    expect([fetcher.budget.usedBytes, fetcher.budget.pinnedBytes, fetcher.budget.reservedBytes]).toEqual([
      0, 0, 0,
    ]);
  });

  it.each([4, 9, 12, 13, 16])('speaks version %i', async (version) => {
    const { cluster, open } = setUp();
    cluster.fetchVersion = version;
    cluster.append('t', 0, run(0, 5));
    const { notes } = open();
    await cluster.clock.advance(20);
    expect(notes.offsets).toEqual(span(0, 5));
    expect(cluster.fetches[0]!.version).toBe(version);
  });

  it('follows a leader hint at once, with no gap and no duplicate', async () => {
    const { cluster, open } = setUp();
    cluster.append('t', 0, run(0, 5));
    const { notes } = open();
    await cluster.clock.advance(20);
    const refreshes = cluster.refreshes;
    cluster.moveLeader('t', 0, 2);
    cluster.append('t', 0, run(5, 5));
    await cluster.clock.advance(10);
    expect(notes.offsets).toEqual(span(0, 10));
    expect(cluster.refreshes).toBe(refreshes);
    expect(cluster.fetches.at(-1)).toMatchObject({ nodeId: 2 });
    expect(cluster.fetches.at(-1)!.request.topics[0]!.partitions[0]!.currentLeaderEpoch).toBe(1);
  });

  it('finds a new leader by metadata where there is no hint, and while there is none', async () => {
    const { cluster, open } = setUp();
    cluster.fetchVersion = 12;
    cluster.append('t', 0, run(0, 5));
    const { notes } = open();
    await cluster.clock.advance(20);
    cluster.moveLeader('t', 0, -1);
    await cluster.clock.advance(5000);
    const asked = cluster.fetches.length;
    cluster.moveLeader('t', 0, 2);
    cluster.append('t', 0, run(5, 5));
    await cluster.clock.advance(1300);
    expect(notes.offsets).toEqual(span(0, 10));
    expect(cluster.fetches.length - asked).toBeLessThan(5);
  });

  it.each([
    ['FENCED_LEADER_EPOCH', ERRORS.FENCED_LEADER_EPOCH],
    ['UNKNOWN_LEADER_EPOCH', ERRORS.UNKNOWN_LEADER_EPOCH],
    ['KAFKA_STORAGE_ERROR', ERRORS.KAFKA_STORAGE_ERROR],
    ['UNKNOWN_SERVER_ERROR', ERRORS.UNKNOWN_SERVER_ERROR],
    ['OFFSET_NOT_AVAILABLE', ERRORS.OFFSET_NOT_AVAILABLE],
  ])('goes on at the same position after %s, without hammering', async (_, errorCode) => {
    const { cluster, open } = setUp();
    cluster.append('t', 0, run(0, 5));
    let answers = 0;
    cluster.tamper = (response) => {
      answers += 1;
      return answers > 3
        ? response
        : {
            ...response,
            responses: response.responses.map((topic) => ({
              ...topic,
              partitions: topic.partitions.map((one) => ({ ...one, errorCode, records: Buffer.alloc(0) })),
            })),
          };
    };
    const { notes } = open();
    await cluster.clock.advance(50);
    expect(answers).toBe(1);
    await cluster.clock.advance(2000);
    expect(notes.offsets).toEqual(span(0, 5));
    expect(notes.errors).toEqual([]);
  });

  it('survives a broker that is down for a while', async () => {
    const { cluster, open } = setUp();
    cluster.append('t', 0, run(0, 5));
    const { notes } = open();
    await cluster.clock.advance(20);
    cluster.dead.add(1);
    cluster.append('t', 0, run(5, 5));
    await cluster.clock.advance(10_000);
    cluster.dead.delete(1);
    await cluster.clock.advance(2000);
    expect(notes.offsets).toEqual(span(0, 10));
  });

  it('fails out of range with the range named, after what was buffered', async () => {
    const { cluster, open } = setUp();
    const log = cluster.topics.get('t')!.partitions[0]!;
    cluster.append('t', 0, run(0, 5), run(5, 5));
    const { notes, reader } = open({ credit: { records: 2 }, settle: false });
    await cluster.clock.advance(20);
    log.logStart = 20;
    log.end = 30;
    log.batches = [run(20, 10)];
    cluster.changed();
    await cluster.clock.advance(1000);
    expect(notes.errors).toEqual([]);
    while (notes.errors.length === 0) {
      for (const sequence of notes.sequences) reader.settle(sequence);
      await cluster.clock.advance(1);
    }
    expect(notes.offsets).toEqual(span(0, 10));
    expect((notes.errors[0] as BrokerError).errorName).toBe('OFFSET_OUT_OF_RANGE');
    expect(notes.errors[0]).toMatchObject({ offset: 10, earliest: 20, latest: 30, truncatedTo: undefined });
    expect(notes.errors[0]!.message).toMatch(/Offset 10 of t-0 is outside the log, which holds 20 to 29/);
    for (const sequence of notes.sequences) reader.settle(sequence);
    expect(reader.commitPoint().offset).toBe(10);
  });

  it.each([
    ['earliest', 20],
    ['latest', 25],
  ] as const)('resets to the %s offset where told', async (outOfRange, from) => {
    const { cluster, open } = setUp([1], { outOfRange });
    const log = cluster.topics.get('t')!.partitions[0]!;
    log.logStart = 20;
    cluster.append('t', 0, run(20, 5));
    const { notes } = open({ startOffset: 3 });
    await cluster.clock.advance(500);
    cluster.append('t', 0, run(25, 5));
    await cluster.clock.advance(500);
    expect(notes.offsets).toEqual(span(from, 30 - from));
    expect(notes.errors).toEqual([]);
  });

  it.each([
    [{ byMs: 5_000 }, 7],
    [{ byMs: 1 }, 10],
  ])(
    'resets to the first record that is young enough with %j, the end when there is none',
    async (outOfRange, from) => {
      const { cluster, open } = setUp([1], { outOfRange });
      const log = cluster.topics.get('t')!.partitions[0]!;
      log.logStart = 5;
      const old = run(5, 2);
      const young = run(7, 3);
      young.writeBigInt64BE(BigInt(Math.round(cluster.clock.wallNow()) - 3_000), HEADER.maxTimestamp);
      cluster.append('t', 0, old, restamp(young));
      const { notes } = open({ startOffset: 1 });
      await cluster.clock.advance(500);
      cluster.append('t', 0, run(10, 2));
      await cluster.clock.advance(500);
      expect(notes.offsets).toEqual(span(from, 12 - from));
      expect(notes.errors).toEqual([]);
    },
  );

  it('refuses a duration that is none', () => {
    expect(() => setUp([1], { outOfRange: { byMs: -1 } })).toThrow(/outOfRange.byMs/);
  });

  it('is not kept back by a question about the range that a seek made moot', async () => {
    const { cluster, open } = setUp();
    cluster.topics.get('t')!.partitions[0]!.logStart = 20;
    cluster.append('t', 0, run(20, 5));
    const { reader, notes } = open({ startOffset: 3 });
    await cluster.clock.runUntil(() => reader.feed.fetch.notBeforeMs === Infinity);
    reader.seek(22);
    await cluster.clock.advance(100);
    expect(notes.offsets).toEqual([22, 23, 24]);
    expect(notes.errors).toEqual([]);
  });

  it('fails where a repetition cannot help: a topic it may not read, a refusal, a closed cluster', async () => {
    const hidden = setUp();
    hidden.cluster.topics.delete('t');
    hidden.cluster.forbidden.add('t');
    const one = hidden.open();
    await hidden.cluster.clock.advance(100);
    expect((one.notes.errors[0] as BrokerError).errorName).toBe('TOPIC_AUTHORIZATION_FAILED');

    const refused = setUp();
    refused.cluster.tamper = () => new UnsupportedVersionError('no common version');
    const two = refused.open();
    await refused.cluster.clock.advance(600);
    expect(two.notes.errors.map(({ message }) => message)).toEqual(['no common version']);

    const closed = setUp();
    const three = closed.open();
    await closed.cluster.clock.advance(600);
    await closed.cluster.close();
    await closed.cluster.clock.advance(600);
    expect(three.notes.errors[0]).toBeInstanceOf(UsageError);
  });

  it('notices a truncated log (KIP-320)', async () => {
    const { cluster, open } = setUp();
    cluster.append('t', 0, run(0, 5));
    const { notes } = open();
    await cluster.clock.advance(20);
    expect(cluster.fetches.at(-1)!.request.topics[0]!.partitions[0]).toMatchObject({
      fetchOffset: 5,
      lastFetchedEpoch: 0,
    });
    cluster.tamper = (response) => ({
      ...response,
      responses: response.responses.map((topic) => ({
        ...topic,
        partitions: topic.partitions.map((one) => ({
          ...one,
          divergingEpoch: { epoch: 0, endOffset: 3 },
          records: Buffer.alloc(0),
        })),
      })),
    });
    cluster.append('t', 0, run(5, 1));
    await cluster.clock.advance(20);
    expect(notes.errors[0]!.message).toMatch(/truncated to 3, before the position 5/);
  });

  it.each(['fail', 'latest'] as const)(
    'finds the cut of a log that is shorter than what was read (KIP-320), outOfRange %s',
    async (outOfRange) => {
      const { cluster, open } = setUp([1], { outOfRange });
      cluster.append('t', 0, run(0, 10));
      const { notes } = open();
      await cluster.clock.advance(20);
      const log = cluster.topics.get('t')!.partitions[0]!;
      log.batches = [run(0, 4)];
      log.end = 4;
      log.epochEnds.set(0, 4);
      cluster.moveLeader('t', 0, 1);
      await cluster.clock.advance(2_000);
      cluster.append('t', 0, run(4, 2, { leaderEpoch: 1 }));
      await cluster.clock.advance(1_000);
      if (outOfRange === 'fail') {
        expect(notes.errors[0]).toBeInstanceOf(OffsetRangeError);
        expect(notes.errors[0]).toMatchObject({ offset: 10, truncatedTo: 4 });
      } else expect(notes.offsets.slice(10)).toEqual([4, 5]);
    },
  );

  it('ends with a coded error when the topic is created anew, and reads nothing of the new one', async () => {
    for (const fetchVersion of [12, 17]) {
      const { cluster, open } = setUp([1], { outOfRange: 'earliest' });
      cluster.fetchVersion = fetchVersion;
      cluster.append('t', 0, run(0, 5));
      const { notes } = open();
      await cluster.clock.advance(20);
      cluster.topic('t', [1]);
      cluster.append('t', 0, batch(0, ['other', 'other']));
      await cluster.clock.advance(3000);
      expect(notes.offsets).toEqual(span(0, 5));
      expect((notes.errors[0] as BrokerError).errorName).toBe('INCONSISTENT_TOPIC_ID');
      expect(notes.errors[0]!.message).toMatch(/deleted and created again/);
      expect(notes.errors[0]!.retriable).toBe(false);
    }
  });

  it('ends with a coded error when the topic is deleted, but not while one broker merely does not know it yet', async () => {
    const { cluster, open } = setUp();
    cluster.append('t', 0, run(0, 5));
    const { notes } = open();
    await cluster.clock.advance(20);
    const topic = cluster.topics.get('t')!;
    cluster.topics.delete('t');
    cluster.changed();
    await cluster.clock.advance(3000);
    expect(notes.errors).toEqual([]);
    cluster.topics.set('t', topic);
    cluster.append('t', 0, run(5, 5));
    await cluster.clock.advance(2000);
    expect(notes.offsets).toEqual(span(0, 10));
    cluster.topics.delete('t');
    cluster.changed();
    await cluster.clock.advance(9000);
    expect((notes.errors[0] as BrokerError).errorName).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    expect(notes.errors[0]!.message).toMatch(/it was deleted/);
  });

  it('delivers the good batches before a corrupt one and asks no more', async () => {
    const { cluster, open } = setUp();
    const bad = Buffer.from(run(5, 5));
    bad[80]! ^= 1;
    cluster.append('t', 0, run(0, 5), bad, run(10, 5));
    const { notes } = open();
    await cluster.clock.advance(100);
    expect(notes.offsets).toEqual(span(0, 5));
    expect(notes.errors[0]).toBeInstanceOf(CorruptRecordError);
    const asked = cluster.fetches.length;
    await cluster.clock.advance(5000);
    expect(cluster.fetches.length).toBe(asked);
  });

  it('does not spin on an answer that brings nothing new', async () => {
    const { cluster, open } = setUp();
    cluster.append('t', 0, run(0, 5));
    cluster.tamper = (response) => ({
      ...response,
      responses: response.responses.map((topic) => ({
        ...topic,
        partitions: topic.partitions.map((one) => ({ ...one, errorCode: 0, records: run(0, 5) })),
      })),
    });
    const { notes } = open();
    await cluster.clock.advance(1000);
    expect(notes.offsets).toEqual(span(0, 5));
    expect(cluster.fetches.length).toBeLessThan(10);
  });

  it('gives up on a broker that keeps breaking the protocol', async () => {
    const { cluster, open } = setUp();
    cluster.tamper = () => new ProtocolError('nonsense');
    const { notes } = open();
    await cluster.clock.advance(20_000);
    expect(notes.errors.map(({ message }) => message)).toEqual([
      'Fetch for t-0 failed 5 times in a row: nonsense',
    ]);
    expect(cluster.fetches.length).toBe(5);
  });

  it('goes on with backoff when every answer is cut off, gives up at the deadline, and says so each time', async () => {
    const troubles: FetchTrouble[] = [];
    const { cluster, open } = setUp([1], { onTrouble: (trouble) => troubles.push(trouble) });
    const at = { host: 'a', port: 1, phase: 'io' } as const;
    const half = new ProtocolError('half a frame', { retriable: true });
    const cut = new ConnectionError('cut off', { ...at, cause: half });
    cluster.append('t', 0, run(0, 5));
    cluster.tamper = () => cut;
    const { notes } = open();
    await cluster.clock.advance(20_000);
    expect(notes.errors).toEqual([]);
    expect(cluster.fetches.length).toBeGreaterThan(15);
    expect(cluster.fetches.length).toBeLessThan(30);
    expect(troubles.length).toBe(cluster.fetches.length);
    expect(troubles.at(-1)).toEqual({ nodeId: 1, error: cut, partitions: 1, failures: troubles.length });
    cluster.tamper = (response) => response;
    await cluster.clock.advance(1_500);
    expect(notes.offsets).toEqual(span(0, 5));
    const down = new ConnectionError('refused', at);
    let asked = 0;
    cluster.tamper = () => (asked++ % 5 === 4 ? down : cut);
    await cluster.clock.advance(120_000);
    expect(notes.errors).toEqual([]);
    cluster.tamper = () => cut;
    await cluster.clock.advance(33_000);
    expect(notes.errors).toHaveLength(1);
    expect(notes.errors[0]).toMatchObject({
      errorName: 'CORRUPT_MESSAGE',
      topic: 't',
      partition: 0,
      cause: cut,
    });
  });

  it('delivers a record larger than every limit', async () => {
    const { cluster, open } = setUp([1, 1], {
      budgetBytes: 100_000,
      partitionFetchBytes: 20_000,
      prefetchBytes: 20_000,
    });
    cluster.append('t', 0, run(0, 5), batch(5, ['x'.repeat(3_000_000)]), run(6, 5));
    for (let at = 0; at < 50; at += 1) cluster.append('t', 1, batch(at, ['y'.repeat(10_000)]));
    const giant = open();
    const other = open({ partition: 1 });
    await cluster.clock.advance(1000);
    expect(giant.notes.offsets).toEqual(span(0, 11));
    expect(giant.notes.values[5]!.length).toBe(3_000_000);
    expect(other.notes.offsets).toEqual(span(0, 50));
  });

  it('asks within 5 ms for a reader that regains room while idle partitions are long-polled', async () => {
    const { cluster, open } = setUp([1, 1, 1, 1]);
    for (let at = 0; at < 2000; at += 1) cluster.append('t', 0, batch(at, ['x'.repeat(5000)]));
    const idle = [1, 2, 3].map((partition) => open({ partition }));
    const slow = open({ credit: { records: 100 }, settle: false });
    await cluster.clock.advance(700);
    expect(slow.notes.offsets.length).toBe(100);
    expect(slow.reader.feed.bytesWanted()).toBe(0);
    for (let round = 0; round < 200 && slow.notes.offsets.length < 2000; round += 1) {
      for (const sequence of slow.notes.sequences.splice(0)) slow.reader.settle(sequence);
      await cluster.clock.settle();
      const wants = slow.reader.feed.bytesWanted() > 0 && !slow.reader.feed.fetch.asked;
      const before = cluster.fetches.length;
      const sinceMs = cluster.clock.now();
      await cluster.clock.advance(7);
      if (!wants) continue;
      const ask = cluster.fetches.slice(before).find(({ asked }) => asked.includes('t-0'));
      expect(ask!.atMs - sinceMs).toBeLessThanOrEqual(5);
    }
    expect(slow.notes.offsets).toEqual(span(0, 2000));
    expect(idle.every(({ notes }) => notes.offsets.length === 0)).toBe(true);
  });

  it('falls back into one long poll when all is idle, and stays awake for each partition', async () => {
    const { cluster, open } = setUp([1, 1, 1, 1]);
    const all = [0, 1, 2, 3].map((partition) => open({ partition }));
    await cluster.clock.advance(50);
    for (const partition of [1, 2, 3]) {
      cluster.append('t', partition, run(0, 1));
      await cluster.clock.advance(30);
    }
    expect(all.map(({ notes }) => notes.offsets.length)).toEqual([0, 1, 1, 1]);
    await cluster.clock.advance(2000);
    const before = cluster.fetches.length;
    await cluster.clock.advance(10_000);
    const perSecond = (cluster.fetches.length - before) / 10;
    expect(perSecond).toBeLessThan(4);
    expect(cluster.fetches.at(-1)!.asked.length).toBe(4);
    cluster.append('t', 0, run(0, 1));
    await cluster.clock.advance(2);
    expect(all[0]!.notes.offsets).toEqual([0]);
  });

  it('keeps what is buffered while paused and asks for nothing', async () => {
    const { cluster, open } = setUp();
    cluster.append('t', 0, run(0, 5));
    const { reader, notes } = open();
    await cluster.clock.advance(20);
    reader.pause();
    cluster.append('t', 0, run(5, 5));
    await cluster.clock.advance(600);
    const asked = cluster.fetches.length;
    await cluster.clock.advance(5000);
    expect(cluster.fetches.length).toBe(asked);
    expect(notes.offsets).toEqual(span(0, 5));
    expect(reader.bufferedBytes).toBeGreaterThan(0);
    reader.resume();
    await cluster.clock.advance(5);
    expect(notes.offsets).toEqual(span(0, 10));
  });

  it('reads the others at full rate while one reader is stuck, inside the budget', async () => {
    const budgetBytes = 1_000_000;
    const { cluster, open, fetcher } = setUp([1, 1, 1], { budgetBytes, partitionFetchBytes: 50_000 });
    for (let at = 0; at < 1000; at += 1)
      for (const partition of [0, 1, 2]) cluster.append('t', partition, batch(at, ['x'.repeat(9_900)]));
    const stuck = open({ settle: false });
    const others = [1, 2].map((partition) => open({ partition }));
    let most = 0;
    for (let at = 0; at < 400; at += 1) {
      await cluster.clock.advance(1);
      most = Math.max(most, fetcher.budget.usedBytes);
    }
    for (const { notes } of others) expect(notes.offsets).toEqual(span(0, 1000));
    expect(stuck.notes.offsets.length).toBeGreaterThan(20);
    expect(stuck.notes.offsets.length).toBeLessThan(60);
    expect(stuck.reader.retainedBytes).toBeLessThanOrEqual(budgetBytes / 3 + 50_000);
    expect(stuck.notes.pressures).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(budgetBytes + 50_000);
    for (const sequence of stuck.notes.sequences) stuck.reader.settle(sequence);
    stuck.notes.then = (sequence) => stuck.reader.settle(sequence);
    await cluster.clock.advance(500);
    expect(stuck.notes.offsets).toEqual(span(0, 1000));
    expect(fetcher.budget.usedBytes).toBe(0);
  });

  it('reads ahead of a stalled pipeline up to the prefetch bound, and commits no further than what was handed over', async () => {
    const { cluster, open } = setUp([1], { prefetchBytes: 200_000, partitionFetchBytes: 50_000 });
    for (let at = 0; at < 1000; at += 1) cluster.append('t', 0, batch(at, ['x'.repeat(1000)]));
    const { reader, notes } = open({ credit: { records: 10 }, settle: false });
    await cluster.clock.advance(500);
    expect(reader.bufferedBytes).toBeGreaterThan(120_000);
    expect(reader.bufferedBytes).toBeLessThanOrEqual(200_000);
    for (const sequence of notes.sequences) reader.settle(sequence);
    expect(reader.commitPoint().offset).toBe(10);
    expect(reader.feed.fetch.offset).toBeGreaterThan(100);
  });

  it('copies answers apart once stuck records pin too many of them, and forgets every pin in the end', async () => {
    const { cluster, open, fetcher } = setUp(new Array<number>(10).fill(1), { budgetBytes: 400_000 });
    const readers = Array.from({ length: 10 }, (_, partition) => {
      const one = open({ partition, settle: false });
      one.notes.then = (sequence, offset) => {
        if (offset % 10 !== 0) one.reader.settle(sequence);
      };
      return one;
    });
    await cluster.clock.advance(20);
    let most = 0;
    for (let at = 0; at < 30; at += 1) {
      for (let partition = 0; partition < 10; partition += 1)
        cluster.topics.get('t')!.partitions[partition]!.batches.push(batch(at, ['x'.repeat(3000)]));
      for (const log of cluster.topics.get('t')!.partitions) log.end = at + 1;
      cluster.changed();
      await cluster.clock.advance(5);
      most = Math.max(most, fetcher.budget.pinnedBytes);
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(400_000);
    for (const { reader, notes } of readers) {
      expect(notes.offsets).toEqual(span(0, 30));
      for (const sequence of notes.sequences) reader.settle(sequence);
    }
    expect([fetcher.budget.pinnedBytes, fetcher.budget.usedBytes, fetcher.budget.bufferedBytes]).toEqual([
      0, 0, 0,
    ]);
  });

  it('reads many partitions beyond the bound of what is read ahead', async () => {
    const { cluster, open, fetcher } = setUp(new Array<number>(40).fill(1), {
      prefetchBytes: 1_000_000,
      budgetBytes: 100_000_000,
    });
    for (let partition = 0; partition < 40; partition += 1)
      for (let at = 0; at < 200; at += 1) cluster.append('t', partition, batch(at, ['x'.repeat(9_000)]));
    const readers = Array.from({ length: 40 }, (_, partition) =>
      open({ partition, settle: false, credit: { records: 1 } }),
    );
    await cluster.clock.advance(500);
    expect(fetcher.budget.bufferedBytes).toBeGreaterThan(8_000_000);
    expect(fetcher.budget.bufferedBytes).toBeLessThan(28_000_000);
    for (let round = 0; round < 3000 && readers.some(({ notes }) => notes.offsets.length < 200); round += 1) {
      for (const { reader, notes } of readers) reader.settle(notes.sequences.at(-1)!);
      await cluster.clock.advance(1);
    }
    for (const { notes } of readers) expect(notes.offsets).toEqual(span(0, 200));
  });

  it('asks for as many partitions at once as one answer has room for, and for others meanwhile', async () => {
    const partitions = 40;
    const { cluster, open } = setUp(new Array<number>(partitions).fill(1));
    for (let partition = 0; partition < partitions; partition += 1)
      for (let at = 0; at < 60; at += 1) cluster.append('t', partition, batch(at, ['x'.repeat(9_000)]));
    const readers = Array.from({ length: partitions }, (_, partition) => open({ partition }));
    await cluster.clock.advance(2_000);
    // Of nothing is known where it ends: the first request finds out.
    expect(cluster.fetches[0]!.asked.length).toBe(partitions);
    const first = cluster.fetches.slice(1, 4);
    expect(new Set(first.map(({ atMs }) => atMs)).size).toBe(1);
    const asked = first.flatMap((fetch) => fetch.asked);
    expect(new Set(asked).size).toBe(asked.length);
    for (const fetch of first) expect(fetch.asked.length).toBeLessThan(partitions / 2);
    for (const { notes } of readers) expect(notes.offsets).toEqual(span(0, 60));
    // All have read everything, and are asked for together again.
    expect(cluster.fetches.at(-1)!.asked.length).toBe(partitions);
  });

  it('drops the answer to a question that a seek made stale', async () => {
    const { cluster, open } = setUp();
    cluster.append('t', 0, run(0, 5), run(5, 5), run(10, 5));
    const { reader, notes } = open();
    await cluster.clock.runUntil(() => reader.feed.fetch.asked);
    reader.seek(12);
    await cluster.clock.advance(100);
    expect(notes.offsets).toEqual([12, 13, 14]);
  });

  it('stops at the last stable offset and hides aborted records with read_committed', async () => {
    const { cluster, open } = setUp([1], { isolationLevel: 'read_committed' });
    const log = cluster.topics.get('t')!.partitions[0]!;
    log.aborted = [{ producerId: 1, firstOffset: 0 }];
    log.lastStable = 6;
    const t = (producerId: number) => ({ producerId, transactional: true });
    cluster.append('t', 0, run(0, 2, t(1)), run(2, 2), marker(4, 1, 'abort'), run(5, 1), run(6, 2, t(2)));
    const { reader, notes } = open();
    await cluster.clock.advance(20);
    expect(notes.offsets).toEqual([2, 3, 5]);
    expect([reader.position, reader.lag, reader.highWatermark]).toEqual([6, 0, 6]);
    cluster.append('t', 0, marker(8, 2, 'commit'));
    log.lastStable = 9;
    cluster.changed();
    await cluster.clock.advance(20);
    expect(notes.offsets).toEqual([2, 3, 5, 6, 7]);
    expect([reader.position, reader.commitPoint().offset]).toEqual([9, 9]);
  });

  it('obeys a throttle', async () => {
    const { cluster, open } = setUp();
    cluster.append('t', 0, run(0, 5));
    cluster.tamper = (response) => ({ ...response, throttleTimeMs: 1000 });
    open();
    await cluster.clock.advance(20);
    const asked = cluster.fetches.length;
    await cluster.clock.advance(900);
    expect(cluster.fetches.length).toBe(asked);
    await cluster.clock.advance(200);
    expect(cluster.fetches.length).toBe(asked + 1);
  });

  it('hands over each record once through random leader moves, outages and stalls', async () => {
    const { cluster, open } = setUp([1, 2, 3]);
    const next = seededRandom(7);
    const random = (below: number): number => Math.floor(next() * below);
    const ends = [0, 0, 0];
    const readers = [0, 1, 2].map((partition) => open({ partition, credit: { records: 7 }, settle: false }));
    const settleSome = (): void => {
      for (const { notes, reader } of readers)
        for (const sequence of notes.sequences.splice(0, random(8))) reader.settle(sequence);
    };
    for (let round = 0; round < 400; round += 1) {
      const partition = random(3);
      const count = 1 + random(9);
      cluster.append('t', partition, run(ends[partition]!, count));
      ends[partition]! += count;
      const dice = random(20);
      if (dice === 0) cluster.moveLeader('t', random(3), 1 + random(3));
      if (dice === 1) cluster.moveLeader('t', random(3), -1);
      if (dice === 2) cluster.dead.add(1 + random(3));
      if (dice > 15) cluster.dead.clear();
      settleSome();
      await cluster.clock.advance(random(60));
    }
    cluster.dead.clear();
    for (const partition of [0, 1, 2]) cluster.moveLeader('t', partition, 1 + partition);
    for (let round = 0; round < 2000; round += 1) {
      settleSome();
      await cluster.clock.advance(5);
    }
    readers.forEach(({ notes, reader }, at) => {
      expect(notes.errors).toEqual([]);
      expect(notes.offsets).toEqual(span(0, ends[at]!));
      expect(reader.commitPoint().offset).toBe(ends[at]);
    });
  });
});
