// Divides random groups with Kafka's own client-side assignors and with ours: `npm run compare:assignors -- --seed 7 --groups 500`. Needs Java, and
// Kafka's jars in KAFKA_LIB.
import { execFileSync } from 'node:child_process';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { resolveAssignors } from '../src/core/group/assignors/named.ts';
import { divideBoth, isValid, type Round } from '../test/core/group/assignors/kafka-groups.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, groups: { type: 'string', default: '200' } },
});
const seed = values.seed ?? String(Math.floor(Math.random() * 1e9));
const lib = process.env['KAFKA_LIB'];
if (lib === undefined) throw new Error('KAFKA_LIB must name the directory of the jars of kafka-clients');

const args = ['-cp', `${lib}/*`, 'test/golden/group/GenerateClassic.java', seed, values.groups];
const text = execFileSync('java', args, {
  encoding: 'utf8',
  maxBuffer: 2 ** 30,
  stdio: ['ignore', 'pipe', 'ignore'],
});
const groups = JSON.parse(text) as Round[][];
for (const assignor of resolveAssignors(['range', 'roundrobin', 'sticky', 'cooperative-sticky'])) {
  let rounds = 0;
  let invalid = 0;
  groups.forEach((group, at) => {
    group.forEach((round, number) => {
      rounds += 1;
      const { kafka, ours } = divideBoth(assignor, round);
      if (isDeepStrictEqual(kafka, ours)) return;
      if (!isValid(assignor, round, kafka) && isValid(assignor, round, ours)) {
        invalid += 1;
        return;
      }
      process.exitCode = 1;
      console.log(
        `${assignor.name}: group ${at}, round ${number}\n  Kafka ${JSON.stringify(kafka)}\n  ours  ${JSON.stringify(ours)}`,
      );
    });
  });
  const except =
    invalid === 0
      ? ''
      : `, but for ${invalid} in which Kafka's gives a topic to a member that does not want it`;
  console.log(
    `${assignor.name}: ${rounds} divisions of ${groups.length} groups compared (seed ${seed})${except}`,
  );
}
