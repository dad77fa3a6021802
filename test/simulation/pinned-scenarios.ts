// Scenarios that found a defect once, as small as they got. Played on, whatever a seed draws by now.
import type { ClientScenario } from './clients/scenario.ts';

export interface PinnedScenario {
  /** What went wrong. */
  readonly name: string;
  readonly seed: number;
  readonly scenario: ClientScenario;
}

export const PINNED: readonly PinnedScenario[] = [
  {
    name: 'a commit of lost claims arrives when the member of the consumer protocol has them again, in the same epoch',
    seed: 30_233,
    scenario: {
      brokers: 1,
      cluster: { fetchSessionSlots: 0, speaks: 'all' },
      group: 'consumer',
      topics: [3],
      maxLatencyMs: 30,
      producers: [
        {
          pauseMs: 235.80786026200875,
          burst: 1,
          records: 169,
          keys: 40,
          valueBytes: 80,
          lingerMs: 5,
          batchBytes: 2000,
          maxInFlight: 5,
          deliveryTimeoutMs: 3000,
          requestTimeoutMs: 1000,
          compression: 'snappy',
        },
      ],
      members: [
        {
          isolation: 'read_uncommitted',
          credit: { records: 20, bytes: 100, span: 1_000_000 },
          budgetBytes: 67_108_864,
          sessionTimeoutMs: 9000,
          drainTimeoutMs: 2000,
          commitIntervalMs: 100,
          commitEveryRecords: 10_000,
          workMs: 0,
          holdsEvery: 0,
          rewindsEvery: 0,
          pausesEvery: 0,
          copiesEvery: 0,
        },
        {
          isolation: 'read_uncommitted',
          credit: { records: 200, bytes: 2000, span: 5 },
          budgetBytes: 1_048_576,
          sessionTimeoutMs: 6000,
          drainTimeoutMs: 5000,
          commitIntervalMs: 700,
          commitEveryRecords: 1,
          workMs: 0,
          holdsEvery: 7,
          rewindsEvery: 0,
          pausesEvery: 0,
          copiesEvery: 1,
        },
        {
          isolation: 'read_uncommitted',
          credit: { records: 3, bytes: 100, span: 50 },
          budgetBytes: 1_048_576,
          sessionTimeoutMs: 9000,
          drainTimeoutMs: 2000,
          commitIntervalMs: 700,
          commitEveryRecords: 10_000,
          workMs: 0,
          holdsEvery: 0,
          rewindsEvery: 0,
          pausesEvery: 0,
          copiesEvery: 0,
        },
      ],
      readers: [],
      transactions: [],
      acts: [
        { atMs: 27_314, act: 'abort', who: 0 },
        { atMs: 33_031, act: 'stop', who: 2, forMs: 12_000 },
        {
          atMs: 34_389,
          act: 'fault',
          api: 'OffsetCommit',
          does: 'delay',
          error: 'NOT_COORDINATOR',
          ms: 6000,
          count: 4,
        },
        { atMs: 49_263, act: 'rehash' },
      ],
    },
  },
];
