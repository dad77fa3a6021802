import { seededRandom } from '../../../../src/testing/simulation/seeded-random.ts';
import {
  add,
  addOffsets,
  commitOffsets,
  committed,
  deleteBefore,
  end,
  fetch,
  init,
  offsets,
  produce,
  producers,
  state,
} from './calls.ts';
import type { Producer } from './calls.ts';
import type { Transcript } from './transcripts.ts';

const STEPS = 150;
const VERSIONS = [9, 11, 12];

/** Anything in any order, chosen by the seed: much of it is nonsense, and both sides must find it the same nonsense. */
export function randomTranscript(seed: number): Transcript {
  return async (stage) => {
    const random = seededRandom(seed);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
    const topic = await stage.topic(`random-${seed}`, { partitions: 2 });
    const group = stage.name(`random-group-${seed}`);
    await stage.group(group);
    const ids = ['a', 'b'].map((base) => stage.name(`tx-random-${seed}-${base}`));
    const known = new Map<string, Producer[]>();
    /** Of the next record, by who sends where. */
    const sequences = new Map<string, number>();
    for (const id of ids) {
      await stage.coordinator(id);
      known.set(id, [await init(stage, id, { version: 5 })]);
    }
    /** Mostly who the producer is now, sometimes who it was. */
    const someone = (id: string): Producer => {
      const all = known.get(id)!;
      return random() < 0.85 ? all.at(-1)! : pick(all);
    };
    const remember = (id: string, producer: Producer): void => {
      if (producer.producerId >= 0) known.get(id)!.push(producer);
    };
    const send = async (id: string): Promise<void> => {
      const producer = someone(id);
      const partition = pick([0, 1]);
      const place = `${producer.producerId}/${producer.epoch}/${partition}`;
      const next = sequences.get(place) ?? 0;
      const sequence = random() < 0.85 ? next : Math.max(0, next + pick([-2, -1, 1, 3]));
      const values = pick([['a'], ['a', 'b'], ['v'.repeat(3000)]]);
      const transactionalId = random() < 0.95 ? id : pick(ids);
      const options = { transactionalId, version: pick(VERSIONS), sequence, values, partition };
      const errorCode = await produce(stage, topic, producer, options);
      if (errorCode === 0) sequences.set(place, sequence + values.length);
    };
    const begin = async (id: string): Promise<void> => {
      const from = random() < 0.5 ? someone(id) : undefined;
      remember(id, await init(stage, id, { version: pick([3, 4, 5]), ...(from && { from }) }));
      await stage.settled(id);
    };
    const acts: readonly ((id: string) => Promise<unknown>)[] = [
      send,
      send,
      send,
      send,
      (id) =>
        add(stage, id, someone(id), topic, {
          version: pick([0, 1, 2, 3]),
          partitions: pick([[0], [1], [0, 1]]),
        }),
      async (id) => remember(id, await end(stage, id, someone(id), random() < 0.6, pick([3, 4, 5, 5]))),
      async (id) => remember(id, await end(stage, id, someone(id), random() < 0.6, 5)),
      (id) => (random() < 0.3 ? begin(id) : state(stage, id)),
      (id) => addOffsets(stage, id, someone(id), group),
      (id) =>
        commitOffsets(stage, id, someone(id), group, {
          topic,
          version: pick([3, 4, 5]),
          offset: Math.floor(random() * 50),
        }),
      () => committed(stage, group, topic),
      () =>
        fetch(stage, topic, {
          committed: random() < 0.7,
          offset: Math.floor(random() * 20),
          partitionMaxBytes: pick([1, 5000, 2 ** 20]),
        }),
      () => producers(stage, topic, pick([0, 1])),
      () => offsets(stage, topic, [-1, -2]),
      () =>
        random() < 0.2
          ? deleteBefore(stage, topic, Math.floor(random() * 10))
          : fetch(stage, topic, { committed: true }),
    ];
    for (let step = 0; step < STEPS; step++) await pick(acts)(pick(ids));
    for (const partition of [0, 1]) {
      await fetch(stage, topic, { committed: true, partition });
      await producers(stage, topic, partition);
    }
  };
}
