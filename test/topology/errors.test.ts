// What a failure says of itself, at each of the three places where there are any, and what becomes of it there.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { failureOf, StageError, text, topology, type Topology } from '../../src/index.ts';
import { map } from '../../src/operators/index.ts';
import { testTopology } from '../../src/testing/index.ts';
import { rejection } from '../helpers/rejection.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

const cause = new RangeError('boom');
const boom = (): never => {
  throw cause;
};
const at = { topic: 'in', partition: 0, offset: 1 };

describe('a StageError', () => {
  let sim: SimulatedCluster;

  beforeEach(async () => {
    sim = await SimulatedCluster.start({ in: 1, out: 1 });
    await sim.send('in', [
      { key: 'one', value: 'good' },
      { key: 'two', value: 'bad' },
    ]);
  });

  afterEach(() => sim.close());

  async function failureOfRun(flow: Topology): Promise<StageError> {
    return sim.clock.run(rejection<StageError>(flow.run(sim.kafka(), { signals: false })));
  }

  it.each<[string, string, Topology]>([
    [
      'decode',
      'decode',
      topology('t', ({ fromGroup }) =>
        fromGroup({
          groupId: 'g',
          topics: ['in'],
          value: { deserialize: (data) => (data.toString() === 'bad' ? boom() : data) },
        }),
      ),
    ],
    [
      'process',
      'check',
      topology('t', ({ fromGroup }) =>
        fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
          map(({ value }) => (value === 'bad' ? boom() : value), { name: 'check' }),
        ),
      ),
    ],
    [
      'produce: what makes the record',
      "toTopic 'out'",
      topology('t', ({ fromGroup, toTopic }) =>
        fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
          toTopic('out', ({ value }) => (value === 'bad' ? boom() : { value })),
        ),
      ),
    ],
    [
      'produce: a serializer',
      'write',
      topology('t', ({ fromGroup, toTopic }) =>
        fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
          toTopic('out', ({ value }) => ({ value }), {
            value: { serialize: (value: string) => (value === 'bad' ? boom() : value) },
            name: 'write',
          }),
        ),
      ),
    ],
  ])('at %s names stage, topic, partition, offset, key and cause', async (_, stage, flow) => {
    const error = await failureOfRun(flow);
    expect(error).toBeInstanceOf(StageError);
    expect(error).toMatchObject({ stage, ...at, key: Buffer.from('two'), cause, attempt: 1 });
    expect(error.message).toBe(`stage ${stage} failed at in-0 offset 1 (key 'two'), attempt 1: boom`);
  });

  it('at produce has what the cluster said as its cause', async () => {
    const error = await failureOfRun(
      topology('t', ({ fromGroup, toTopic }) =>
        fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
          toTopic('out', ({ value }) => ({ value: value === 'bad' ? 'x'.repeat(2_000_000) : value })),
        ),
      ),
    );
    expect(error).toMatchObject({
      stage: "toTopic 'out'",
      ...at,
      cause: { code: 'BROKER_ERROR', errorName: 'MESSAGE_TOO_LARGE' },
    });
  });

  it('shows keys that are no text as digits, long ones in part, and none as nothing', async () => {
    const flow = topology('t', ({ fromGroup }) =>
      fromGroup({ groupId: 'g', topics: ['in'] }).pipe(map(boom, { name: 'any' })),
    );
    for (const [key, shown] of [
      [Buffer.from([0, 255]), ' (key 0x00ff)'],
      ['k'.repeat(100), ` (key '${'k'.repeat(64)}...')`],
      [null, ''],
    ] as const) {
      const own = await SimulatedCluster.start({ in: 1 });
      await own.send('in', [{ key, value: 'v' }]);
      const error = await own.clock.run(rejection<StageError>(flow.run(own.kafka(), { signals: false })));
      expect(error.message).toBe(`stage any failed at in-0 offset 0${shown}, attempt 1: boom`);
      await own.close();
    }
  });
});

describe('retry topics behind a sink', () => {
  it('take what cannot be written, and in the end the dead letter topic does', async () => {
    await using t = await testTopology(
      topology('t', ({ fromGroup, toTopic, retryTopics }) => {
        const later = retryTopics({
          levels: [{ topic: 'later', delayMs: 1_000 }],
          deadLetter: 'dead',
          order: 'key',
        });
        return fromGroup({ groupId: 'g', topics: ['in'], value: text(), retryTopics: later }).pipe(
          toTopic(
            'out',
            ({ key, value }) => ({ key, value: value === 'large' ? 'x'.repeat(2_000_000) : value }),
            {
              onError: later,
            },
          ),
        );
      }),
    );
    await t.pipe(
      'in',
      ['first', 'large', 'last'].map((value) => ({ key: 'k', value })),
    );
    await t.idle();
    expect((await t.readAll('out')).map(({ value }) => String(value))).toEqual(['first', 'last']);
    const [letter] = await t.deadLetters();
    expect(failureOf(letter!)).toMatchObject({ stage: "toTopic 'out'", attempts: 2, retries: 1, offset: 1 });
    expect(letter!.value!.toString()).toBe('large');
  });
});
