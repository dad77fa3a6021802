// A member of a group that says what it did before the group may know of it: a record is told of before it is settled, a commit before it is sent.
// It leaves after `quota` records, or at SIGTERM. Arguments as one JSON object; events as JSON lines, with milliseconds since 1970.
import { eachClaim, mapAsync, settle, tap } from '../../../src/operators/index.ts';
import { Kafka, topology } from '../../../src/index.ts';
import { commitSpy } from '../support/commit-spy.ts';
import { kindOptions, type GroupKind } from '../support/group-kinds.ts';

export interface GroupMemberOptions {
  readonly brokers: readonly string[];
  readonly groupId: string;
  readonly topic: string;
  readonly kind: GroupKind;
  /** The name of a static member. */
  readonly instance: string;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly commitIntervalMs: number;
  /** Leaves after so many records; never without. */
  readonly quota?: number;
  /** Longest random wait of one record. */
  readonly maxDelayMs: number;
}

const CONCURRENCY = 20;
const DRAIN_MS = 2_000;
const REBALANCE_MS = 10_000;

const options = JSON.parse(process.argv[2]!) as GroupMemberOptions;
const { groupId, topic, quota = Infinity, maxDelayMs } = options;
// Pipes are written synchronously: what is said here is heard, even if the process is killed right after.
const say = (event: object): void =>
  void process.stdout.write(`${JSON.stringify({ at: Date.now(), ...event })}\n`);

let done = 0;

const member = topology('member', ({ fromGroup }) => {
  const claims = fromGroup({
    groupId,
    topics: [topic],
    commitIntervalMs: options.commitIntervalMs,
    commitTimeoutMs: DRAIN_MS,
    drainTimeoutMs: DRAIN_MS,
    rebalanceTimeoutMs: REBALANCE_MS,
    ...kindOptions(options.kind, options.instance, options),
  });
  claims.rebalances.subscribe(({ kind, partition, claimEpoch }) => {
    if (kind !== 'claimed') say({ ended: kind, partition, epoch: claimEpoch });
  });
  return claims.pipe(
    eachClaim((claim) => {
      const { partition, claimEpoch: epoch } = claim;
      say({ claimed: true, partition, epoch, start: claim.startOffset });
      return claim.pipe(
        mapAsync(
          async (record) => {
            if (maxDelayMs > 0)
              await new Promise((resolve) => setTimeout(resolve, Math.random() * maxDelayMs));
            return record;
          },
          { concurrency: CONCURRENCY, order: 'none' },
        ),
        tap(({ offset }) => {
          say({ got: offset, partition, epoch });
          if (++done === quota) setImmediate(leave, 'quota');
        }),
      );
    }),
    settle(),
  );
});

const transport = commitSpy({ onCommit: (commit) => say({ commit }), onJoin: () => say({ join: true }) });
const kafka = new Kafka({ brokers: options.brokers }, { transport });
const running = member.start(kafka);
running.done.catch((error: unknown) => {
  say({ failed: String(error) });
  process.exitCode = 1;
});
process.once('SIGTERM', () => leave('told'));
say({ up: true });

function leave(why: string): void {
  say({ leaving: why });
  void running
    .drain()
    .then((summary) => say({ summary }))
    .catch(() => undefined)
    .finally(() => process.exit());
}
