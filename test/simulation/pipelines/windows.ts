// The windows of a simulated pipeline: what goes in must come out in a row, or be told late, before it is settled.
import { handleOf, type Delivery } from '../../../src/flow/delivery.ts';
import { createFlow } from '../../../src/flow/flow.ts';
import type { Op } from '../../../src/flow/op.ts';
import type { StageOptions } from '../../../src/flow/policy.ts';
import {
  hoppingWindow,
  processingTimeWindow,
  sessionWindow,
  tap,
  tumblingWindow,
  type Windowed,
} from '../../../src/operators/index.ts';
import { handingOf, type HandingKey } from './history.ts';
import { hashOf, rowOf, type Item } from './pipeline.ts';
import type { Stage } from './scenario.ts';
import { Watched } from './watched.ts';

/** A window among the stages. */
export type WindowStage = Extract<Stage, { readonly sizeMs: number }>;

/** What its pipeline does for it. */
export interface WindowAround {
  /** Both of the stage. */
  readonly options: StageOptions<Item>;
  readonly mayFail: (item: Item) => void;
  readonly make: (of: readonly HandingKey[], row: readonly HandingKey[], first: string) => Item;
  readonly use: (item: Item, how: string) => void;
  readonly isUsed: (item: Item) => boolean;
  readonly wrong: (what: string) => void;
  /** Notes, for all members, that somebody's row had the record, somebody told it late, or a policy settled it. */
  readonly answer: (item: Item) => void;
  readonly isAnswered: (item: Item) => boolean;
}

type Row = Windowed<number, readonly Item[] | null>;

const START_MS = 1_000_000;
const STEP_MS = 100;
const LATE_MS = 5_000;

/** By the offset: the same whoever reads the record, mostly in order. */
function timeOf({ first }: Item): number {
  const offset = Number(first.slice(first.lastIndexOf('|') + 1));
  const hash = hashOf(`time of ${first}`);
  return START_MS + offset * STEP_MS + (hash % 350) - (hash % 13 === 0 ? LATE_MS : 0);
}

/** The window with what it makes of its values, one value for each row. */
export function windowed(stage: WindowStage, around: WindowAround): Op<Item, Item> {
  const window = operatorOf(stage, around);
  return (flow) => flow.pipe(watched(around), window, rowsOf(stage, around));
}

function operatorOf(
  { op, sizeMs, advances, graceMs, idleMs, updates, perKey, keys }: WindowStage,
  { options, mayFail, use, answer }: WindowAround,
): Op<Item, Row> {
  const fold = {
    ...options,
    key: ({ first }: Item): number => hashOf(first) % keys,
    seed: (): readonly Item[] => [],
    add: (items: readonly Item[], item: Item): readonly Item[] => {
      mayFail(item);
      return [...items, item];
    },
  };
  if (op === 'processingTimeWindow') return processingTimeWindow({ ...fold, sizeMs });
  const eventTime = {
    ...fold,
    graceMs,
    idleMs,
    timestamp: timeOf,
    onFull: 'emit-partial',
    streamTime: perKey ? 'key' : 'partition',
    late: tap((item: Item) => {
      answer(item);
      use(item, 'late');
    }),
  } as const;
  const emit = updates ? 'updates' : 'final';
  switch (op) {
    case 'tumblingWindow':
      return tumblingWindow({ ...eventTime, emit, sizeMs });
    case 'hoppingWindow':
      return hoppingWindow({ ...eventTime, emit, sizeMs, advanceMs: sizeMs / advances });
    case 'sessionWindow': {
      const merge = (one: readonly Item[], other: readonly Item[]): readonly Item[] => [...one, ...other];
      return updates
        ? sessionWindow({ ...eventTime, merge, emit: 'updates', gapMs: sizeMs })
        : sessionWindow({ ...eventTime, merge, gapMs: sizeMs });
    }
  }
}

/** What the window settles has come to its end there. */
function watched({ use, isUsed, isAnswered, wrong }: WindowAround): Op<Item, Item> {
  const settled = (item: Item): void => {
    if (isUsed(item)) return;
    if (!isAnswered(item)) wrong(`settles value ${item.token}, which no row had and which was not late`);
    use(item, 'a window');
  };
  return (flow) =>
    createFlow((out) =>
      flow.subscribe({
        next: (delivery) =>
          out.next(handleOf(delivery).relay((owner) => new Watched(owner, () => settled(delivery.value)))),
        error: (cause: unknown) => out.error(cause),
        complete: () => out.complete(),
      }),
    );
}

/** A value for each row, of the records that the row answers for: an update answers for one, whatever it tells of. */
function rowsOf(stage: WindowStage, { make, answer, wrong }: WindowAround): Op<Row, Item> {
  const finals = new Set<string>();
  return (flow) =>
    createFlow((out) =>
      flow.subscribe({
        next: (delivery: Delivery<Row>) => {
          const { key, start, end, value: items, final } = delivery.value;
          const behind = new Set(
            delivery.origins.map(
              ({ record, claimEpoch }) =>
                `${record!.topic}-${record!.partition}|${claimEpoch}|${record!.offset}`,
            ),
          );
          const isBehind = (handing: HandingKey): boolean => {
            const { source, epoch, offset } = handingOf(handing);
            return behind.has(`${source.slice(source.indexOf(':') + 1)}|${epoch}|${offset}`);
          };
          if (items === null || items.length === 0) {
            delivery.ack();
            return;
          }
          for (const item of items) answer(item);
          const of = [...new Set(items.flatMap((item) => item.of))].filter(isBehind);
          if (final && stage.op !== 'processingTimeWindow') {
            const { source, epoch } = handingOf(items[0]!.of[0]!);
            const name = `${source}|${epoch}|${key}|${start}|${end}`;
            if (finals.has(name)) wrong(`emits the final row of ${name} twice`);
            finals.add(name);
          }
          out.next(delivery.derive(make(of, rowOf(items).filter(isBehind), items[0]!.first)));
        },
        error: (cause: unknown) => out.error(cause),
        complete: () => out.complete(),
      }),
    );
}
