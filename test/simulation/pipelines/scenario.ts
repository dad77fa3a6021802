// What is played, as plain data drawn by fast-check: a pipeline, how the group is tuned, and what goes wrong when.
import { fc } from '../../helpers/fast-check.ts';
import type { fault } from '../../../src/testing/broker/faults/fault.ts';

/** What a failing stage's policy is. */
export type PolicyName = 'fail' | 'skip' | 'retry' | 'retryThenSkip' | 'retryThenBury' | 'bury' | 'rewind';

/** A stage fails for one value in `every`, so many times. */
export interface Failing {
  readonly every: number;
  readonly times: number;
  readonly policy: PolicyName;
  readonly attempts: number;
  readonly delayMs: number;
}

interface MayFail {
  readonly failing?: Failing | undefined;
}

export type Order = 'input' | 'key' | 'none';

export type Stage =
  | ({ readonly op: 'map' } & MayFail)
  | ({ readonly op: 'tap' } & MayFail)
  | ({ readonly op: 'filter'; readonly keeps: number } & MayFail)
  | ({ readonly op: 'flatMap'; readonly children: number } & MayFail)
  | ({
      readonly op: 'mapAsync';
      readonly order: Order;
      readonly concurrency: number;
      readonly maxMs: number;
      readonly observes: boolean;
    } & MayFail)
  | ({
      readonly op: 'perRecord';
      readonly order: Order;
      readonly concurrency: number;
      readonly maxMs: number;
      readonly children: number;
    } & MayFail)
  | ({
      readonly op: 'batch';
      readonly maxRecords: number;
      readonly withinMs: number;
      readonly maxBytes?: number | undefined;
    } & Gathers)
  | ({ readonly op: 'countWindow'; readonly records: number; readonly keys: number } & Gathers)
  | ({
      readonly op: 'debounce' | 'audit' | 'sample' | 'throttle';
      readonly ms: number;
      readonly maxKeys: number;
      readonly leading: boolean;
      readonly trailing: boolean;
    } & Keyed)
  | ({
      readonly op: 'tumblingWindow' | 'hoppingWindow' | 'sessionWindow' | 'processingTimeWindow';
      /** Of a session, the gap. */
      readonly sizeMs: number;
      /** Windows that a value is in, of those that hop. */
      readonly advances: number;
      readonly graceMs: number;
      readonly idleMs: number;
      readonly updates: boolean;
      /** Each key has its own stream time. */
      readonly perKey: boolean;
    } & Keyed)
  | ({ readonly op: 'distinct' | 'dedupe'; readonly maxKeys: number } & Keyed)
  | ({
      readonly op: 'switchByKey' | 'exhaustByKey';
      readonly concurrency: number;
      readonly maxMs: number;
      readonly children: number;
    } & Keyed)
  | ({ readonly op: 'scan' } & MayFail)
  | ({ readonly op: 'withLatestFrom'; readonly ms: number } & MayFail)
  | ({ readonly op: 'delayUntil'; readonly ms: number; readonly maxHeld: number } & MayFail)
  | ({
      readonly op: 'groupByKey';
      readonly maxKeys: number;
      readonly idleMs?: number | undefined;
      readonly stages: readonly Stage[];
    } & Keyed)
  | ({ readonly op: 'partitionBy'; readonly lanes: number; readonly stages: readonly Stage[] } & Keyed)
  | { readonly op: 'branch'; readonly takesAll: boolean; readonly branches: readonly (readonly Stage[])[] }
  | { readonly op: 'fanOut'; readonly branches: readonly (readonly Stage[])[] }
  | { readonly op: 'dropping'; readonly retains: 0 | 1; readonly ms: number }
  | { readonly op: 'passing'; readonly ms: number }
  | ({ readonly op: 'toTopic'; readonly records: number } & MayFail);

/** Values are told apart by so many keys; a key may fail. */
interface Keyed extends MayFail {
  readonly keys: number;
}

interface Gathers {
  /** What follows: one value of all, or each value again by itself. */
  readonly then: 'one' | 'each';
}

type Api = 'Produce' | 'Fetch' | 'OffsetCommit' | 'Heartbeat' | 'JoinGroup' | 'SyncGroup' | 'OffsetFetch';
type ActName =
  | 'error'
  | 'applyThenError'
  | 'applyThenDropResponse'
  | 'dropRequest'
  | 'delay'
  | 'close'
  | 'rst'
  | 'halfOpen';

