// What TypeScript infers and refuses about reading. `tsc` is the test; the runner only sees that the file stays whole.
import { expect, it } from '@jest/globals';
import { expectTypeOf } from 'expect-type';
import {
  atMostOnce,
  copy,
  map,
  text,
  uncheckedJson,
  type Claim,
  type Claims,
  type ConsumerRecord,
  type Delivery,
  type Flow,
  type GroupOptions,
  type Settled,
  type Sluice,
} from '../../src/index.ts';

interface Order {
  readonly id: string;
}

/** Never called: only its types count. */
type Check = (claims: Claims<ConsumerRecord<string, Order>>, cluster: Sluice) => unknown;

const exits: Check = (claims) => {
  expectTypeOf(claims.pipe(atMostOnce())).toEqualTypeOf<Settled<ConsumerRecord<string, Order>>>();
  expectTypeOf(
    claims.pipe(
      map((record) => record.value.id),
      atMostOnce(),
    ),
  ).toEqualTypeOf<Settled<string>>();
  // @ts-expect-error a stage after the end
  claims.pipe(atMostOnce(), map(String));
  expectTypeOf(claims.pipe(map(copy))).toEqualTypeOf<Flow<ConsumerRecord<string, Order>>>();
};

const loops: Check = async (claims) => {
  for await (const delivery of claims)
    expectTypeOf(delivery).toEqualTypeOf<Delivery<ConsumerRecord<string, Order>>>();
  for await (const delivery of claims.pipe(map((record) => record.key)))
    expectTypeOf(delivery.value).toBeString();
  for await (const claim of claims.claims) {
    expectTypeOf(claim).toEqualTypeOf<Claim<ConsumerRecord<string, Order>>>();
    expectTypeOf(claim.generation).toBeNumber();
    expectTypeOf(claim.committedOffset).toEqualTypeOf<number | undefined>();
    for await (const delivery of claim) expectTypeOf(delivery.value.value.id).toBeString();
  }
};

const options: Check = (_, { fromGroup, fromPartitions }) => {
  const group: GroupOptions = {
    groupId: 'g',
    groupInstanceId: 'one',
    groupProtocol: 'classic',
    assignors: ['cooperative-sticky', 'range'],
    rackId: 'here',
    excludeTopics: /^internal-/,
    sessionTimeoutMs: 10_000,
    heartbeatIntervalMs: 1_000,
    rebalanceTimeoutMs: 60_000,
    drainTimeoutMs: 1_000,
    commitTimeoutMs: 1_000,
    metadataMaxAgeMs: 1_000,
    fetchMaxWaitMs: 100,
    partitionFetchBytes: 1_000,
    interceptors: [{ onRecord: (record) => record.offset }],
    start: { timestamp: 0 },
  };
  expectTypeOf(fromGroup({ ...group, topics: ['a'], value: text() })).toEqualTypeOf<
    Claims<ConsumerRecord<Buffer | null, string, 'a'>>
  >();
  const union = fromGroup({
    ...group,
    topics: { a: { value: text() }, b: { value: uncheckedJson<Order>() } },
  });
  union.pipe(
    map((record) => {
      if (record.topic === 'a') expectTypeOf(record.value).toBeString();
      else expectTypeOf(record.value).toEqualTypeOf<Order>();
      return record;
    }),
  );
  // @ts-expect-error no such option
  fromGroup({ groupId: 'g', topics: ['a'], sesionTimeoutMs: 1 });
  // @ts-expect-error what a topology decides
  fromGroup({ groupId: 'g', topics: ['a'], committer: undefined });
  fromPartitions({ topic: 'a', from: 'earliest', interceptors: [], rackId: 'here' });
};

it('is checked by tsc', () => {
  expect([exits, loops, options]).toHaveLength(3);
});
