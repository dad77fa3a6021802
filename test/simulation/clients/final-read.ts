// Reads every partition whole when all is over.
import { openPartitions } from '../../../src/core/consumer/open-partitions.ts';
import type { PartitionReader } from '../../../src/core/consumer/partition-reader.ts';
import type { Isolation } from '../history/event.ts';
import { SimulatedProcess } from '../simulated-process.ts';
import { OUTPUT, sendOf } from './world.ts';
import type { World } from './world.ts';

const LIMIT_MS = 60_000;

export async function finalRead(world: World): Promise<void> {
  const { clock, box, recorder } = world;
  const process = new SimulatedProcess(clock, box.transport);
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
  await clock.run(kafka.close());
  for (const topic of [...world.inputs, OUTPUT]) {
    for (let partition = 0; partition < world.partitionsOf(topic); partition++) {
      const { logStartOffset: start, highWatermark: end } = box.partition(topic, partition);
      recorder.add({ kind: 'end', topic, partition, start, end });
    }
  }
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
