// Appends every value that `atMostOnce()` emits to a file, a line each. Argument: a JSON of its options.
import { appendFileSync } from 'node:fs';
import { atMostOnce, Kafka, sluice, text } from '../../../src/index.ts';

interface Options {
  readonly brokers: readonly string[];
  readonly groupId: string;
  readonly topic: string;
  readonly file: string;
  readonly credit: number;
  /** A static member is back at once, without the wait for the end of the session of the one that was killed. */
  readonly groupInstanceId?: string;
  /** For each value, besides the writing: busy for so long. */
  readonly workMs: number;
}

function main(): void {
  const { brokers, groupId, topic, file, credit, groupInstanceId, workMs } = JSON.parse(
    process.argv[2]!,
  ) as Options;
  const kafka = new Kafka({ brokers });
  let emitted = 0;
  const partitions = new Set<number>();
  sluice(kafka)
    .fromGroup({
      groupId,
      topics: [topic],
      value: text(),
      sessionTimeoutMs: 6_000,
      groupInstanceId,
      credit: { records: credit },
    })
    .pipe(atMostOnce())
    .subscribe((record) => {
      appendFileSync(file, `${record.partition}:${record.offset}\n`);
      for (const until = performance.now() + workMs; performance.now() < until;);
      partitions.add(record.partition);
      if (++emitted % 100 === 0) console.log(JSON.stringify({ emitted, partitions: partitions.size }));
    });
}

main();
