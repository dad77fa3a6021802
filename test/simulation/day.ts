// A day in the life of a group, in simulated time: three members, one partition each, ten records a second sent one by one.
import type { Timer } from '../../src/core/clock.ts';
import { Kafka } from '../../src/core/client.ts';
import { GroupConsumer } from '../../src/core/group/group-consumer.ts';
import { createBroker } from '../../src/testing/broker/create-broker.ts';
import { seededRandom } from '../../src/testing/simulation/seeded-random.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';

const TOPIC = 'day';
const GROUP = 'day';
const MEMBERS = 3;
const RECORDS_PER_SECOND = 10;
const HOUR_MS = 3_600_000;
const RETAINED_BYTES = 4 * 1024 * 1024;
const DRAIN_MS = 10_000;
/** Half a second's records go out together. */
const LINGER_MS = 500;

export interface Day {
  readonly sent: number;
  readonly acked: number;
  readonly handed: number;
  readonly committed: number;
  readonly rebalances: number;
  readonly requests: number;
}

/** Plays so many hours. */
export async function playDay(hours: number, seed = 1): Promise<Day> {
  const clock = new VirtualClock();
  const box = await createBroker({
    listen: 'memory',
    clock,
    random: seededRandom(`${seed} cluster`),
    latencyMs: 1,
    topics: { [TOPIC]: { partitions: MEMBERS, configs: { 'retention.bytes': String(RETAINED_BYTES) } } },
    requestLogSize: 0,
  });
  const client = (name: string): Kafka =>
    new Kafka(
      { brokers: box.bootstrap, clientId: name },
      { clock, random: seededRandom(`${seed} ${name}`), transport: box.transport },
    );
  const counts = { sent: 0, acked: 0, handed: 0, rebalances: 0 };
  const members = Array.from({ length: MEMBERS }, (_, at) => member(client(`member-${at}`), counts));
  const kafka = client('producer');
  const producer = kafka.producer({ lingerMs: LINGER_MS });
  const receipt = {
    onAcked: () => {
      counts.acked++;
    },
    onFailed: () => undefined,
  };
  let timer: Timer | undefined;
  const send = (): void => {
    timer = clock.setTimeout(send, 1000 / RECORDS_PER_SECOND);
    producer.send(TOPIC, { key: `key-${counts.sent % 100}`, value: `value-${counts.sent++}` }, receipt);
  };
  send();
  for (let hour = 0; hour < hours; hour++) await clock.advance(HOUR_MS);
  timer?.cancel();
  await clock.run(producer.close());
  await clock.advance(DRAIN_MS);
  await clock.run(Promise.all(members.map(({ consumer }) => consumer.drain(DRAIN_MS))));
  await clock.run(Promise.all([kafka, ...members.map((one) => one.kafka)].map((one) => one.close())));
  const committed = Array.from(
    { length: MEMBERS },
    (_, partition) => box.committed(GROUP, TOPIC, partition)?.offset ?? 0,
  );
  const day = {
    ...counts,
    committed: committed.reduce((sum, offset) => sum + offset, 0),
    requests: box.requestCount,
  };
  await box.close();
  return day;
}

function member(
  kafka: Kafka,
  counts: { handed: number; rebalances: number },
): { readonly kafka: Kafka; readonly consumer: GroupConsumer } {
  const consumer = new GroupConsumer(
    kafka.cluster,
    { groupId: GROUP, topics: [TOPIC] },
    {
      onClaim: (claim) =>
        claim.start({
          onRecord: (_, sequence) => {
            counts.handed++;
            claim.settle(sequence);
          },
          onPressure: () => undefined,
          onEnd: () => undefined,
          onError: (error) => {
            throw error;
          },
          onRevoking: () => undefined,
          onLost: () => undefined,
        }),
      onRebalance: () => {
        counts.rebalances++;
      },
      onFailed: (error) => {
        throw error;
      },
    },
  );
  consumer.start();
  return { kafka, consumer };
}
