// Copies a topic partition by partition; SIGUSR2 makes the sink of one partition stall, and go on again.
// Arguments as one JSON object; events as JSON lines on standard output, with milliseconds since 1970.
import { eachClaim, mapAsync, tap } from '../../../src/operators/index.ts';
import { Kafka, topology } from '../../../src/index.ts';
import { spyTransport } from '../support/wire-spy.ts';

export interface StalledOptions {
  readonly brokers: readonly string[];
  readonly input: string;
  readonly output: string;
  readonly groupId: string;
  readonly stalledPartition: number;
  readonly heartbeatIntervalMs: number;
  readonly budgetBytes?: number;
}

const JOIN_GROUP = 11;
const HEARTBEAT = 12;
const SAMPLE_MS = 100;

const options = JSON.parse(process.argv[2]!) as StalledOptions;
const { stalledPartition, output, heartbeatIntervalMs, budgetBytes } = options;
const say = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`);

let gate: Promise<void> | undefined;
let open = (): void => undefined;
let copied = 0;

process.on('SIGUSR2', () => {
  if (gate === undefined) {
    gate = new Promise((resolve) => {
      open = resolve;
    });
  } else {
    gate = undefined;
    open();
  }
  say({ at: Date.now(), gate: gate === undefined ? 'open' : 'closed' });
});

const copier = topology('stalled', ({ fromGroup, toTopic }) => {
  const claims = fromGroup({
    groupId: options.groupId,
    topics: [options.input],
    sessionTimeoutMs: Math.max(6_000, 4 * heartbeatIntervalMs),
    heartbeatIntervalMs,
    commitIntervalMs: 1_000,
    budgetBytes,
  });
  claims.rebalances.subscribe(({ kind, partition }) => say({ at: Date.now(), rebalance: kind, partition }));
  return claims.pipe(
    eachClaim((claim) =>
      claim.pipe(
        mapAsync(
          async ({ partition, value }) => {
            if (gate !== undefined && partition === stalledPartition) await gate;
            return { partition, value };
          },
          { concurrency: 100, order: 'input' },
        ),
        toTopic(output, (copy) => copy),
        tap(() => {
          copied++;
        }),
      ),
    ),
  );
});

setInterval(() => say({ at: Date.now(), rss: process.memoryUsage.rss(), copied }), SAMPLE_MS).unref();

const transport = spyTransport([JOIN_GROUP, HEARTBEAT], ({ at, apiKey, generationId }) =>
  say(apiKey === HEARTBEAT ? { at, beat: generationId } : { at, join: true }),
);
const summary = await copier.run(new Kafka({ brokers: options.brokers }, { transport }));
say({ summary });
process.exit();
