// Prints by how many bytes the heap has grown after GC, and how often what was asked for happened: `refreshes` or `reauthentications`.
import { getHeapStatistics } from 'node:v8';
import { Kafka } from '../../../src/core/client.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';

const collect = (globalThis as { gc?: () => void }).gc!;
const [what, count] = [process.argv[2]!, Number(process.argv[3])];

async function settled(): Promise<number> {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return getHeapStatistics().used_heap_size;
}

async function main(): Promise<void> {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const lifetimeMs = 2000;
  const box = await createBroker({
    listen: 'memory',
    clock,
    random,
    requestLogSize: 0,
    topics: { lines: 100 },
    ...(what === 'reauthentications' && { sasl: { users: { alice: 'secret' }, maxReauthMs: lifetimeMs } }),
  });
  let exchanges = 0;
  const credentials = () => {
    exchanges += 1;
    return { username: 'alice', password: 'secret' };
  };
  const sasl =
    what === 'reauthentications' ? { mechanism: 'scram-sha-512' as const, credentials } : undefined;
  const kafka = new Kafka({ brokers: box.bootstrap, sasl }, { clock, random, transport: box.transport });
  const once = async (): Promise<void> => {
    if (what === 'refreshes') await clock.run(kafka.cluster.refresh(['lines']));
    else {
      await clock.advance(lifetimeMs * 0.96);
      await clock.run(kafka.cluster.refresh([]));
    }
  };
  // What is compiled and cached at first use is not what grows.
  for (let n = 0; n < Math.min(200, count); n++) await once();
  const before = await settled();
  const startedWith = exchanges;
  for (let n = 0; n < count; n++) await once();
  const grownBytes = (await settled()) - before;
  const done = what === 'refreshes' ? count : exchanges - startedWith;
  console.log(JSON.stringify({ grownBytes, done, connections: box.connections() }));
  await kafka.close();
  await box.close();
}

void main();
