import { first, lastValueFrom } from 'rxjs';
import {
  filter,
  json,
  map,
  mapAsync,
  settle,
  text,
  topology,
  type Claims,
  type Sluice,
  type Flow,
} from 'sluice';
import { KEYED_CONCURRENCY, keyOf, slowly } from '../keyed.ts';
import type { Done } from '../run-task.ts';
import type { Stopwatch } from '../stopwatch.ts';
import { Tally } from '../tally.ts';
import type { Job } from '../task.ts';
import { fromPartitions, kafka } from './setup.ts';

/** Runs a topology until the tally is full, and drains it. */
export async function until<T>(
  tally: Tally,
  source: (sluice: Sluice) => Claims<T>,
  stages: (flow: Flow<T>, sluice: Sluice) => Flow<unknown>,
): Promise<Done> {
  const running = topology('bench', (sluice) => {
    const claims = source(sluice);
    claims.rebalances.pipe(first()).subscribe(() => tally.begin());
    return stages(claims, sluice);
  }).start(kafka);
  await Promise.race([tally.all, running.done]);
  await running.drain();
  return tally.done();
}

export async function read({ topic, records }: Job, watch: Stopwatch): Promise<Done> {
  const tally = new Tally(records, watch);
  tally.begin();
  await lastValueFrom(
    fromPartitions({ topic, from: 'earliest', to: 'latest' }).pipe(
      map((record) => record.value!),
      filter((value) => tally.add(value)),
      settle(),
    ),
  );
  return tally.done();
}

export function consume({ topic, groupId, records }: Job, watch: Stopwatch): Promise<Done> {
  const tally = new Tally(records, watch);
  return until(
    tally,
    ({ fromGroup }) => fromGroup({ groupId, topics: [topic] }),
    (flow) =>
      flow.pipe(
        map((record) => record.value!),
        filter((value) => tally.add(value)),
      ),
  );
}

export function consumeText({ topic, groupId, records }: Job, watch: Stopwatch): Promise<Done> {
  const tally = new Tally(records, watch);
  return until(
    tally,
    ({ fromGroup }) => fromGroup({ groupId, topics: [topic], value: text() }),
    (flow) =>
      flow.pipe(
        map((record) => record.value),
        filter((value) => tally.addText(value)),
      ),
  );
}

export async function consumeJson({ topic, groupId, records }: Job, watch: Stopwatch): Promise<Done> {
  // Only here, for the sake of the memory of the others.
  const { documentSchema } = await import('../document-schema.ts');
  const tally = new Tally(records, watch);
  return until(
    tally,
    ({ fromGroup }) => fromGroup({ groupId, topics: [topic], value: json(documentSchema) }),
    (flow) =>
      flow.pipe(
        map((record) => record.value),
        filter((value) => tally.addDocument(value)),
      ),
  );
}

export function keyed({ topic, groupId, records }: Job, watch: Stopwatch): Promise<Done> {
  const tally = new Tally(records, watch);
  return until(
    tally,
    ({ fromGroup }) => fromGroup({ groupId, topics: [topic] }),
    (flow) =>
      flow.pipe(
        map((record) => record.value!),
        mapAsync(slowly, { concurrency: KEYED_CONCURRENCY, order: 'key', key: keyOf }),
        filter((value) => tally.add(value)),
      ),
  );
}
