// Word count, the whole way: text files -> a topic -> a consumer group that counts per partition -> a topic of counts.
// Runs on the broker in the box, or on KAFKA_BROKERS=host:port[,host:port]; topics and group carry a run id and are deleted at the end.
import { lastValueFrom, reduce } from 'rxjs';
import {
  batch,
  eachClaim,
  flatMap,
  fromReadable,
  map,
  nullable,
  settle,
  sluice,
  tap,
  text,
  topology,
} from 'sluice';
import { withCluster } from './support/cluster.ts';
import { format, reportProgress } from './support/progress.ts';
import { concatenated, findTexts } from './support/texts.ts';

const files = await findTexts('node_modules');
const words = (line: string): string[] => line.toLowerCase().match(/[a-z]+/g) ?? [];

process.exitCode = await withCluster(['lines', 'counts'], async ({ kafka, client, name, lag }) => {
  const progress = reportProgress();
  let linesSent = 0;

  const send = topology('send-lines', ({ toTopic }) =>
    fromReadable(concatenated(files), { as: 'lines' }).pipe(
      toTopic(name('lines'), (line) => ({ value: line })),
      tap(() => linesSent++),
    ),
  );

  const count = topology('count-words', ({ fromGroup, toTopic }) =>
    fromGroup({ groupId: name('word-count'), topics: [name('lines')], value: text() }).pipe(
      eachClaim((lines) =>
        lines.pipe(
          tap(() => progress.lines++),
          flatMap((line) => words(line.value)),
          tap(() => progress.words++),
          batch({ maxRecords: 5_000, withinMs: 200 }),
          map((some) => tally(some)),
          flatMap((counts) => counts),
          toTopic(name('counts'), ([word, n]) => ({ key: word, value: String(n) })),
        ),
      ),
    ),
  );

  const counting = count.start(client);
  await send.run(client);
  while (progress.lines < linesSent)
    await Promise.race([counting.done, new Promise((resolve) => setTimeout(resolve, 20))]);
  const summary = await counting.drain();
  progress.stop();

  const counted = await lastValueFrom(
    sluice(kafka)
      .fromPartitions({
        topic: name('counts'),
        key: text(),
        value: nullable(text()),
        from: 'earliest',
        to: 'latest',
      })
      .pipe(settle())
      .pipe(
        reduce(
          (sums, { key, value }) => sums.set(key, (sums.get(key) ?? 0) + Number(value)),
          new Map<string, number>(),
        ),
      ),
  );
  const { committed, lag: left } = await lag(name('word-count'), name('lines'));

  const expected = await plainCount();
  const top = [...counted].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 20);
  console.log('\ntop twenty words');
  for (const [word, n] of top) console.log(`  ${format(n)}  ${word}`);
  const total = [...counted.values()].reduce((a, b) => a + b, 0);
  console.log(
    `\nlines in ${format(linesSent)}\nwords out ${format(total)}\noffsets committed ${format(committed)}\nlag ${left}`,
  );

  const same = counted.size === expected.size && [...expected].every(([word, n]) => counted.get(word) === n);
  console.log(same ? `the same as a plain count of ${files.length} files` : 'NOT the same as a plain count');
  return same && left === 0 && summary.unsettled === 0 ? 0 : 1;
});

function tally(some: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of some) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

async function plainCount(): Promise<Map<string, number>> {
  let all = '';
  for await (const chunk of concatenated(files).setEncoding('utf8')) all += chunk as string;
  return tally(all.split('\n').flatMap(words));
}
