// A million records through every kind of stage on a real broker: nothing missing, nothing twice, order per key, everything committed.
import { describe, expect, it } from '@jest/globals';
import { lastValueFrom } from 'rxjs';
import { batch, eachClaim, filter, map, mapAsync, settle, tap } from '../../src/operators/index.ts';
import { fromIterable, sluice, text, topology } from '../../src/index.ts';
import { short, testKafka, uniqueName } from '../helpers/brokers.ts';

const RECORDS = short ? 200_000 : 1_000_000;
const KEYS = 997;

describe('the whole way of a record', () => {
  it(`takes ${RECORDS} records through map, mapAsync, filter, batch and toTopic without loss, doubling or disorder`, async () => {
    const kafka = testKafka();
    const admin = kafka.admin();
    const [input, output, groupId] = [uniqueName('whole-in'), uniqueName('whole-out'), uniqueName('whole')];
    await admin.createTopics([
      { name: input, partitions: 3 },
      { name: output, partitions: 3 },
    ]);

    function* numbers(): Generator<number> {
      for (let n = 0; n < RECORDS; n++) yield n;
    }
    const { toTopic, fromPartitions } = sluice(kafka);
    await lastValueFrom(
      fromIterable(numbers()).pipe(
        toTopic(input, (n) => ({ key: `k${n % KEYS}`, value: String(n) })),
        settle(),
      ),
    );

    let done = 0;
    const work = topology('whole-way', (cluster) =>
      cluster.fromGroup({ groupId, topics: [input], key: text(), value: text() }).pipe(
        map((record) => ({ key: record.key, n: Number(record.value) })),
        mapAsync(
          async (item) => {
            if (item.n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
            return item;
          },
          { concurrency: 64, order: 'key', key: (item) => item.key },
        ),
        tap(() => done++),
        filter((item) => item.n % 3 !== 0),
        batch({ maxRecords: 200, withinMs: 50 }),
        cluster.toTopic(output, (items) => items.map(({ key, n }) => ({ key, value: String(n) }))),
      ),
    );
    const running = work.start(kafka);
    while (done < RECORDS)
      await Promise.race([running.done, new Promise((resolve) => setTimeout(resolve, 50))]);
    const summary = await running.drain();
    expect(summary).toEqual({
      recordsIn: RECORDS,
      recordsOut: RECORDS - Math.ceil(RECORDS / 3),
      unsettled: 0,
    });

    const lastOfKey = new Int32Array(KEYS).fill(-1);
    const seen = new Uint8Array(RECORDS);
    let disorder = 0;
    await lastValueFrom(
      fromPartitions({ topic: output, value: text(), from: 'earliest', until: 'end' }).pipe(
        eachClaim((claim) =>
          claim.pipe(
            tap((record) => {
              const n = Number(record.value);
              seen[n]!++;
              if (lastOfKey[n % KEYS]! > n) disorder++;
              lastOfKey[n % KEYS] = n;
            }),
          ),
        ),
        settle(),
      ),
    );
    let wrong = 0;
    for (let n = 0; n < RECORDS; n++) if (seen[n] !== (n % 3 === 0 ? 0 : 1)) wrong++;
    expect({ wrong, disorder }).toEqual({ wrong: 0, disorder: 0 });

    const committed = await admin.fetchOffsets(groupId);
    const ends = await admin.listOffsets(input, 'latest');
    expect(new Map(committed.map(({ partition, offset }) => [partition, offset]))).toEqual(
      new Map(ends.map(({ partition, offset }) => [partition, offset])),
    );
    await admin.deleteTopics([input, output]);
    await admin.deleteGroups([groupId]);
    await kafka.close();
  });
});
