// The Rx face of claims on a real broker: what they show, and how they are paused and moved.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  sluice,
  type Claim,
  type Claims,
  type ConsumerRecord,
  type Delivery,
  type GroupOptions,
  type Kafka,
} from '../../src/index.ts';
import { commitsOf, fill } from '../faults/support/marks.ts';
import { brokers, isKafka39, testKafka, uniqueName } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';

const onBroker = brokers === undefined ? describe.skip : describe;
const RECORDS = 300;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Everything one claim after the other hands over, acknowledged only on demand. */
class Reading {
  readonly deliveries: Delivery<ConsumerRecord>[] = [];
  readonly claims: Claim<ConsumerRecord>[] = [];
  readonly stop: () => void;
  readonly all: Claims<ConsumerRecord>;

  constructor(kafka: Kafka, topic: string, options: GroupOptions) {
    this.all = sluice(kafka).fromGroup({ topics: [topic], ...options });
    const subscription = this.all.claims.subscribe((claim) => this.begin(claim));
    this.stop = () => subscription.unsubscribe();
  }

  private begin(claim: Claim<ConsumerRecord>): void {
    this.claims.push(claim);
    claim.subscribe((delivery) => this.deliveries.push(delivery));
  }

  get offsets(): number[] {
    return this.deliveries.map(({ value }) => value.offset);
  }

  get claim(): Claim<ConsumerRecord> {
    return this.claims[0]!;
  }

  ack(from = 0): void {
    for (const delivery of this.deliveries.slice(from)) delivery.ack();
  }

  async count(records: number): Promise<void> {
    await until(`${records} records`, () => this.deliveries.length >= records);
  }
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, at) => from + at);

