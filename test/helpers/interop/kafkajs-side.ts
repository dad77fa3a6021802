// kafkajs's side of an exchange.
import kafkajs from 'kafkajs';
import snappy from 'kafkajs-snappy';
import type { Sample } from './sample.ts';

const { CompressionTypes, CompressionCodecs } = kafkajs;

CompressionCodecs[CompressionTypes.Snappy] = snappy;

/** The codecs that kafkajs has. */
export const KAFKAJS_CODECS = ['none', 'gzip', 'snappy'] as const;
const TYPES = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
} as const;

const LARGE_BYTES = 100_000;

export function kafkajsOf(bootstrap: string): kafkajs.Kafka {
  return new kafkajs.Kafka({
    brokers: bootstrap.split(','),
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 50 },
  });
}

/** What kafkajs can write of a sample: it fails on a header that is null. */
export function withoutNullHeaders(sample: Sample): Sample {
  return { ...sample, headers: sample.headers.map(([name, value]) => [name, value ?? Buffer.alloc(0)]) };
}

function messageOf({ partition, timestamp, key, value, headers }: Sample): kafkajs.Message {
  const named: Record<string, Buffer[]> = {};
  for (const [name, one] of headers) (named[name] ??= []).push(one!);
  return { partition, timestamp: String(timestamp), key, value, headers: named };
}

/** Runs of samples that fit into one request of kafkajs, which makes one batch of all there is for a partition. */
function* chunks(list: readonly Sample[]): Generator<Sample[]> {
  let chunk: Sample[] = [];
  for (const sample of list) {
    const isLarge = (sample.value?.length ?? 0) > LARGE_BYTES;
    if (isLarge && chunk.length > 0) {
      yield chunk;
      chunk = [];
    }
    chunk.push(sample);
    if (isLarge) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}

export async function write(
  bootstrap: string,
  topic: string,
  list: readonly Sample[],
  codec: (typeof KAFKAJS_CODECS)[number],
): Promise<void> {
  const producer = kafkajsOf(bootstrap).producer({ idempotent: true });
  await producer.connect();
  for (const chunk of chunks(list))
    await producer.send({ topic, compression: TYPES[codec], messages: chunk.map(messageOf) });
  await producer.disconnect();
}

function sampleOf(partition: number, { timestamp, key, value, headers }: kafkajs.KafkaMessage): Sample {
  const pairs = Object.entries(headers ?? {}).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).map(
      (one) => [name, one === undefined ? null : (one as Buffer | null)] as const,
    ),
  );
  return { partition, timestamp: Number(timestamp), key, value, headers: pairs };
}

/** Reads the first `count` records in a group of its own, which stays with its commits. */
export async function read(
  bootstrap: string,
  topic: string,
  groupId: string,
  count: number,
): Promise<Sample[]> {
  const found: Sample[] = [];
  const consumer = kafkajsOf(bootstrap).consumer({ groupId, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  try {
    await new Promise<void>((resolve, reject) => {
      // A coordinator that is still loading, on a broker that has just started, is a crash that it gets over by itself.
      consumer.on('consumer.crash', ({ payload }) => {
        if (!payload.restart) reject(payload.error);
      });
      consumer
        .run({
          eachBatch: async ({ batch, resolveOffset }) => {
            for (const message of batch.messages) {
              found.push(sampleOf(batch.partition, message));
              resolveOffset(message.offset);
            }
            if (found.length >= count) resolve();
          },
        })
        .catch(reject);
    });
  } finally {
    // One that is left goes on after its test, and what it does then makes the exit code of the worker 1.
    await consumer.disconnect();
  }
  return found;
}

/** The range assignor for kafkajs, which has round robin only. */
export const kafkajsRange: kafkajs.PartitionAssigner = ({ cluster }) => ({
  name: 'range',
  version: 0,
  async assign({ members, topics }) {
    const ordered = members.map(({ memberId }) => memberId).sort();
    const assignments = new Map<string, Record<string, number[]>>(ordered.map((id) => [id, {}]));
    for (const topic of topics) {
      const left = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
      left.sort((a, b) => a - b);
      const each = Math.floor(left.length / ordered.length);
      const extra = left.length % ordered.length;
      for (const [at, id] of ordered.entries())
        assignments.get(id)![topic] = left.splice(0, each + (at < extra ? 1 : 0));
    }
    return ordered.map((memberId) => ({
      memberId,
      memberAssignment: kafkajs.AssignerProtocol.MemberAssignment.encode({
        version: 0,
        assignment: assignments.get(memberId)!,
        userData: Buffer.alloc(0),
      }),
    }));
  },
  protocol: ({ topics }) => ({
    name: 'range',
    metadata: kafkajs.AssignerProtocol.MemberMetadata.encode({
      version: 0,
      topics,
      userData: Buffer.alloc(0),
    }),
  }),
});
