// Reads idle and busy partitions, closes, and says what is still open a second later.
import { Kafka } from '../../../src/index.ts';
import { startReading } from '../support/reading.ts';
import { until } from '../../helpers/until.ts';

async function main(bootstrap: string, topic: string): Promise<void> {
  const kafka = new Kafka({ brokers: bootstrap.split(',') });
  const { seen, close } = await startReading(kafka, { topic, from: 'earliest' });
  await until('the records', () => seen.reduce((sum, { offsets }) => sum + offsets.length, 0) === 100);
  close();
  const closedAt = Date.now();
  await kafka.close();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const left = process.getActiveResourcesInfo().filter((what) => /TCP|Timeout|DNS/i.test(what));
  console.log(JSON.stringify({ left, closedAt }));
}

void main(process.argv[2]!, process.argv[3]!);
