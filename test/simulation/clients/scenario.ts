// What is played with raw clients, as plain data: who sends, who reads, and what goes wrong when. Drawn from a seed; small parts can be left out of it, so that
// a failing one can be made smaller.
import type { Random } from '../../../src/core/clock.ts';
import type { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import type { CreditLimits, Isolation } from '../history/event.ts';
import { forConsumerProtocol, forMixedGroup, type GroupPlan } from './group-protocol.ts';

export const LOAD_MS = 60_000;

export interface ProducerPlan {
  /** Mean pause between two bursts. */
  readonly pauseMs: number;
  readonly burst: number;
  readonly records: number;
  readonly keys: number;
  readonly valueBytes: number;
  readonly lingerMs: number;
  readonly batchBytes: number;
  readonly maxInFlight: number;
  readonly deliveryTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly compression: 'none' | 'gzip' | 'snappy';
}

export interface MemberPlan {
  readonly isolation: Isolation;
  readonly credit: CreditLimits;
  readonly budgetBytes: number;
  readonly sessionTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly commitIntervalMs: number;
  readonly commitEveryRecords: number;
  /** The most that one record takes; 0: settled at once. */
  readonly workMs: number;
  /** One record in so many is held while it is worked on; 0 for none. */
  readonly holdsEvery: number;
  readonly rewindsEvery: number;
  readonly pausesEvery: number;
  /** One record in so many makes a record in the output topic, and is settled when that is acknowledged. */
  readonly copiesEvery: number;
}

export interface ReaderPlan {
  readonly topic: number;
  readonly isolation: Isolation;
  readonly credit: CreditLimits;
  readonly workMs: number;
  readonly pausesEvery: number;
  readonly seeksEvery: number;
}

/** Writes in transactions, on the wire. */
export interface TransactionsPlan {
  readonly pauseMs: number;
  readonly records: number;
  /** One transaction in so many is aborted. */
  readonly abortsEvery: number;
  readonly transactions: number;
}

export type ErrorName = keyof typeof ERRORS;

export type FaultKind =
  | 'error'
  | 'applyThenError'
  | 'applyThenDropResponse'
  | 'dropRequest'
  | 'delay'
  | 'throttle'
  | 'close'
  | 'rst'
  | 'halfOpen'
  | 'answerOnly';

export type Act = { readonly atMs: number } & (
  | { readonly act: 'join' }
  | { readonly act: 'leave' | 'abort' | 'cut' | 'silence' | 'crash' | 'vanish'; readonly who: number }
  | { readonly act: 'stop'; readonly who: number; readonly forMs: number }
  | { readonly act: 'moveLeader'; readonly topic: number; readonly partition: number }
  | { readonly act: 'leaderless'; readonly topic: number; readonly partition: number; readonly forMs: number }
  | { readonly act: 'stopNode'; readonly node: number; readonly forMs: number }
  /** What its followers did not have is lost, up to so many records of each partition. */
  | { readonly act: 'crashNode'; readonly node: number; readonly forMs: number; readonly loses: number }
  /** Followers fetch nothing for a while. */
  | { readonly act: 'hold'; readonly topic: number; readonly partition: number; readonly forMs: number }
  /** Transactions get no markers for a while. */
  | { readonly act: 'stall'; readonly forMs: number }
  | { readonly act: 'rehash' | 'drop' }
  | { readonly act: 'grow'; readonly topic: number }
  /** The first `part` of what can be read goes. */
  | {
      readonly act: 'deleteRecords';
      readonly topic: number;
      readonly partition: number;
      readonly part: number;
    }
  /** The topic is deleted and made again: it has another id, and is empty. */
  | { readonly act: 'recreate'; readonly topic: number }
  /** All nodes stop, and start from what they kept. */
  | { readonly act: 'restartCluster' | 'addNode' }
  | { readonly act: 'removeNode'; readonly node: number }
  | {
      readonly act: 'fault';
      readonly api: string;
      readonly does: FaultKind;
      readonly error: ErrorName;
      readonly ms: number;
      readonly count: number;
    }
);

/** What kind of cluster it is. */
export interface ClusterPlan {
  /** 0: it declines every fetch session. */
  readonly fetchSessionSlots: number;
  /** The versions it knows: all; those in which topics go by name; those of Kafka 3.9. */
  readonly speaks: 'all' | 'names' | '3.9';
}

export interface ClientScenario {
  readonly brokers: number;
  readonly cluster: ClusterPlan;
  readonly group: GroupPlan;
  /** Partitions by topic. */
  readonly topics: readonly number[];
  readonly maxLatencyMs: number;
  readonly producers: readonly ProducerPlan[];
  readonly members: readonly MemberPlan[];
  readonly readers: readonly ReaderPlan[];
  readonly transactions: readonly TransactionsPlan[];
  readonly acts: readonly Act[];
}

/** What a real cluster may answer for a while, by API. `applies`: it may have done the work all the same. */
const ERRORS_OF: readonly {
  readonly api: string;
  readonly errors: readonly ErrorName[];
  readonly applies?: readonly ErrorName[];
}[] = [
  {
    api: 'Produce',
    errors: [
      'NOT_LEADER_OR_FOLLOWER',
      'NOT_ENOUGH_REPLICAS',
      'UNKNOWN_TOPIC_OR_PARTITION',
      'KAFKA_STORAGE_ERROR',
      'LEADER_NOT_AVAILABLE',
    ],
    applies: ['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'NOT_LEADER_OR_FOLLOWER'],
  },
  {
    api: 'Fetch',
    errors: [
      'NOT_LEADER_OR_FOLLOWER',
      'UNKNOWN_LEADER_EPOCH',
      'FENCED_LEADER_EPOCH',
      'KAFKA_STORAGE_ERROR',
      'OFFSET_NOT_AVAILABLE',
    ],
  },
  {
    api: 'OffsetCommit',
    errors: [
      'COORDINATOR_LOAD_IN_PROGRESS',
      'NOT_COORDINATOR',
      'COORDINATOR_NOT_AVAILABLE',
      'REBALANCE_IN_PROGRESS',
      'ILLEGAL_GENERATION',
      'REQUEST_TIMED_OUT',
    ],
    applies: ['COORDINATOR_NOT_AVAILABLE', 'REQUEST_TIMED_OUT', 'NOT_COORDINATOR'],
  },
  {
    api: 'Heartbeat',
    errors: [
      'NOT_COORDINATOR',
      'REBALANCE_IN_PROGRESS',
      'UNKNOWN_MEMBER_ID',
      'ILLEGAL_GENERATION',
      'COORDINATOR_NOT_AVAILABLE',
    ],
  },
  {
    api: 'JoinGroup',
    errors: [
      'COORDINATOR_LOAD_IN_PROGRESS',
      'NOT_COORDINATOR',
      'COORDINATOR_NOT_AVAILABLE',
      'UNKNOWN_MEMBER_ID',
    ],
    applies: ['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE'],
  },
  {
    api: 'SyncGroup',
    errors: ['NOT_COORDINATOR', 'REBALANCE_IN_PROGRESS', 'UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION'],
    applies: ['NOT_COORDINATOR', 'REBALANCE_IN_PROGRESS'],
  },
  {
    api: 'LeaveGroup',
    errors: ['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE'],
    applies: ['COORDINATOR_NOT_AVAILABLE'],
  },
  { api: 'OffsetFetch', errors: ['COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR'] },
  { api: 'FindCoordinator', errors: ['COORDINATOR_NOT_AVAILABLE'] },
  { api: 'ListOffsets', errors: ['NOT_LEADER_OR_FOLLOWER', 'LEADER_NOT_AVAILABLE', 'OFFSET_NOT_AVAILABLE'] },
  { api: 'InitProducerId', errors: ['COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_NOT_AVAILABLE'] },
  { api: 'Metadata', errors: ['LEADER_NOT_AVAILABLE'] },
];

const KINDS: readonly FaultKind[] = [
  'error',
  'error',
  'applyThenError',
  'applyThenDropResponse',
  'applyThenDropResponse',
  'dropRequest',
  'delay',
  'delay',
  'throttle',
  'close',
  'rst',
  'halfOpen',
  'answerOnly',
];

/** Draws of one seed. */
class Draw {
  private readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  int(min: number, max: number): number {
    return min + Math.floor(this.random() * (max - min + 1));
  }

  of<T>(values: readonly T[]): T {
    return values[Math.floor(this.random() * values.length)]!;
  }

  list<T>(min: number, max: number, make: () => T): T[] {
    return Array.from({ length: this.int(min, max) }, make);
  }

  chance(part: number): boolean {
    return this.random() < part;
  }
}

function drawCredit(draw: Draw): CreditLimits {
  return {
    records: draw.of([1, 3, 20, 200, 10_000]),
    bytes: draw.of([100, 2000, 16 * 1024 * 1024]),
    span: draw.of([5, 50, 1_000_000]),
  };
}

function drawProducer(draw: Draw): ProducerPlan {
  const records = draw.int(100, 400);
  const requestTimeoutMs = draw.of([1000, 4000]);
  const burst = draw.of([1, 10, 40, 80]);
  return {
    pauseMs: (LOAD_MS * 0.9 * burst) / records,
    burst,
    records,
    keys: draw.of([0, 0, 5, 40]),
    valueBytes: draw.of([0, 80, 400, 1500]),
    lingerMs: draw.of([0, 0, 5, 200]),
    batchBytes: draw.of([300, 300, 2000, 1_000_000]),
    maxInFlight: draw.of([1, 5, 5, 5]),
    // A dead connection takes the time of one request to be found out.
    deliveryTimeoutMs: requestTimeoutMs * draw.of([3, 8, 30]),
    requestTimeoutMs,
    compression: draw.of(['none', 'none', 'gzip', 'snappy'] as const),
  };
}

function drawMember(draw: Draw, isolation: Isolation): MemberPlan {
  return {
    isolation,
    credit: drawCredit(draw),
    budgetBytes: draw.of([64 * 1024, 1024 * 1024, 64 * 1024 * 1024]),
    sessionTimeoutMs: draw.of([6000, 9000]),
    drainTimeoutMs: draw.of([200, 2000, 5000]),
    commitIntervalMs: draw.of([100, 700, 5000]),
    commitEveryRecords: draw.of([1, 10, 10_000]),
    workMs: draw.of([0, 0, 5, 60, 400]),
    holdsEvery: draw.of([0, 0, 7]),
    rewindsEvery: draw.of([0, 0, 60]),
    pausesEvery: draw.of([0, 0, 15]),
    copiesEvery: draw.of([0, 1, 4]),
  };
}

function drawReader(draw: Draw, topics: number): ReaderPlan {
  return {
    topic: draw.int(0, topics - 1),
    isolation: draw.of(['read_uncommitted', 'read_committed']),
    credit: drawCredit(draw),
    workMs: draw.of([0, 5, 60]),
    pausesEvery: draw.of([0, 20]),
    seeksEvery: draw.of([0, 0, 70]),
  };
}

/** Index of an API: producing first, where most can go wrong, then fetching, committing and heartbeats, then all. */
function drawApi(draw: Draw): number {
  const kind = draw.int(0, 99);
  if (kind < 35) return 0;
  if (kind < 47) return 1;
  if (kind < 60) return 2;
  if (kind < 68) return 3;
  return draw.int(3, ERRORS_OF.length - 1);
}

function drawFault(draw: Draw, atMs: number): Act {
  const { api, errors, applies } = ERRORS_OF[drawApi(draw)]!;
  const kind = draw.of(KINDS);
  // What does not apply the work cannot say that it may have.
  const does = kind === 'applyThenError' && applies === undefined ? 'error' : kind;
  return {
    atMs,
    act: 'fault',
    api,
    does,
    error: draw.of(does === 'applyThenError' ? applies! : errors),
    ms: draw.of([20, 500, 3000, 6000]),
    count: draw.int(1, 4),
  };
}

function drawAct(draw: Draw, brokers: number, topics: readonly number[]): Act {
  const atMs = draw.int(0, LOAD_MS);
  const who = draw.int(0, 9);
  const topic = draw.int(0, topics.length - 1);
  const partition = draw.int(0, topics[topic]! - 1);
  const node = draw.int(0, brokers - 1);
  const kind = draw.int(0, 99);
  const forMs = draw.of([100, 2000, 8000]);
  if (kind < 50) return drawFault(draw, atMs);
  if (kind < 55) return { atMs, act: 'join' };
  if (kind < 64) return { atMs, act: draw.of(['leave', 'abort', 'crash', 'vanish'] as const), who };
  if (kind < 69) return { atMs, act: draw.of(['cut', 'silence'] as const), who };
  if (kind < 74) return { atMs, act: 'stop', who, forMs: draw.of([300, 3000, 12_000]) };
  if (kind < 81) return { atMs, act: 'moveLeader', topic, partition };
  if (kind < 84) return { atMs, act: 'leaderless', topic, partition, forMs: draw.of([200, 4000]) };
  if (kind < 89) return { atMs, act: 'hold', topic, partition, forMs };
  if (kind < 91) return { atMs, act: 'stall', forMs };
  if (kind < 93) return { atMs, act: 'stopNode', node, forMs };
  if (kind < 97) return { atMs, act: 'crashNode', node, forMs, loses: draw.of([1, 5, 100]) };
  if (kind < 99) return { atMs, act: draw.of(['rehash', 'drop'] as const) };
  return { atMs, act: 'grow', topic };
}

/** What befalls topics and the cluster as a whole. */
function drawLargeAct(draw: Draw, brokers: number, topics: readonly number[]): Act {
  const atMs = draw.int(0, LOAD_MS);
  const topic = draw.int(0, topics.length - 1);
  const partition = draw.int(0, topics[topic]! - 1);
  const kind = draw.int(0, 99);
  if (kind < 45) return { atMs, act: 'deleteRecords', topic, partition, part: draw.of([0.2, 0.7, 1]) };
  if (kind < 70) return { atMs, act: 'recreate', topic };
  if (kind < 80) return { atMs, act: 'restartCluster' };
  if (kind < 90) return { atMs, act: 'addNode' };
  return { atMs, act: 'removeNode', node: draw.int(0, brokers) };
}

/** The scenario of a seed. */
export function drawScenario(seed: number): ClientScenario {
  const draw = new Draw(seededRandom(`${seed} scenario`));
  const brokers = draw.int(1, 3);
  const topics = draw.list(1, 3, () => draw.int(1, 3));
  const isolation = draw.of(['read_uncommitted', 'read_committed'] as const);
  // Drawn apart, so that what is added here leaves the rest of a seed as it was.
  const large = new Draw(seededRandom(`${seed} cluster plan`));
  const cluster: ClusterPlan = {
    fetchSessionSlots: large.of([0, 2, 1000, 1000]),
    speaks: large.of(['all', 'all', 'names', '3.9'] as const),
  };
  const largeActs = large.chance(0.5) ? large.list(1, 4, () => drawLargeAct(large, brokers, topics)) : [];
  const groups = new Draw(seededRandom(`${seed} group plan`));
  const drawn = groups.of(['classic', 'classic', 'consumer', 'consumer', 'mixed'] as const);
  const group: GroupPlan = cluster.speaks === '3.9' ? 'classic' : drawn;
  const scenario = {
    brokers,
    cluster,
    group,
    topics,
    maxLatencyMs: draw.of([0, 2, 30, 30]),
    producers: draw.list(1, 3, () => drawProducer(draw)),
    members: draw.list(1, 3, () => drawMember(draw, isolation)),
    readers: draw.list(0, 2, () => drawReader(draw, topics.length)),
    transactions: draw.list(1, 1, () => ({
      pauseMs: draw.of([100, 600, 2000]),
      records: draw.int(1, 6),
      abortsEvery: draw.of([2, 3]),
      transactions: draw.int(8, 25),
    })),
    acts: [...draw.list(12, 40, () => drawAct(draw, brokers, topics)), ...largeActs].sort(
      (a, b) => a.atMs - b.atMs,
    ),
  };
  const { acts } = scenario;
  if (group === 'mixed') return { ...scenario, acts: forMixedGroup(acts) };
  return group === 'consumer' ? { ...scenario, acts: forConsumerProtocol(acts) } : scenario;
}