export type Act = { readonly afterMs: number } & (
  | { readonly act: 'join' }
  | { readonly act: 'leave' | 'abort' | 'cut' | 'silence'; readonly who: number }
  | { readonly act: 'crash'; readonly who: number; readonly silently: boolean }
  | { readonly act: 'stop'; readonly who: number; readonly forMs: number }
  | { readonly act: 'mute'; readonly who: number; readonly beats: number }
  | { readonly act: 'moveLeader'; readonly partition: number }
  | { readonly act: 'moveOutput'; readonly partition: number }
  | { readonly act: 'rehash' | 'grow' }
  /** The cluster refuses what sinks write, for good. */
  | { readonly act: 'refuse'; readonly error: Refusal; readonly applies: boolean; readonly count: number }
  | { readonly act: 'stopNode'; readonly node: number; readonly forMs: number }
  | {
      readonly act: 'fault';
      readonly api: Api;
      readonly does: ActName;
      readonly error: FaultError;
      readonly count: number;
    }
);

type Refusal =
  | 'INVALID_RECORD'
  | 'POLICY_VIOLATION'
  | 'TOPIC_AUTHORIZATION_FAILED'
  | 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  | 'UNKNOWN_PRODUCER_ID';

type FaultError = Parameters<typeof fault.error>[0] & string;

export interface Scenario {
  readonly brokers: number;
  readonly partitions: number;
  readonly records: number;
  /** One record in so many does not decode; 0 for none. */
  readonly poisonEvery: number;
  readonly buriesPoison: boolean;
  /** Deserializers answer later. */
  readonly decodesLater: boolean;
  readonly members: number;
  /** A second group over a second topic, merged into the same flow. */
  readonly merges: boolean;
  /** Stages of each claim by itself, by `eachClaim`; undefined where the claims are one flow from the start. */
  readonly lane?: readonly Stage[] | undefined;
  readonly stages: readonly Stage[];
  readonly settles: boolean;
  readonly creditRecords: number;
  readonly span: number;
  readonly creditBytes?: number | undefined;
  /** After so many records a lane pauses its claim for a while. */
  readonly pausesEvery?: number | undefined;
  /** How long a sink tries. */
  readonly deliveryTimeoutMs?: number | undefined;
  readonly sessionTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly commitIntervalMs: number;
  readonly commitEveryRecords: number;
  readonly maxLatencyMs: number;
  readonly acts: readonly Act[];
}

/** The stages inside a stage. */
export function within(stage: Stage): readonly (readonly Stage[])[] {
  if ('branches' in stage) return stage.branches;
  return 'stages' in stage ? [stage.stages] : [];
}

const failing = (policies: readonly PolicyName[]): fc.Arbitrary<Failing | undefined> =>
  fc.option(
    fc.record({
      every: fc.integer({ min: 3, max: 40 }),
      times: fc.integer({ min: 1, max: 4 }),
      policy: fc.constantFrom(...policies),
      attempts: fc.integer({ min: 1, max: 4 }),
      delayMs: fc.integer({ min: 1, max: 2000 }),
    }),
    { nil: undefined, freq: 2 },
  );

const anyFailing = failing([
  'fail',
  'skip',
  'retry',
  'retry',
  'retryThenSkip',
  'retryThenBury',
  'bury',
  'rewind',
  'rewind',
]);
const order = fc.constantFrom<Order>('input', 'key', 'none');
const concurrency = fc.integer({ min: 1, max: 16 });
const maxMs = fc.constantFrom(0, 5, 50, 400, 3000);
const then = fc.constantFrom<'one' | 'each'>('one', 'each');

const keys = fc.constantFrom(1, 1, 3, 50);
const maxKeys = fc.constantFrom(1, 2, 100);

/** Stages that keep, pass over, or stop values. */
const keeping: fc.Arbitrary<Stage> = fc.oneof(
  fc
    .record({
      op: fc.constantFrom('debounce' as const, 'audit' as const, 'sample' as const, 'throttle' as const),
      ms: fc.constantFrom(1, 20, 300, 3000),
      keys,
      maxKeys,
      leading: fc.boolean(),
      trailing: fc.boolean(),
      failing: anyFailing,
    })
    .map((one) => ({ ...one, leading: one.leading || !one.trailing })),
  fc.record({
    op: fc.constantFrom('distinct' as const, 'dedupe' as const),
    keys: fc.constantFrom(3, 50, 1000),
    maxKeys,
    failing: anyFailing,
  }),
  fc.record({
    op: fc.constantFrom('switchByKey' as const, 'exhaustByKey' as const),
    keys,
    concurrency,
    maxMs,
    children: fc.integer({ min: 0, max: 3 }),
    failing: anyFailing,
  }),
  fc.record({ op: fc.constant('scan' as const), failing: anyFailing }),
  fc.record({
    op: fc.constant('withLatestFrom' as const),
    ms: fc.constantFrom(0, 50, 3000),
    failing: anyFailing,
  }),
  fc.record({
    op: fc.constant('delayUntil' as const),
    ms: fc.constantFrom(0, 50, 3000),
    maxHeld: fc.constantFrom(0, 3, 1000),
    failing: anyFailing,
  }),
);

