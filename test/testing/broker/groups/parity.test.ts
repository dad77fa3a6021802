// The same conversations with the box and with a real Kafka have to read the same. They need Java and the jars: KAFKA_LIB names their folder.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { metadataApi } from '../../../../src/core/protocol/messages/03-metadata.ts';
import { createTopicsApi } from '../../../../src/core/protocol/messages/19-create-topics.ts';
import type { BrokerBox } from '../../../../src/testing/broker/broker-box.ts';
import { createBroker } from '../../../../src/testing/broker/create-broker.ts';
import { seededRandom } from '../../../../src/testing/simulation/seeded-random.ts';
import { startRealKafka } from '../../../helpers/kafka/real-kafka.ts';
import type { RealKafka } from '../../../helpers/kafka/real-kafka.ts';
import { isOnPath } from '../command.ts';
import { CLASSIC_TRANSCRIPTS } from './classic-transcripts.ts';
import type { Transcript } from './classic-transcripts.ts';
import { CONSUMER_TRANSCRIPTS } from './consumer-transcripts.ts';
import { mixedHistory, randomHistory } from './random-groups.ts';
import { Talk } from './talk.ts';

const lib = process.env['KAFKA_LIB'] ?? '';
const suite = lib !== '' && isOnPath('java') ? describe : describe.skip;
const TOPICS = { lines: 3, others: 2, many: 11, more: 5 };
const HEARTBEAT_MS = 500;
const SEEDS = Array.from({ length: 8 }, (_, seed) => seed + 1);

/** Chance that first says these bytes: Kafka's ids of the topics become the box's, as assignors go by them. */
function playback(bytes: Buffer): () => number {
  let at = 0;
  const rest = seededRandom(1);
  return () => (at < bytes.length ? (bytes[at++]! + 0.5) / 256 : rest());
}

suite('groups of the box and of Kafka', () => {
  let kafka: RealKafka;
  let box: BrokerBox;

  beforeAll(async () => {
    const properties = {
      'group.consumer.assignment.interval.ms': '0',
      'group.consumer.heartbeat.interval.ms': String(HEARTBEAT_MS),
      'group.consumer.min.heartbeat.interval.ms': '100',
    };
    kafka = await startRealKafka({ lib, heapMb: 400, properties });
    const talk = new Talk(kafka.bootstrap[0]!);
    const topics = Object.entries(TOPICS).map(([name, numPartitions]) => ({
      name,
      numPartitions,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    }));
    await talk.ask(createTopicsApi, 7, { timeoutMs: 30_000, topics });
    const made = await talk.ask(metadataApi, 12, { topics: topics.map(({ name }) => ({ name })) });
    talk.close();
    const ids = topics.map(({ name }) => made.topics.find((topic) => topic.name === name)!.topicId);
    const clusterId = Buffer.alloc(16);
    box = await createBroker({
      topics: TOPICS,
      autoCreateTopics: false,
      group: { consumerHeartbeatIntervalMs: HEARTBEAT_MS },
      random: playback(Buffer.concat([clusterId, ...ids.map((id) => Buffer.from(id, 'base64url'))])),
    });
  }, 300_000);

  afterAll(async () => {
    await kafka?.stop();
    await box?.close();
    expect(box.internalErrors).toEqual([]);
  });

  async function written(bootstrap: string, transcript: Transcript, group: string): Promise<string[]> {
    const talk = new Talk(bootstrap);
    try {
      await talk.ready(group);
      await transcript(talk, group);
    } finally {
      talk.close();
    }
    return talk.lines;
  }

  async function compare(name: string, transcript: Transcript): Promise<void> {
    const group = `parity-${name.replace(/\W/g, '-')}`;
    const real = await written(kafka.bootstrap[0]!, transcript, group);
    expect(real.length).toBeGreaterThan(5);
    expect(await written(box.bootstrap[0]!, transcript, group)).toEqual(real);
  }

  it.each(Object.entries({ ...CLASSIC_TRANSCRIPTS, ...CONSUMER_TRANSCRIPTS }))('answer alike: %s', compare);

  it.each(SEEDS)('answer alike in random histories of consumer groups: seed %d', async (seed) => {
    await compare(`one topic ${seed}`, randomHistory(seed, ['many']));
    await compare(`several topics ${seed}`, randomHistory(seed, Object.keys(TOPICS)));
    await compare(`both protocols ${seed}`, mixedHistory(seed, Object.keys(TOPICS)));
  });
});
