// Writes until SIGINT, then closes and prints what became of it. Arguments: brokers, topic.
import { asyncProducer, Kafka } from '../../../src/index.ts';

const kafka = new Kafka({ brokers: process.argv[2]!.split(',') });
const producer = asyncProducer(kafka, { topic: process.argv[3]! });
let stopped = false;
process.once('SIGINT', () => {
  stopped = true;
});
process.stdout.write('writing\n');
for (let at = 0; !stopped; at += 1) {
  if (!producer.write({ value: `v${at}` })) await producer.ready();
  if (at % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
}
process.stdout.write(`${JSON.stringify(await producer.close())}\n`);
await kafka.close();
