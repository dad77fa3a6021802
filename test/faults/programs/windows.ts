// A process to be killed: writes what windows of all kinds make of a topic. Arguments as one JSON object; events as JSON lines on standard output.
import { fanOut, mapAsync, tap } from '../../../src/operators/index.ts';
import { Kafka, text, topology } from '../../../src/index.ts';
import { lateLine, windowsOf, type Line } from '../support/windows.ts';

export interface WindowsOptions {
  readonly brokers: readonly string[];
  readonly input: string;
  readonly output: string;
  readonly groupId: string;
  /** Wait of a record before it is counted. */
  readonly paceMs: number;
  /** Longest random wait of a row before it is written. */
  readonly maxDelayMs: number;
}

const options = JSON.parse(process.argv[2]!) as WindowsOptions;
const { paceMs, maxDelayMs } = options;
const say = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`);
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let written = 0;
const windows = topology('windows', ({ fromGroup, toTopic }) => {
  const late = (name: string) => toTopic(options.output, (line: Line) => ({ value: lateLine(name, line) }));
  const [tumbling, hopping, session, changes, device] = windowsOf(late);
  return fromGroup({
    groupId: options.groupId,
    // The next process takes the place of the one that was killed, at once.
    groupInstanceId: 'one',
    topics: [options.input],
    key: text(),
    value: text(),
    sessionTimeoutMs: 6_000,
    heartbeatIntervalMs: 500,
    commitIntervalMs: 100,
    drainTimeoutMs: 5_000,
  }).pipe(
    mapAsync((line) => (paceMs > 0 ? wait(paceMs).then(() => line) : Promise.resolve(line)), {
      concurrency: 8,
      order: 'input',
    }),
    fanOut(tumbling!, hopping!, session!, changes!, device!),
    mapAsync(
      (row) => (maxDelayMs > 0 ? wait(Math.random() * maxDelayMs).then(() => row) : Promise.resolve(row)),
      {
        concurrency: 1_000,
        order: 'none',
      },
    ),
    toTopic(options.output, (row) => ({ value: row })),
    tap(() => {
      written++;
    }),
  );
});

let reported = -1;
setInterval(() => {
  if (written !== reported) say({ written });
  reported = written;
}, 50).unref();

const summary = await windows.run(new Kafka({ brokers: options.brokers }));
say({ summary });
process.exit();
