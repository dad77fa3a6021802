// How the partitions are divided, in the words of kafkajs, and the moment before each join.

import { Buffer } from 'node:buffer';
import type { Assigner, PartitionAssigner } from 'kafkajs';

/** kafkajs's own assigner, byte for byte: its module is the user's, and is not imported here. Members that run kafkajs's divide alike. */
export const roundRobinAssigner: PartitionAssigner = ({ cluster }) => ({
  name: 'RoundRobinAssigner',
  version: 0,
  assign({ members, topics }) {
    const ids = members.map(({ memberId }) => memberId).sort();
    const parts = new Map<string, Map<string, number[]>>();
    const all = topics.flatMap((topic) =>
      cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ topic, partitionId })),
    );
    for (const [at, { topic, partitionId }] of all.entries()) {
      const id = ids[at % ids.length]!;
      const part = parts.get(id) ?? new Map<string, number[]>();
      part.set(topic, [...(part.get(topic) ?? []), partitionId]);
      parts.set(id, part);
    }
    return Promise.resolve(
      Array.from(parts, ([memberId, part]) => ({ memberId, memberAssignment: encodeAssignment(part) })),
    );
  },
  protocol: ({ topics }) => ({ name: 'RoundRobinAssigner', metadata: encodeTopics(topics) }),
});

/**
 * The assigner, with a call of `beforeJoin` right before each JoinGroup: that is when kafkajs asks for its protocol. What `beforeJoin` throws ends this
 * attempt to join.
 */
export function watched(make: PartitionAssigner, beforeJoin: () => void): PartitionAssigner {
  return (config) => {
    const assigner: Assigner = make(config);
    return {
      name: assigner.name,
      version: assigner.version,
      assign: (group) => assigner.assign(group),
      protocol: (subscription) => {
        beforeJoin();
        return assigner.protocol(subscription);
      },
    };
  };
}

/** Kafka's ConsumerProtocolSubscription, version 0. */
function encodeTopics(topics: readonly string[]): Buffer {
  return Buffer.concat([int16(0), int32(topics.length), ...topics.map(text), int32(0)]);
}

/** Kafka's ConsumerProtocolAssignment, version 0. */
function encodeAssignment(part: ReadonlyMap<string, readonly number[]>): Buffer {
  const topics = Array.from(part, ([topic, partitions]) =>
    Buffer.concat([text(topic), int32(partitions.length), ...partitions.map(int32)]),
  );
  return Buffer.concat([int16(0), int32(part.size), ...topics, int32(0)]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([int16(bytes.length), bytes]);
}