const simple: fc.Arbitrary<Stage> = fc.oneof(
  fc.record({ op: fc.constant('map' as const), failing: anyFailing }),
  fc.record({ op: fc.constant('tap' as const), failing: anyFailing }),
  fc.record({
    op: fc.constant('filter' as const),
    keeps: fc.integer({ min: 0, max: 4 }),
    failing: anyFailing,
  }),
  fc.record({
    op: fc.constant('flatMap' as const),
    children: fc.integer({ min: 0, max: 3 }),
    failing: anyFailing,
  }),
  fc.record({
    op: fc.constant('mapAsync' as const),
    order,
    concurrency,
    maxMs,
    observes: fc.boolean(),
    failing: anyFailing,
  }),
  fc.record({
    op: fc.constant('mapAsync' as const),
    order,
    concurrency,
    maxMs,
    observes: fc.boolean(),
    failing: anyFailing,
  }),
  fc.record({
    op: fc.constant('perRecord' as const),
    order,
    concurrency,
    maxMs,
    children: fc.integer({ min: 0, max: 3 }),
    failing: anyFailing,
  }),
  fc.record({
    op: fc.constant('batch' as const),
    maxRecords: fc.integer({ min: 1, max: 40 }),
    withinMs: fc.constantFrom(0, 20, 300, 5000),
    maxBytes: fc.constantFrom(undefined, undefined, 50, 400),
    then,
  }),
  fc.record({
    op: fc.constant('countWindow' as const),
    records: fc.integer({ min: 1, max: 20 }),
    keys: fc.integer({ min: 1, max: 4 }),
    then,
  }),
  fc.record({ op: fc.constant('dropping' as const), retains: fc.constantFrom<0 | 1>(0, 1), ms: maxMs }),
  fc.record({ op: fc.constant('passing' as const), ms: maxMs }),
  fc.record({
    op: fc.constant('toTopic' as const),
    records: fc.integer({ min: 0, max: 3 }),
    failing: anyFailing,
  }),
  fc.record({ op: fc.constant('toTopic' as const), records: fc.constant(1), failing: anyFailing }),
);

/** Idle partitions close their windows, so that everything comes to its end. */
const windows: fc.Arbitrary<Stage> = fc.record({
  op: fc.constantFrom(
    'tumblingWindow' as const,
    'hoppingWindow' as const,
    'sessionWindow' as const,
    'processingTimeWindow' as const,
  ),
  sizeMs: fc.constantFrom(120, 600, 3000),
  advances: fc.integer({ min: 1, max: 4 }),
  graceMs: fc.constantFrom(0, 100, 1000),
  idleMs: fc.constantFrom(50, 500, 3000),
  updates: fc.constantFrom(false, false, false, true),
  perKey: fc.boolean(),
  keys,
  failing: anyFailing,
});

const branch = fc.array(simple, { minLength: 0, maxLength: 3 });
const stage: fc.Arbitrary<Stage> = fc.oneof(
  { weight: 9, arbitrary: simple },
  { weight: 5, arbitrary: keeping },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('groupByKey' as const),
      keys,
      maxKeys,
      idleMs: fc.constantFrom(undefined, 100),
      stages: branch,
      failing: anyFailing,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('partitionBy' as const),
      keys,
      lanes: fc.integer({ min: 1, max: 4 }),
      stages: branch,
      failing: anyFailing,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('branch' as const),
      takesAll: fc.boolean(),
      branches: fc.array(branch, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('fanOut' as const),
      branches: fc.array(branch, { minLength: 2, maxLength: 3 }),
    }),
  },
);
/** Also windows that hold their records. */
export const stageOrWindow: fc.Arbitrary<Stage> = fc.oneof(
  { weight: 3, arbitrary: stage },
  { weight: 1, arbitrary: windows },
);

