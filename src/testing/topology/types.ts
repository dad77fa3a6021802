// What `testTopology` offers to those who test with it.
import type { Buffer } from 'node:buffer';
import type { Bytes, ConsumerRecord, HeadersInit } from '../../core/records/types.ts';
import type { Sent } from '../../core/producer/receipt.ts';
import type { Deserializer, Serializer } from '../../serdes/serde.ts';
import type { RunOptions, RunSummary } from '../../topology/types.ts';
import type { BrokerBox } from '../broker/broker-box.ts';
import type { TopicOptions } from '../broker/options.ts';
import type { VirtualClock } from '../simulation/virtual-clock.ts';

/** A serde, or the half of it that the test needs: what is piped is serialized, what is read deserialized. */
export type TestFormat = Serializer<never> | Deserializer<unknown>;

/** A topic of a test: how it is made, and how the test writes and reads it. Timestamps of any date are taken, unless its `configs` say otherwise. */
export interface TestTopic extends Pick<TopicOptions, 'partitions' | 'configs'> {
  /** Without it keys are bytes. A key may always be null. */
  readonly key?: TestFormat;
  /** Without it values are bytes. A value may always be null, a tombstone. */
  readonly value?: TestFormat;
}

/** Topics by name: a number of partitions, or more about them. */
export interface TestTopics {
  readonly [topic: string]: number | TestTopic;
}

type FormatOf<M, N, P extends 'key' | 'value'> = N extends keyof M
  ? M[N] extends { readonly [X in P]: infer F }
    ? F
    : undefined
  : undefined;
type Written<F> = F extends Serializer<infer I> ? I : Bytes;
type Decoded<F> = F extends Deserializer<infer O> ? O : Buffer;

/** A record to pipe in. Partition by key, timestamp the virtual time of day, unless given. */
export interface PipedRecord<out K, out V> {
  readonly key?: K | null | undefined;
  readonly value: V | null;
  readonly headers?: HeadersInit | undefined;
  /** Milliseconds since 1970: the record's event time. */
  readonly timestamp?: number | undefined;
  readonly partition?: number | undefined;
}

/** What may be piped into topic `N`: plain fields, a `record(...)`, or a record that was read. */
export type RecordInto<M, N extends string> = PipedRecord<
  Written<FormatOf<M, N, 'key'>>,
  Written<FormatOf<M, N, 'value'>>
>;

/** What is read from topic `N`. */
export type RecordFrom<M, N extends string> = ConsumerRecord<
  Decoded<FormatOf<M, N, 'key'>> | null,
  Decoded<FormatOf<M, N, 'value'>> | null,
  N
>;

/** A record that a policy buried, and why. */
export interface DeadLetterRecord extends ConsumerRecord {
  /** What the user's function, or the deserializer, threw. */
  readonly cause: { readonly name: string; readonly message: string; readonly stack: string };
  /** Where the original lies. */
  readonly from: { readonly topic: string; readonly partition: number; readonly offset: number };
}

/** Names of topics, those of the test first in an editor's list. */
export type TopicName<M> = (keyof M & string) | (string & {});

export interface TestTopologyOptions<M extends TestTopics = TestTopics> {
  /** Partitions, serdes and configs of topics. Topics that only the topology names are made with `partitions`. */
  readonly topics?: M | undefined;
  /** Partitions of topics that do not say. Default 1. */
  readonly partitions?: number | undefined;
  /** Processes that run the topology, one group member each for every group it reads with. Default 1. */
  readonly members?: number | undefined;
  /** Nodes of the cluster. Default 1. */
  readonly brokers?: number | undefined;
  /** Everything that is left to chance comes from it. Default 1. */
  readonly seed?: number | string | undefined;
  /** One way between client and broker, virtual ms. Default 0: a record is through a pipeline that does not wait in no time. */
  readonly latencyMs?: number | { readonly min: number; readonly max: number } | undefined;
  /** Time of day at the start, milliseconds since 1970. Default 2024-01-01T00:00:00Z. */
  readonly startMs?: number | undefined;
  /** The clock, where the code under test was given it before; then `startMs` is the clock's own. */
  readonly clock?: VirtualClock | undefined;
  /**
   * 'virtual' puts `setTimeout`, `setInterval` and `Date` of this process on the virtual clock until `close()`: the timers of the code under test
   * and of RxJS then take no real time. Default 'real'.
   */
  readonly timers?: 'real' | 'virtual' | undefined;
  /** How long, in real ms, virtual time waits for a call of the code under test that does something real (a socket, a file, a timer). Default 1,000. */
  readonly callTimeoutMs?: number | undefined;
  /** Records that the topology may write within one call of a method; with more it is stopped, as one that feeds itself. Default 500,000. */
  readonly maxRecords?: number | undefined;
  /** Options of the runs, as `topology.run` takes them; signals are left alone. */
  readonly run?: Omit<RunOptions, 'signals'> | undefined;
}

