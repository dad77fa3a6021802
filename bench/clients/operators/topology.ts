// A topology with every operator in it, in several groups that read the same topic, and a count of what came out of each.
import {
  atMostOnce,
  eachClaim,
  fail,
  fanOut,
  filter,
  map,
  mapAsync,
  merge,
  rewind,
  settle,
  tap,
  text,
  topology,
  type Claims,
  type ConsumerRecord,
  type Flow,
  type RetryTopics,
  type Sluice,
  type Topology,
} from 'sluice';
import type { GroupIds } from './groups.ts';
import { readingOf, type Reading } from './reading.ts';
import { DIVIDING, DROPPING, PASSING, WINDOWS, type Stage } from './stages.ts';

/** Where the topology reads and writes. */
export interface OperatorTopics {
  readonly input: string;
  readonly output: string;
  readonly retries: string;
  readonly dead: string;
}

/** How many values came out of each operator so far. */
export type Counts = Map<string, number>;

/** Stages whose claim is read again from its commit point are rare: it repeats what is in flight. */
const REWINDS_EVERY = 200_000;
const FAILS_EVERY = 5_000;

const COMMIT_MS = 200;

/** Counts what comes out of each operator in `counts`. */
export function everyOperator(groups: GroupIds, topics: OperatorTopics, counts: Counts): Topology {
  const count =
    (name: string) =>
    (reading: Reading): Reading => {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      return reading;
    };
  const counted =
    (name: string, stage: Stage): Stage =>
    (flow) =>
      flow.pipe(
        stage,
        tap((reading) => void count(name)(reading)),
      );
  const oneAfterAnother =
    (stages: Readonly<Record<string, Stage>>): Stage =>
    (flow) =>
      Object.entries(stages).reduce((before, [name, stage]) => counted(name, stage)(before), flow);
  const sideBySide =
    (stages: Readonly<Record<string, Stage>>): Stage =>
    (flow) => {
      const branches = Object.entries(stages).map(([name, stage]) => counted(name, stage));
      // As many as there are: `fanOut` has types for eight of them.
      return flow.pipe(branches.slice(1).reduce<Stage>((all, branch) => fanOut(all, branch), branches[0]!));
    };

  return topology('every-operator', (sluice) => {
    const { toTopic, deadLetter, retryTopics } = sluice;
    const from = (group: keyof GroupIds): Claims<RecordIn> => read(sluice, groups[group], topics);
    const written = toTopic(topics.output, ({ nth }: Reading) => ({ value: String(nth) }), { value: text() });
    const perClaim = (stage: Stage) => (claim: Flow<RecordIn>) => stage(claim.pipe(map(readingOf)));
    const later = retryTopics({
      levels: [{ topic: topics.retries, delayMs: 20 }],
      deadLetter: topics.dead,
      order: 'key',
    });
    const rewound = new Set<number>();
    return [
      from('passing').pipe(
        map(readingOf),
        oneAfterAnother(PASSING),
        filter(({ nth }) => nth % 10 === 0),
        written,
      ),
      from('dropping').pipe(eachClaim(perClaim(sideBySide(DROPPING))), map(count('eachClaim'))),
      from('dividing').pipe(map(readingOf), sideBySide(DIVIDING)),
      from('windows').pipe(
        map(readingOf),
        sideBySide(WINDOWS),
        filter(({ nth }) => nth % 10 === 0),
        written,
      ),
      merge(from('one'), from('other')).pipe(
        map(readingOf),
        map(
          (reading) => {
            if (reading.nth % REWINDS_EVERY !== REWINDS_EVERY - 1) return count('merge')(reading);
            if (rewound.delete(reading.nth)) return count('rewind')(reading);
            rewound.add(reading.nth);
            throw new Error('once more');
          },
          { onError: rewind({ attempts: 5 }) },
        ),
        fanOut(
          (flow: Flow<Reading>) => flow.pipe(map(count('fanOut'), { onError: fail })),
          map((reading: Reading) => reading),
        ),
        settle(),
      ),
      read(sluice, groups.retries, topics, later).pipe(
        map(readingOf),
        mapAsync(
          (reading) =>
            reading.nth % FAILS_EVERY === 1
              ? Promise.reject(new Error('never'))
              : Promise.resolve(count('retryTopics')(reading)),
          {
            concurrency: 16,
            order: 'none',
            onError: ({ value }) => (value.nth % 2 === 0 ? deadLetter(topics.dead) : later),
          },
        ),
        atMostOnce(),
      ),
    ];
  });
}

type RecordIn = ConsumerRecord<Buffer | null, string>;

function read(
  { fromGroup }: Sluice,
  groupId: string,
  { input }: OperatorTopics,
  later?: RetryTopics,
): Claims<RecordIn> {
  return fromGroup({
    groupId,
    topics: [input],
    value: text(),
    retryTopics: later,
    commitIntervalMs: COMMIT_MS,
  });
}
