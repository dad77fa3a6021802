// Reads every partition whole when all is over.
import type { Cluster } from '../../../src/core/cluster/cluster.ts';
import { openPartitions } from '../../../src/core/consumer/open-partitions.ts';
import type { PartitionReader } from '../../../src/core/consumer/partition-reader.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { controlType } from '../../../src/core/records/control-records.ts';
import { parseBatches } from '../../../src/core/records/record-batch.ts';
import type { RecordBatch } from '../../../src/core/records/record-batch.ts';
import type { Isolation } from '../history/event.ts';
import { SimulatedProcess } from '../../../src/testing/simulation/simulated-process.ts';
import { OUTPUT, sendOf } from './world.ts';
import type { World } from './world.ts';

const LIMIT_MS = 60_000;
const EVERYTHING_BYTES = 100_000_000;
const LAST_WITH_NAMES = 12;

export async function finalRead(world: World): Promise<void> {
  const { clock, box, recorder } = world;
  const process = new SimulatedProcess(clock, world.transport);
  const kafka = world.kafka('final', process);
  for (const isolation of ['read_uncommitted', 'read_committed'] as const) {
    for (const topic of [...world.inputs, OUTPUT]) {
      const { readers, close } = await clock.run(
        openPartitions(kafka.cluster, { topic, from: 'earliest', to: 'latest', isolationLevel: isolation }),
        LIMIT_MS,
      );
      await clock.run(Promise.all(readers.map((reader) => readAll(world, reader, isolation))), LIMIT_MS);
      close();
    }
  }
  await clock.run(readMarkers(world, kafka.cluster), LIMIT_MS);
  await clock.run(kafka.close());
  for (const topic of [...world.inputs, OUTPUT]) {
    for (let partition = 0; partition < world.partitionsOf(topic); partition++) {
      const { logStartOffset: start, highWatermark: end } = box.partition(topic, partition);
      recorder.add({ kind: 'end', topic, partition, start, end });
    }
  }
}

/** The markers of transactions, which readers never show. */
async function readMarkers(world: World, cluster: Cluster): Promise<void> {
  for (const topic of world.inputs) {
    for (let partition = 0; partition < world.partitionsOf(topic); partition++) {
      for (const batch of await fetchFrom(world, cluster, topic, partition)) {
        if (!batch.isControl) continue;
        const how = controlType(batch);
        if (how !== 'commit' && how !== 'abort') continue;
        const { baseOffset: offset, producerId } = batch;
        world.recorder.add({ kind: 'marked', topic, partition, offset, producerId, how });
      }
    }
  }
}

async function fetchFrom(
  world: World,
  cluster: Cluster,
  topic: string,
  partition: number,
): Promise<RecordBatch[]> {
  const { logStartOffset, highWatermark } = world.box.partition(topic, partition);
  const batches: RecordBatch[] = [];
  for (let offset = logStartOffset; offset < highWatermark;) {
    const request = {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: EVERYTHING_BYTES,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [
        { topic, partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: EVERYTHING_BYTES }] },
      ],
      forgottenTopicsData: [],
      rackId: '',
    };
    const { nodeId } = cluster.metadata.leader(topic, partition)!;
    const answer = await cluster.send(nodeId, fetchApi, request, { maxVersion: LAST_WITH_NAMES });
    const { records } = answer.responses[0]!.partitions[0]!;
    const some = [...parseBatches(records!, { topic, partition })];
    batches.push(...some);
    offset = some.at(-1)!.lastOffset + 1;
  }
  return batches;
}

function readAll({ recorder }: World, reader: PartitionReader, isolation: Isolation): Promise<void> {
  const { topic, partition } = reader;
  return new Promise((resolve, reject) => {
    reader.start({
      onRecord: ({ offset, value }, sequence) => {
        recorder.add({ kind: 'final', topic, partition, isolation, offset, send: sendOf(value) });
        reader.settle(sequence);
      },
      onPressure: () => undefined,
      onEnd: resolve,
      onError: reject,
    });
  });
}
