// Topics of numbered records, and what copiers made of them.
import { lastValueFrom } from 'rxjs';
import { openPartitions } from '../../../src/core/consumer/open-partitions.ts';
import { settle, tap } from '../../../src/operators/index.ts';
import { fromIterable, sluice, text, type Kafka } from '../../../src/index.ts';

/** A record of the output: which input record it is a copy of, and by which run. */
export interface Mark {
  readonly partition: number;
  readonly offset: number;
  readonly run: number;
  /** The claim epoch in that run. */
  readonly epoch: number;
  /** Its place in the output partition. */
  readonly at: number;
}

/** Fills `topic` with `records` values of `bytes` bytes, evenly over its partitions. */
export async function fill(
  kafka: Kafka,
  topic: string,
  records: number,
  partitions: number,
  bytes = 20,
): Promise<void> {
  const padding = 'x'.repeat(Math.max(0, bytes - 8));
  function* numbers(): Generator<number> {
    for (let n = 0; n < records; n++) yield n;
  }
  const { toTopic } = sluice(kafka);
  await lastValueFrom(
    fromIterable(numbers()).pipe(
      toTopic(topic, (n) => ({
        partition: n % partitions,
        value: `${String(n).padStart(8, '0')}${padding}`,
      })),
      settle(),
    ),
  );
}

/** Every mark in a copier's output. */
export async function marksOf(kafka: Kafka, topic: string): Promise<Mark[]> {
  const marks: Mark[] = [];
  await lastValueFrom(
    sluice(kafka)
      .fromPartitions({ topic, value: text(), from: 'earliest', until: 'end' })
      .pipe(
        tap((record) => {
          const [partition, offset, run, epoch] = record.value.split(':').map(Number) as [
            number,
            number,
            number,
            number,
          ];
          marks.push({ partition, offset, run, epoch, at: record.offset });
        }),
        settle(),
      ),
    { defaultValue: undefined },
  );
  return marks;
}

/** Where the batch begins in which each record of partition 0 is, by the record's offset. */
export async function batchStarts(kafka: Kafka, topic: string): Promise<number[]> {
  const starts: number[] = [];
  const { readers, close } = await openPartitions(kafka.cluster, {
    topic,
    partitions: [0],
    from: 'earliest',
    to: 'latest',
  });
  const [reader] = readers;
  await new Promise<void>((resolve, reject) =>
    reader!.start({
      onRecord: (record, sequence) => {
        starts[record.offset] = record.batch!.baseOffset;
        reader!.settle(sequence);
      },
      onPressure: () => undefined,
      onEnd: resolve,
      onError: reject,
    }),
  );
  close();
  return starts;
}

/** Committed offsets by partition; -1 where there is none. */
export async function commitsOf(kafka: Kafka, groupId: string, partitions: number): Promise<number[]> {
  const offsets = new Array<number>(partitions).fill(-1);
  for (const { partition, offset } of await kafka.admin().fetchOffsets(groupId)) offsets[partition] = offset;
  return offsets;
}

/** How many of each partition's `records` have no mark, and how many more than one. */
export function compare(
  marks: readonly Mark[],
  records: number,
  partitions: number,
): { missing: number; doubled: number } {
  const per = records / partitions;
  const seen = Array.from({ length: partitions }, () => new Uint16Array(Math.ceil(per)));
  for (const { partition, offset } of marks) seen[partition]![offset]!++;
  let missing = 0;
  let doubled = 0;
  for (const counts of seen) {
    for (const count of counts) {
      if (count === 0) missing++;
      else if (count > 1) doubled++;
    }
  }
  return { missing, doubled };
}
