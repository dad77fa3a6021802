// Makes many records of one, for a sink that SIGUSR2 makes stall and go on again; the first stall is its own, after `stallAfter` records.
// Arguments as one JSON object; events as JSON lines on standard output, with milliseconds since 1970.
import { flatMap, mapAsync, tap } from '../../../src/operators/index.ts';
import { Kafka, topology } from '../../../src/index.ts';
import { LoopWatch } from '../support/loop-watch.ts';
import { spyTransport } from '../support/wire-spy.ts';

export interface ExploderOptions {
  readonly brokers: readonly string[];
  readonly input: string;
  readonly output: string;
  readonly groupId: string;
  /** Values made of each record. */
  readonly children: number;
  /** The sink stalls when it gets the child of this number. */
  readonly stallAfter: number;
  readonly heartbeatIntervalMs: number;
}

const HEARTBEAT = 12;
const SAMPLE_MS = 50;

const options = JSON.parse(process.argv[2]!) as ExploderOptions;
const { children, stallAfter, heartbeatIntervalMs } = options;
const say = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`);

let gate: Promise<void> | undefined;
let open = (): void => undefined;
let made = 0;
let passed = 0;

const loop = new LoopWatch();

function close(): void {
  gate = new Promise((resolve) => {
    open = resolve;
  });
  say({ at: Date.now(), gate: 'closed' });
  loop.take();
}

process.on('SIGUSR2', () => {
  gate = undefined;
  open();
  say({ at: Date.now(), gate: 'open', loopMs: loop.take() });
});

function* numbers(): Generator<number> {
  for (let n = 0; n < children; n++) {
    made++;
    yield n;
  }
}

const exploder = topology('exploder', ({ fromGroup, toTopic }) =>
  fromGroup({
    groupId: options.groupId,
    topics: [options.input],
    sessionTimeoutMs: Math.max(6_000, 4 * heartbeatIntervalMs),
    heartbeatIntervalMs,
    commitIntervalMs: 200,
  }).pipe(
    flatMap(numbers),
    mapAsync(
      async (n) => {
        if (n === stallAfter) close();
        if (gate !== undefined) await gate;
        return n;
      },
      { concurrency: 100, order: 'input' },
    ),
    toTopic(options.output, (n) => ({ partition: 0, value: String(n) })),
    tap(() => {
      passed++;
    }),
  ),
);

setInterval(() => say({ at: Date.now(), rss: process.memoryUsage.rss(), made, passed }), SAMPLE_MS).unref();

const transport = spyTransport([HEARTBEAT], ({ at, generationId }) => say({ at, beat: generationId }));
const summary = await exploder.run(new Kafka({ brokers: options.brokers }, { transport }));
say({ summary, loopMs: loop.take() });
process.exit();
