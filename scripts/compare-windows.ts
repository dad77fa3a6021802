// Sends random values through windows of Kafka Streams and through ours: `npm run compare:windows -- --seed 7 --cases 200`. Needs Java 17, and Maven or
// the jars of kafka-streams-test-utils in STREAMS_LIB.
import { execFileSync } from 'node:child_process';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { streamsLib } from '../test/helpers/kafka/streams-jars.ts';
import { play, sorted, type StreamsCase } from '../test/operators/windows/streams-cases.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, cases: { type: 'string', default: '200' } },
});
const seed = values.seed ?? String(Math.floor(Math.random() * 1e9));
const args = ['-cp', `${streamsLib()}/*`, 'test/golden/windows/GenerateWindows.java', seed, values.cases];
const text = execFileSync('java', args, {
  encoding: 'utf8',
  maxBuffer: 2 ** 30,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const cases = JSON.parse(text) as StreamsCase[];
let rows = 0;
let different = 0;
cases.forEach((one, number) => {
  const [kafka, ours] = [sorted(one, one.output), sorted(one, play(one))];
  rows += kafka.flat().length;
  if (isDeepStrictEqual(kafka, ours)) return;
  different++;
  process.exitCode = 1;
  const at = kafka.findIndex((step, index) => !isDeepStrictEqual(step, ours[index]));
  const { input, output: _output, ...options } = one;
  console.log(
    `case ${number}: ${JSON.stringify(options)}\n  after ${JSON.stringify(input.slice(0, at + 1))}\n  Kafka ${kafka[at]!.join(' ')}\n  ours  ${ours[at]!.join(' ')}`,
  );
});
console.log(`${cases.length} cases with ${rows} rows compared (seed ${seed}), ${different} differ`);
