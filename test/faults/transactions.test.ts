// Two instances compete for one transactional id, abort at random and are killed: what Java reads as committed is what they were told.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { brokers, short, testKafka, uniqueName } from '../helpers/brokers.ts';
import { lib } from '../helpers/interop/java-side.ts';
import { readAll } from '../rows/support/producing.ts';
import { Child } from './support/child.ts';

/** The values that Java's console consumer reads as committed. Its own limit is generous: Java may take half a minute to start on a busy machine. */
async function javaReads(topic: string, count: number): Promise<string[]> {
  const { stdout } = await promisify(execFile)(
    'java',
    [
      ...[
        '-Xmx256m',
        '-XX:TieredStopAtLevel=1',
        '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
        '-cp',
        path.join(lib!, '*'),
      ],
      'org.apache.kafka.tools.consumer.ConsoleConsumer',
      ...['--bootstrap-server', brokers!.join(','), '--topic', topic, '--from-beginning'],
      ...['--max-messages', String(count), '--timeout-ms', '60000', '--isolation-level', 'read_committed'],
    ],
    { timeout: 300_000, maxBuffer: 64 * 1024 * 1024 },
  );
  return stdout.split('\n').filter((line) => line !== '');
}

const TRANSACTIONS = short ? 150 : 1_000;
const KILLS = short ? 2 : 8;
const RECORDS = 5;

(lib === undefined ? describe.skip : describe)('transactions under competition', () => {
  it(`of ${TRANSACTIONS} with ${KILLS} kills exactly the committed ones are read`, async () => {
    const kafka = testKafka();
    const [topic, transactionalId] = [uniqueName('compete'), uniqueName('compete-id')];
    await kafka.admin().createTopics([{ name: topic, partitions: 3 }]);
    const all: Child[] = [];
    const start = (): Child => {
      const run = `r${all.length}`;
      const child = new Child('transactor.ts', {
        brokers,
        topic,
        transactionalId,
        run,
        transactions: TRANSACTIONS,
      });
      all.push(child);
      return child;
    };
    const ended = (): number =>
      all.reduce(
        (sum, { events }) =>
          sum + events.filter((event) => 'committed' in event || 'aborted' in event).length,
        0,
      );
    const competing = [start(), start()];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const target = ((kill + 1) * TRANSACTIONS) / (KILLS + 1);
      await competing[1]!.poll(() => Promise.resolve(ended() >= target), 300_000);
      await competing[kill % 2]!.kill();
      competing[kill % 2] = start();
    }
    await competing[1]!.poll(() => Promise.resolve(ended() >= TRANSACTIONS), 300_000);
    await Promise.all(competing.map((child) => child.kill()));

    const told = (what: string): Set<string> =>
      new Set(
        all.flatMap(({ events }) =>
          events.filter((event) => what in event).map((event) => String(event[what])),
        ),
      );
    const committed = told('committed');
    const open = new Set([...told('committing')].filter((name) => !committed.has(name)));

    // What the killed ones left open is aborted by whoever comes next.
    const last = kafka.producer({ transactionalId });
    await last.init();
    await last.transaction((tx) => void tx.sendAsync(topic, { value: 'end.0.0', partition: 0 }));
    await last.close();

    const ours = (await readAll(kafka, topic, 'read_committed')).map(({ value }) => value!);
    const java = await javaReads(topic, ours.length);
    expect([...java].sort()).toEqual([...ours].sort());
    const counts = new Map<string, number>();
    for (const value of java) {
      const name = value.split('.').slice(0, 2).join('.');
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    counts.delete('end.0');
    expect(new Set(java).size).toBe(java.length);
    for (const name of committed) expect([name, counts.get(name)]).toEqual([name, RECORDS]);
    // Torn in none: of those whose end nobody was told, all or nothing.
    for (const [name, count] of counts) {
      expect([name, count]).toEqual([name, RECORDS]);
      expect(committed.has(name) || open.has(name)).toBe(true);
    }
    await kafka.admin().deleteTopics([topic]);
    await kafka.close();
  });
});
