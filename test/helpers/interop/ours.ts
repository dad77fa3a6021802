// Our side of an exchange, through the public surface.
import { lastValueFrom, toArray } from 'rxjs';
import type { CodecName } from '../../../src/core/compression/codec.ts';
import type { FetchedRecord } from '../../../src/core/records/fetched-record.ts';
import { fromIterable, map, settle, sluice, topology, type Kafka } from '../../../src/index.ts';
import { sampleOf, type Sample } from './sample.ts';

/** What was read, and how it lay in the log. */
export interface Read {
  readonly samples: Sample[];
  /** The codecs of the batches, in the order in which they were met. */
  readonly codecs: (string | undefined)[];
  /** True when every batch has a producer id and a sequence. */
  readonly idempotent: boolean;
}

/** Writes samples to the partitions they name, in a run of its own. */
export async function write(
  kafka: Kafka,
  topic: string,
  list: readonly Sample[],
  compression: CodecName,
): Promise<void> {
  const work = topology('write', ({ toTopic }) =>
    fromIterable(list).pipe(
      toTopic(topic, ({ key, value, headers, partition, timestamp }) => ({
        key,
        value,
        headers,
        partition,
        timestamp,
      })),
    ),
  );
  const summary = await work.run(kafka, { signals: false, producer: { compression } });
  if (summary.recordsOut !== list.length || summary.unsettled !== 0)
    throw new Error(`written: ${JSON.stringify(summary)} of ${list.length}`);
}

/** Everything a topic holds now. */
export async function read(kafka: Kafka, topic: string): Promise<Read> {
  const codecs = new Set<string | undefined>();
  let idempotent = true;
  const samples = await lastValueFrom(
    sluice(kafka)
      .fromPartitions({ topic, from: 'earliest', until: 'end' })
      .pipe(
        map((record) => {
          const { batch } = record as unknown as Pick<FetchedRecord, 'batch'>;
          codecs.add(batch?.codec);
          idempotent &&= batch !== undefined && batch.producerId >= 0 && batch.baseSequence >= 0;
          return sampleOf(record);
        }),
        settle(),
      )
      .pipe(toArray()),
  );
  return { samples, codecs: [...codecs], idempotent };
}

/** Writes a record for each key, where our default partitioner wants it. */
export async function writeKeys(kafka: Kafka, topic: string, keys: readonly Buffer[]): Promise<void> {
  const { toTopic } = sluice(kafka);
  await lastValueFrom(
    fromIterable(keys).pipe(
      toTopic(topic, (key) => ({ key, value: key })),
      settle(),
    ),
  );
}

/** Which partition each key is in, by the key in base64. */
export async function partitionsOf(kafka: Kafka, topic: string): Promise<Map<string, number>> {
  const { samples } = await read(kafka, topic);
  const entries = samples.map(({ key, partition }) => [key!.toString('base64'), partition] as const);
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
