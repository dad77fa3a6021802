// The ways in which a program meets its cluster through the public surface.
import { lastValueFrom } from 'rxjs';
import { fromIterable, settle, sluice, topology, type Kafka } from '../../../src/index.ts';

/** Times short enough for a test; a user's are longer. */
const API_MS = 3_000;
export const PRODUCER = {
  deliveryTimeoutMs: API_MS,
  metadataTimeoutMs: 2_000,
  requestTimeoutMs: 1_500,
  // Over before an attempt that the deadline cuts short, whose error would be the last.
  retries: 2,
} as const;
export const GROUP = {
  sessionTimeoutMs: 2_000,
  heartbeatIntervalMs: 200,
  rebalanceTimeoutMs: 3_000,
  drainTimeoutMs: 500,
  commitIntervalMs: 100,
  commitTimeoutMs: 1_000,
} as const;
export const CLIENT = {
  connectionTimeout: 1_500,
  requestTimeout: 1_500,
  defaultApiTimeoutMs: API_MS,
} as const;

/** A way to use a cluster until it ends or fails. */
export type Way = (kafka: Kafka, topic: string, groupId: string) => Promise<unknown>;

/** Every way in: sources and sinks, in a topology and in a script. */
export const ways: Record<string, Way> = {
  'fromGroup in a topology': (kafka, topic, groupId) =>
    topology('group', ({ fromGroup }) =>
      fromGroup({ groupId, topics: [topic], ...GROUP }).pipe(settle()),
    ).run(kafka, {
      signals: false,
    }),
  'fromPartitions in a topology': (kafka, topic) =>
    topology('partitions', ({ fromPartitions }) =>
      fromPartitions({ topic, from: 'earliest' }).pipe(settle()),
    ).run(kafka, { signals: false }),
  'toTopic in a topology': (kafka, topic) =>
    topology('sink', ({ toTopic }) =>
      fromIterable(['a', 'b']).pipe(toTopic(topic, (value) => ({ value }))),
    ).run(kafka, { signals: false, producer: PRODUCER }),
  'fromGroup in a script': (kafka, topic, groupId) =>
    lastValueFrom(
      sluice(kafka)
        .fromGroup({ groupId, topics: [topic] })
        .pipe(settle()),
    ),
  'fromPartitions in a script': (kafka, topic) =>
    lastValueFrom(sluice(kafka).fromPartitions({ topic, from: 'earliest', until: 'end' }).pipe(settle())),
  'toTopic in a script': (kafka, topic) =>
    lastValueFrom(
      fromIterable(['a', 'b']).pipe(
        sluice(kafka, { producer: PRODUCER }).toTopic(topic, (value) => ({ value })),
        settle(),
      ),
    ),
};