/** Where a partition is. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A process that runs the topology. */
export interface TestMember {
  /** `member-1`, `member-2`, ...: also the client id. */
  readonly name: string;
  /** `failed`: its topology rejected. `done`: every flow of it was complete. `left`: it was drained. */
  readonly state: 'running' | 'frozen' | 'crashed' | 'failed' | 'done' | 'left';
  /** What it has claimed now, as `topic-partition`, sorted. */
  readonly claims: readonly string[];
}

/** Something that is wrong with how the topology handles deliveries. */
export interface TestProblem {
  readonly kind: 'leaked' | 'inert-use' | 'stuck';
  readonly message: string;
}

/**
 * A topology under test. Its methods move virtual time, one at a time: await each. A failure that no stage's policy took rejects the call that
 * it came up in, with what `run()` would reject with.
 *
 * @example
 * ```ts
 * await using t = await testTopology(pricing, { topics: { orders: 3 }, members: 2 });
 * await t.pipe('orders', { key: 'a', value: '5' });
 * t.crash(t.members[0]);          // what was not committed is read again ...
 * await t.idle();                 // ... by the other one, when the session of this one is over
 * await t.lose({ topic: 'orders', partition: 0 });
 * await t.rebalance();
 * expect(t.members.map((member) => member.claims.length)).toEqual([0, 3]);
 * ```
 */
export interface TestTopology<M extends TestTopics = TestTopics> extends AsyncDisposable {
  /** The cluster, for faults and acts upon it, and a look inside. */
  readonly box: BrokerBox;
  /** Give it to code under test that takes a `Clock`. */
  readonly clock: VirtualClock;
  /** The virtual time of day, milliseconds since 1970. */
  readonly now: number;
  readonly members: readonly TestMember[];
  /** Wrong handling of deliveries, and records that stayed unsettled for `run.stuckAfterMs`, so far. */
  readonly problems: readonly TestProblem[];

  /** Appends records to a topic, and lets run what is due without time passing. Resolves with where they lie. */
  pipe<const N extends TopicName<M>>(
    topic: N,
    records: RecordInto<M, N> | readonly RecordInto<M, N>[],
  ): Promise<Sent[]>;
  /** Lets `durationMs` of virtual time pass. */
  advance(durationMs: number): Promise<void>;
  /**
   * Lets time pass until all there is to read is processed and committed (a commit waits up to `commitIntervalMs`, 5 s), except for what a batch
   * or a window waits with. Rejects, naming what waits and where, when that is not so within `limitMs` of virtual time (default 600,000), and when
   * nobody is left to process it.
   */
  idle(options?: { readonly limitMs?: number | undefined }): Promise<void>;
  /** Lets time pass until `condition` holds; rejects as `idle` does. */
  until(condition: () => boolean, options?: { readonly limitMs?: number | undefined }): Promise<void>;

  /** The records of a topic that came since the last `read` of it, in the order in which they were appended. */
  read<const N extends TopicName<M>>(topic: N): Promise<RecordFrom<M, N>[]>;
  /** All records of a topic, in the order in which they were appended. */
  readAll<const N extends TopicName<M>>(topic: N): Promise<RecordFrom<M, N>[]>;
  /** All records of a dead letter topic; of all those that the topology names, without `topic`. */
  deadLetters(topic?: string): Promise<DeadLetterRecord[]>;
  /** Committed offsets by partition; partitions without a commit are left out. `groupId` is needed where several groups read the topic. */
  committed(topic: TopicName<M>, groupId?: string): { [partition: number]: number };

  /** Starts one more process, and waits until its groups have given it its part. */
  addMember(): Promise<TestMember>;
  /** Drains a member (the last one that runs, by default) as SIGTERM would, and lets it leave. */
  removeMember(member?: TestMember): Promise<RunSummary>;
  /** Ends a member (the first one that runs, by default) as SIGKILL would: nothing is settled or committed on the way; its groups notice when its session is over. */
  crash(member?: TestMember): void;
  /** Starts a member that has ended (all of them, by default) again, and waits until its groups have given it its part: after a crash, for the session of what it was before. */
  restart(member?: TestMember): Promise<void>;
  /** Lets a member (the first one that runs, by default) stand still as SIGSTOP would: longer than its session, and it has lost its claims when it thaws. */
  freeze(member?: TestMember): void;
  /** Lets a frozen member (all of them, by default) go on. */
  thaw(member?: TestMember): void;
  /** Lets the topology's groups (or one) rebalance, and waits until they are stable again: every claim is revoked and given out anew. */
  rebalance(groupId?: string): Promise<void>;
  /** Throws a member (the first one that runs, by default; or the one that has a partition) out of its groups: its claims are lost, and given out anew when it has joined again. */
  lose(from?: TestMember | TopicPartition): Promise<void>;
  /** Drains all members that run; resolves with their sums. */
  drain(timeoutMs?: number): Promise<RunSummary>;
  /**
   * Ends everything, without a drain. Rejects with a failure of the topology that no call has rejected with, and with deliveries that were leaked
   * or used after they had moved on.
   */
  close(): Promise<void>;
}
