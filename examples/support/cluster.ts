// Where an example runs: on the cluster of KAFKA_BROKERS, or on the broker in the box. What it makes there carries a run id and is deleted at the end.
import kafkajsModule from 'kafkajs';
import { Kafka } from 'sluice';
import { listPartitions, type StreamClient } from 'sluice/core';
import { kafkajs } from 'sluice/kafkajs';
import { createBroker } from 'sluice/testing';

/** What an example gets. */
export interface ExampleCluster {
  readonly kafka: Kafka;
  /** What topologies run over: the same, or with SLUICE_CLIENT=kafkajs a client of kafkajs. */
  readonly client: StreamClient;
  /** A name of this run only. */
  name(base: string): string;
  /** How far a group has come in a topic, partitions added up. */
  lag(groupId: string, topic: string): Promise<{ committed: number; lag: number }>;
}

const PARTITIONS = 3;

/** Makes the topics, runs `body`, and cleans up whatever became of it. */
export async function withCluster(
  topics: readonly string[],
  body: (cluster: ExampleCluster) => Promise<number>,
): Promise<number> {
  const given = process.env['KAFKA_BROKERS'];
  const box = given === undefined || given === '' ? await createBroker({ brokers: 3 }) : undefined;
  const brokers = box === undefined ? given!.split(',') : [...box.bootstrap];
  console.log(
    box === undefined
      ? `on the cluster at ${brokers.join(', ')}`
      : `on the broker in the box, at ${brokers.join(', ')}`,
  );
  const kafka = new Kafka({ brokers, clientId: 'sluice-example' });
  const client = process.env['SLUICE_CLIENT'] === 'kafkajs' ? kafkajs(existing(brokers)) : kafka;
  const admin = kafka.admin();
  const runId = `${Date.now().toString(36)}-${process.pid}`;
  const groups = new Set<string>();
  const name = (base: string): string => `${base}-${runId}`;
  const lag: ExampleCluster['lag'] = async (groupId, topic) => {
    groups.add(groupId);
    const [committed, ends] = await Promise.all([
      admin.fetchOffsets(groupId),
      admin.listOffsets(topic, 'latest'),
    ]);
    const sum = (offsets: readonly { readonly offset: number }[]): number =>
      offsets.reduce((total, { offset }) => total + offset, 0);
    return { committed: sum(committed), lag: sum(ends) - sum(committed) };
  };
  try {
    await admin.createTopics(topics.map((topic) => ({ name: name(topic), partitions: PARTITIONS })));
    // Answered when every partition has its leader: kafkajs writes the others again when one of a batch has none yet.
    for (const topic of topics) {
      await listPartitions(kafka.cluster, name(topic));
      await admin.listOffsets(name(topic), 'latest');
    }
    return await body({ kafka, client, name, lag });
  } finally {
    await admin
      .deleteTopics(topics.map(name))
      .catch((error: unknown) => console.error('topics were not deleted:', error));
    if (groups.size > 0)
      await admin
        .deleteGroups([...groups])
        .catch((error: unknown) => console.error('groups were not deleted:', error));
    await kafka.close();
    await box?.close();
  }
}

/** As a program has it that moves over. */
function existing(brokers: string[]): kafkajsModule.Kafka {
  const { Kafka: KafkaJS, logLevel } = kafkajsModule;
  return new KafkaJS({ brokers, clientId: 'sluice-example', logLevel: logLevel.ERROR });
}
