// A process to be killed: copies a topic exactly once, partition 0 to partition 0. Arguments as one JSON object; events as JSON lines.
import { Kafka, text, topology } from '../../../src/index.ts';

const options = JSON.parse(process.argv[2]!) as {
  readonly brokers: readonly string[];
  readonly input: string;
  readonly output: string;
  readonly groupId: string;
  readonly perTransaction: number;
};
const say = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`);

const copier = topology('exactly-once-copier', ({ fromGroup, toTopic }) =>
  fromGroup({
    groupId: options.groupId,
    topics: [options.input],
    value: text(),
    sessionTimeoutMs: 6_000,
    heartbeatIntervalMs: 500,
    commitEveryRecords: options.perTransaction,
    credit: { records: Math.ceil(options.perTransaction / 3) },
  }).pipe(
    toTopic(options.output, (record) => ({
      key: record.value,
      value: record.value,
      partition: record.partition === 0 ? 0 : undefined,
    })),
  ),
);
const running = copier.start(new Kafka({ brokers: options.brokers }), {
  guarantee: 'exactly-once',
  transactions: { timeoutMs: 5_000 },
  signals: true,
});
await running.ready;
say({ ready: true });
say({ summary: await running.done });
process.exit();