onBroker('a claim on a real broker', () => {
  let kafka: Kafka;
  let topic: string;
  let groupId: string;
  const topics: string[] = [];

  beforeAll(() => {
    kafka = testKafka();
  });
  afterAll(async () => {
    await kafka.admin().deleteTopics(topics);
    await kafka.close();
  });

  async function prepare(records = RECORDS, partitions = 1): Promise<void> {
    topic = uniqueName('claims');
    groupId = topic;
    topics.push(topic);
    await kafka.admin().createTopics([{ name: topic, partitions }]);
    if (records > 0) await fill(kafka, topic, records, partitions);
  }

  it('shows its generation, where it began, how far it is, what is committed and what is left, live', async () => {
    await prepare(100);
    const before = kafka.offsets({ groupId });
    (await before.manage(topic, 0)).markNextOffset(10);
    await before.close();
    const reading = new Reading(kafka, topic, { groupId, credit: { records: 20 }, commitIntervalMs: 100 });
    await reading.count(20);
    const { claim } = reading;
    expect(claim).toMatchObject({
      topic,
      partition: 0,
      claimEpoch: 1,
      generation: 1,
      startOffset: 10,
      position: 30,
      committedOffset: 10,
      highWatermark: 100,
      lag: 70,
    });
    reading.ack();
    await reading.count(40);
    await until('it is committed', () => claim.committedOffset === 30);
    expect(claim).toMatchObject({ startOffset: 10, position: 50, lag: 50 });
    await fill(kafka, topic, 7, 1);
    await until('the lag grew', () => {
      reading.ack();
      return claim.highWatermark === 107 && claim.lag === 0;
    });
    reading.stop();
  });

  it('keeps, while it is paused, what was fetched: it is handed over after the log has lost it', async () => {
    await prepare();
    const reading = new Reading(kafka, topic, { groupId, credit: { records: 10 } });
    await reading.count(10);
    reading.claim.pause();
    await kafka.admin().deleteRecords([{ topic, partition: 0, beforeOffset: RECORDS }]);
    reading.ack();
    await pause(300);
    expect(reading.deliveries).toHaveLength(10);
    expect(reading.claim.generation).toBe(1);
    reading.claim.resume();
    await until('all is read', () => {
      reading.ack();
      return reading.deliveries.length === RECORDS;
    });
    expect(reading.offsets).toEqual(numbers(0, RECORDS));
    expect(reading.claims).toHaveLength(1);
    reading.stop();
  });

  it('of all, or of a topic, is paused with those that come later, and resumed at the next record', async () => {
    await prepare(0, 2);
    const reading = new Reading(kafka, topic, { groupId });
    reading.all.pauseAll(topic);
    await until('both are claimed', () => reading.claims.length === 2);
    await fill(kafka, topic, 20, 2);
    await pause(300);
    expect(reading.deliveries).toEqual([]);
    reading.all.resumeAll();
    await reading.count(20);
    expect(reading.offsets.sort((a, b) => a - b)).toEqual(numbers(0, 20).map((n) => Math.floor(n / 2)));
    reading.ack();
    reading.stop();
  });

  it('is sought back and forth: every handing over is a delivery of its own, settled once; the commit does not go back', async () => {
    await prepare();
    const reading = new Reading(kafka, topic, { groupId, credit: { records: 50 }, commitIntervalMs: 50 });
    await reading.count(50);
    const { claim } = reading;
    // Back, with all of it unsettled: room for the same records again is only there when some are settled.
    claim.seek(10);
    reading.ack();
    await reading.count(100);
    expect(reading.offsets.slice(50)).toEqual(numbers(10, 60));
    await until(
      'the commit follows',
      () => (claim.committedOffset ?? 0) >= 50 || claim.committedOffset === 10,
    );
    reading.ack();
    reading.ack(50);
    await reading.count(150);
    expect(reading.offsets.slice(100)).toEqual(numbers(60, 110));
    // Forth, over what nobody has read.
    claim.seek(290);
    reading.ack();
    await reading.count(160);
    expect(reading.offsets.slice(150)).toEqual(numbers(290, 300));
    expect(claim.position).toBe(300);
    // The last ten are unsettled.
    await until('the others are committed', () => claim.committedOffset === 290);
    expect(await commitsOf(kafka, groupId, 1)).toEqual([290]);
    reading.ack();
    reading.ack();
    await until('all is committed', () => claim.committedOffset === 300);
    claim.seek(0);
    await reading.count(210);
    reading.ack();
    await pause(200);
    expect(await commitsOf(kafka, groupId, 1)).toEqual([300]);
    expect(reading.claims).toHaveLength(1);
    reading.stop();
  });

  it('takes every option of the group: a static member, an assignor, a rack', async () => {
    await prepare(10);
    const reading = new Reading(kafka, topic, {
      groupId,
      groupInstanceId: 'one',
      assignors: ['roundrobin'],
      rackId: 'here',
      metadataMaxAgeMs: 10_000,
    });
    await reading.count(10);
    const [group] = await kafka.admin().describeGroups([groupId]);
    expect(group).toMatchObject({ protocol: 'roundrobin', members: [{ groupInstanceId: 'one' }] });
    reading.ack();
    reading.stop();
  });

  (isKafka39 ? it.skip : it)('takes the consumer protocol, too', async () => {
    await prepare(10);
    const reading = new Reading(kafka, topic, { groupId, groupProtocol: 'consumer' });
    await reading.count(10);
    expect(reading.claim.generation).toBeGreaterThan(0);
    const groups = await kafka.admin().listGroups();
    expect(groups.find((group) => group.groupId === groupId)).toMatchObject({ type: 'consumer' });
    reading.ack();
    reading.stop();
  });

  it('is read by for await; what was acknowledged when the loop is left is committed before the client closes', async () => {
    await prepare(100);
    const client = testKafka();
    const seen: number[] = [];
    for await (const delivery of sluice(client).fromGroup({
      groupId,
      topics: [topic],
      credit: { records: 10 },
    })) {
      seen.push(delivery.value.offset);
      delivery.ack();
      if (seen.length === 42) break;
    }
    await client.close();
    expect(seen).toEqual(numbers(0, 42));
    expect(await commitsOf(kafka, groupId, 1)).toEqual([42]);
  });

  it('shows every record once to an interceptor, whatever becomes of it', async () => {
    await prepare(50);
    const shown: number[] = [];
    const failed: unknown[] = [];
    const reading = new Reading(kafka, topic, {
      groupId,
      interceptors: [
        {
          onRecord: ({ offset }) => {
            shown.push(offset);
            if (offset === 7) throw new Error('seven');
          },
          onError: (error) => failed.push(error),
        },
      ],
    });
    await reading.count(50);
    expect(shown).toEqual(numbers(0, 50));
    expect(failed).toHaveLength(1);
    expect(reading.offsets).toEqual(numbers(0, 50));
    reading.ack();
    reading.stop();
  });
});
