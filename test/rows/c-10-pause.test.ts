// Row C-10: pausing one, some and all; the group does not notice.
import { afterAll, describe, expect, it } from '@jest/globals';
import { GroupConsumer } from '../../src/core/group/group-consumer.ts';
import type { GroupClaim } from '../../src/core/group/claim.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { answersTo } from './support/answers.ts';
import { createTopic, span, startReading, write } from './support/reading.ts';

const SESSION_MS = 6_000;
const HEARTBEAT_MS = 500;
/** Longer than the session. */
const HEARTBEATS = SESSION_MS / HEARTBEAT_MS + 4;

(brokers === undefined ? describe.skip : describe)('C-10: pause and resume', () => {
  const kafka = testKafka();
  const topics: string[] = [];
  afterAll(async () => {
    await kafka.admin().deleteTopics(topics);
    await kafka.close();
  });

  it('one, some and all, keeping what was fetched', async () => {
    const topic = await createTopic(kafka, uniqueName('c10'), 4);
    topics.push(topic);
    for (const partition of span(0, 3)) await write(kafka, topic, 0, 200, partition);
    const options = { topic, from: 'earliest', credit: { records: 10 } } as const;
    const { seen: all, pause, resume, close } = await startReading(kafka, options);
    // The last is never paused: what comes to it had to pass the others.
    const [seen, running] = [all.slice(0, 3), all[3]!];
    const total = (): number[] => seen.map(({ offsets }) => offsets.length);
    const held = seen.map((one) => {
      const sequences: number[] = [];
      one.onRecord = (sequence) => sequences.push(sequence);
      return sequences;
    });
    const settleAll = (): void =>
      seen.forEach(({ reader }, at) => held[at]!.splice(0).forEach((sequence) => reader.settle(sequence)));
    await until('ten of each', () => total().every((count) => count === 10));
    pause([0]);
    settleAll();
    await until('ten more of the others', () => total().join() === '10,20,20');
    pause([1, 2]);
    settleAll();
    const before = seen.map(({ reader }) => reader.feed.fetch.offset);
    await write(kafka, topic, 0, 100, 3);
    await until('all of the one that goes on', () => running.offsets.length === 100);
    expect(total()).toEqual([10, 20, 20]);
    const fetched = seen.map(({ reader }) => reader.feed.fetch.offset);
    resume();
    for (const one of seen) one.onRecord = (sequence) => one.reader.settle(sequence);
    await until('all', () => total().every((count) => count === 200));
    for (const { offsets } of seen) expect(offsets).toEqual(span(0, 200));
    expect([before, fetched]).toEqual([
      [200, 200, 200],
      [200, 200, 200],
    ]);
    close();
  });

  it('a paused claim gets nothing, stays in the group, and goes on at the next record', async () => {
    const topic = await createTopic(kafka, uniqueName('c10-group'), 2);
    topics.push(topic);
    for (const partition of span(0, 2)) await write(kafka, topic, 0, 50, partition);
    const claims: GroupClaim[] = [];
    const seen: number[][] = [[], []];
    const groupId = uniqueName('c10');
    const consumer = new GroupConsumer(
      kafka.cluster,
      { groupId, topics: [topic], sessionTimeoutMs: SESSION_MS, heartbeatIntervalMs: HEARTBEAT_MS },
      {
        onClaim: (claim) => {
          claims.push(claim);
          claim.start({
            onRecord: (record, sequence) => {
              seen[claim.partition]!.push(record.offset);
              claim.settle(sequence);
            },
            onPressure: () => undefined,
            onEnd: () => undefined,
            onError: (error) => {
              throw error;
            },
            onRevoking: () => undefined,
            onLost: () => undefined,
          });
        },
        onRebalance: () => undefined,
        onFailed: (error) => {
          throw error;
        },
      },
    );
    consumer.start();
    await until('all', () => seen.every((offsets) => offsets.length === 50));
    const { generation } = consumer;
    const [paused, running] = [0, 1].map((partition) =>
      claims.find((claim) => claim.partition === partition)!,
    );
    paused!.pause();
    for (const partition of span(0, 2)) await write(kafka, topic, 50, 50, partition);
    const heartbeats = answersTo('Heartbeat');
    await until('heartbeats beyond the session', () => heartbeats.count >= HEARTBEATS);
    heartbeats.stop();
    await until('all of the other', () => seen[1]!.length === 100);
    expect(seen.map((offsets) => offsets.length)).toEqual([50, 100]);
    paused!.resume();
    await until('the rest', () => seen[0]!.length === 100);
    expect(seen).toEqual([span(0, 100), span(0, 100)]);
    expect(consumer.generation).toBe(generation);
    expect(claims.length).toBe(2);
    expect([paused!.revoking.aborted, running!.lost.aborted]).toEqual([false, false]);
    await consumer.drain(2_000);
  });
});
