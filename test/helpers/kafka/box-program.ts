// Runs a box until its standard input ends; prints its address, and at the end what it threw instead of answering.
import { createBroker } from '../../../src/testing/broker/create-broker.ts';

async function main(): Promise<void> {
  const box = await createBroker({
    autoCreateTopics: false,
    // As the real brokers of tests: groups may be given shorter times by their tests.
    group: { consumerMinSessionTimeoutMs: 1000, consumerMinHeartbeatIntervalMs: 100 },
  });
  console.log(box.bootstrap.join(','));
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once('end', resolve));
  await box.close();
  for (const error of box.internalErrors) console.error(error);
  process.exitCode = box.internalErrors.length > 0 ? 1 : 0;
}

void main();
