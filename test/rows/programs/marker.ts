// Marks ever larger next offsets, commits them at an interval, and prints what is in the group's log. Argument: a JSON of its options.
import { Kafka } from '../../../src/core/index.ts';

interface Options {
  readonly brokers: readonly string[];
  readonly groupId: string;
  readonly topic: string;
  readonly commitIntervalMs: number;
}

async function main(): Promise<void> {
  const { brokers, groupId, topic, commitIntervalMs } = JSON.parse(process.argv[2]!) as Options;
  const kafka = new Kafka({ brokers });
  const offsets = kafka.offsets({
    groupId,
    commitIntervalMs,
    onCommitted: ([point]) => console.log(JSON.stringify({ committed: point!.offset })),
  });
  const managed = await offsets.manage(topic, 0);
  setInterval(() => managed.markNextOffset(managed.nextOffset + 1, `at ${managed.nextOffset + 1}`), 2);
  process.once('SIGTERM', () => {
    console.log(JSON.stringify({ marked: managed.nextOffset }));
    void offsets.close().then(() => process.exit(0));
  });
}

void main();