const who = fc.integer({ min: 0, max: 5 });
const afterMs = fc.integer({ min: 0, max: 9000 });
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ afterMs, act: fc.constant('join' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      afterMs,
      act: fc.constantFrom('leave' as const, 'abort' as const, 'cut' as const, 'silence' as const),
      who,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ afterMs, act: fc.constant('crash' as const), who, silently: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      afterMs,
      act: fc.constant('stop' as const),
      who,
      forMs: fc.integer({ min: 100, max: 25_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      afterMs,
      act: fc.constant('mute' as const),
      who,
      beats: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ afterMs, act: fc.constant('moveLeader' as const), partition: who }) },
  { weight: 1, arbitrary: fc.record({ afterMs, act: fc.constant('moveOutput' as const), partition: who }) },
  {
    weight: 1,
    arbitrary: fc.record({
      afterMs,
      act: fc.constantFrom('rehash' as const, 'rehash' as const, 'grow' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      afterMs,
      act: fc.constant('refuse' as const),
      error: fc.constantFrom<Refusal>(
        'INVALID_RECORD',
        'POLICY_VIOLATION',
        'TOPIC_AUTHORIZATION_FAILED',
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        'UNKNOWN_PRODUCER_ID',
      ),
      applies: fc.boolean(),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      afterMs,
      act: fc.constant('stopNode' as const),
      node: who,
      forMs: fc.integer({ min: 100, max: 8000 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc
      .record({
        afterMs,
        act: fc.constant('fault' as const),
        does: fc.constantFrom<ActName>(
          'error',
          'applyThenError',
          'applyThenDropResponse',
          'applyThenDropResponse',
          'dropRequest',
          'delay',
          'close',
          'rst',
          'halfOpen',
        ),
        count: fc.integer({ min: 1, max: 4 }),
        on: fc.constantFrom<{ api: Api; error: FaultError }>(
          { api: 'Produce', error: 'NOT_LEADER_OR_FOLLOWER' },
          { api: 'Produce', error: 'REQUEST_TIMED_OUT' },
          { api: 'Produce', error: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND' },
          { api: 'Fetch', error: 'NOT_LEADER_OR_FOLLOWER' },
          { api: 'OffsetCommit', error: 'COORDINATOR_LOAD_IN_PROGRESS' },
          { api: 'OffsetCommit', error: 'NOT_COORDINATOR' },
          { api: 'OffsetCommit', error: 'REBALANCE_IN_PROGRESS' },
          { api: 'OffsetCommit', error: 'ILLEGAL_GENERATION' },
          { api: 'Heartbeat', error: 'NOT_COORDINATOR' },
          { api: 'Heartbeat', error: 'REBALANCE_IN_PROGRESS' },
          { api: 'Heartbeat', error: 'UNKNOWN_MEMBER_ID' },
          { api: 'Heartbeat', error: 'ILLEGAL_GENERATION' },
          { api: 'JoinGroup', error: 'COORDINATOR_NOT_AVAILABLE' },
          { api: 'SyncGroup', error: 'REBALANCE_IN_PROGRESS' },
          { api: 'OffsetFetch', error: 'COORDINATOR_LOAD_IN_PROGRESS' },
        ),
      })
      .map(({ on, ...rest }) => ({ ...rest, ...on })),
  },
);

const sessionTimeoutMs = 6000;

/** Any scenario of these stages. */
export const scenariosOf = (of: fc.Arbitrary<Stage>): fc.Arbitrary<Scenario> =>
  fc.record({
    brokers: fc.integer({ min: 1, max: 3 }),
    partitions: fc.integer({ min: 1, max: 4 }),
    records: fc.integer({ min: 5, max: 250 }),
    poisonEvery: fc.constantFrom(0, 0, 7),
    buriesPoison: fc.boolean(),
    decodesLater: fc.constantFrom(false, false, false, true),
    members: fc.integer({ min: 1, max: 2 }),
    merges: fc.constantFrom(false, false, false, true),
    lane: fc.option(fc.array(of, { maxLength: 3 }), { nil: undefined, freq: 2 }),
    stages: fc.array(of, { maxLength: 5 }),
    settles: fc.constantFrom(false, false, true),
    creditRecords: fc.constantFrom(1, 2, 5, 20, 100, 1000),
    span: fc.constantFrom(10, 100, 1_000_000),
    creditBytes: fc.constantFrom(undefined, undefined, 60, 1000),
    pausesEvery: fc.constantFrom(undefined, undefined, undefined, 3, 20),
    deliveryTimeoutMs: fc.constantFrom(undefined, undefined, undefined, 8000),
    sessionTimeoutMs: fc.constantFrom(sessionTimeoutMs, 9000),
    drainTimeoutMs: fc.constantFrom(0, 200, 2000, 5000),
    commitIntervalMs: fc.constantFrom(100, 700, 5000),
    commitEveryRecords: fc.constantFrom(1, 10, 10_000),
    maxLatencyMs: fc.constantFrom(0, 2, 30),
    acts: fc.array(act, { maxLength: 14, size: 'max' }),
  });

/** Any scenario without windows that hold their records; small ones first. */
export const scenarios = scenariosOf(stage);
