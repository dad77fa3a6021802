// A process to be killed: copies a topic through a group, each record marked with where it came from and which run copied it.
// Arguments as one JSON object; events as JSON lines on standard output.
import { eachClaim, map, mapAsync, tap } from '../../../src/operators/index.ts';
import { Kafka, text, topology } from '../../../src/index.ts';

export interface CopierOptions {
  readonly brokers: readonly string[];
  readonly input: string;
  readonly output: string;
  readonly groupId: string;
  readonly run: number;
  /** Longest random wait of one record. */
  readonly maxDelayMs: number;
  readonly concurrency: number;
  /** Each claim pauses for good after so many records. */
  readonly pauseAfter?: number;
  readonly sessionTimeoutMs?: number;
  readonly commitIntervalMs?: number;
  readonly drainTimeoutMs?: number;
}

const options = JSON.parse(process.argv[2]!) as CopierOptions;
const { run, maxDelayMs, pauseAfter = Infinity } = options;
const say = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`);

const copier = topology('copier', ({ fromGroup, toTopic }) => {
  const claims = fromGroup({
    groupId: options.groupId,
    topics: [options.input],
    value: text(),
    sessionTimeoutMs: options.sessionTimeoutMs ?? 6_000,
    heartbeatIntervalMs: 500,
    commitIntervalMs: options.commitIntervalMs ?? 300,
    drainTimeoutMs: options.drainTimeoutMs ?? 5_000,
  });
  claims.rebalances.subscribe((event) =>
    say({ rebalance: event.kind, partition: event.partition, epoch: event.claimEpoch }),
  );
  return claims.pipe(
    eachClaim((claim) => {
      let handed = 0;
      return claim.pipe(
        tap(() => {
          if (++handed === pauseAfter) claim.pause();
        }),
        map((record) => `${record.partition}:${record.offset}:${run}:${claim.claimEpoch}`),
        mapAsync(
          async (mark) => {
            if (maxDelayMs > 0)
              await new Promise((resolve) => setTimeout(resolve, Math.random() * maxDelayMs));
            return mark;
          },
          { concurrency: options.concurrency, order: 'none' },
        ),
      );
    }),
    toTopic(options.output, (mark) => ({ key: mark, value: mark })),
    tap(() => {
      copied++;
    }),
  );
});

let copied = 0;
let reported = -1;
setInterval(() => {
  if (copied !== reported) say({ copied });
  reported = copied;
}, 50).unref();

const summary = await copier.run(new Kafka({ brokers: options.brokers }));
say({ summary });
process.exit();
