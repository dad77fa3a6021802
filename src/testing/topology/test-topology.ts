import { UsageError } from '../../errors.ts';
import type { Topology } from '../../topology/types.ts';
import { createBroker } from '../broker/create-broker.ts';
import type { TopicOptions } from '../broker/options.ts';
import { seededRandom } from '../simulation/seeded-random.ts';
import { VirtualClock } from '../simulation/virtual-clock.ts';
import { replaceTimers } from './global-timers.ts';
import { TopologyPlan } from './plan.ts';
import { TopologyHarness } from './topology-harness.ts';
import type { TestTopic, TestTopics, TestTopology, TestTopologyOptions } from './types.ts';

/**
 * Runs the very topology that is shipped, without a broker process and without waiting: client and cluster are in this process, joined in memory, on
 * a virtual clock and a seed, so that a run is the same every time. Resolves when all members have joined their groups; rejects with what the
 * topology fails with until then. Close it at the end of the test, or declare it `await using`.
 *
 * Virtual are: every timer and timestamp of this library (commits, heartbeats, sessions, retries, `batch`, long polls) and, with
 * `timers: 'virtual'`, `setTimeout`, `setInterval` and `Date` of the process, and so RxJS's. Promises are the real ones: all that follow from one
 * event have run before time moves on. A call of the code under test that does something real (a socket, a file, a real timer) holds
 * virtual time until it comes back, for up to `callTimeoutMs` of real time. Nothing bounds a loop that never returns.
 *
 * @throws UsageError for options that make no sense, and where fake timers are installed
 * @example
 * ```ts
 * const t = await testTopology(pricing, {
 *   topics: { orders: { partitions: 3, key: text(), value: json(Order) }, priced: { value: json(Priced) } },
 * });
 * await t.pipe('orders', { key: 'a', value: { id: 'a', total: 5 } });
 * expect((await t.read('priced')).map((r) => r.value)).toEqual([{ id: 'a', price: 42 }]);
 * await t.idle();
 * expect(t.committed('orders')).toEqual({ 2: 1 });
 * await t.close();
 * ```
 */
export async function testTopology<const M extends TestTopics = TestTopics>(
  topology: Topology,
  options: TestTopologyOptions<M> = {},
): Promise<TestTopology<M>> {
  refuseFakeTimers();
  const { partitions = 1, members = 1, seed = 1, latencyMs = 0, brokers = 1 } = options;
  if (!Number.isInteger(members) || members < 0)
    throw new UsageError(
      `testTopology: 'members' is a whole number from 0, not ${String(members)}`,
      'members',
    );
  const plan = new TopologyPlan(topology);
  const clock =
    options.clock ?? new VirtualClock(options.startMs === undefined ? {} : { wallStartMs: options.startMs });
  const random = (name: string): (() => number) => seededRandom(`${seed} ${name}`);
  const restoreTimers = options.timers === 'virtual' ? replaceTimers(clock) : (): void => undefined;
  try {
    const topics = topicsOf(plan, options.topics ?? {}, partitions);
    const box = await createBroker({
      listen: 'memory',
      clock,
      random: random('cluster'),
      latencyMs,
      brokers,
      topics,
      autoCreateTopics: false,
    });
    const harness = new TopologyHarness({ topology, plan, clock, box, random, options, restoreTimers });
    await harness.begin(members);
    return harness as unknown as TestTopology<M>;
  } catch (error) {
    restoreTimers();
    throw error;
  }
}

/** A test's event times have nothing to do with the virtual time of day, which Kafka would hold against those more than an hour ahead. */
const ANY_TIME = { 'message.timestamp.after.max.ms': '9223372036854775807' };

function topicsOf(
  plan: TopologyPlan,
  given: TestTopics,
  partitions: number,
): { readonly [name: string]: TopicOptions } {
  const topics: { [name: string]: TopicOptions } = {};
  for (const name of plan.topics) topics[name] = { partitions, configs: ANY_TIME };
  for (const [name, topic] of Object.entries(given)) {
    const { configs, ...more }: TestTopic = typeof topic === 'number' ? { partitions: topic } : topic;
    topics[name] = { partitions: more.partitions ?? partitions, configs: { ...ANY_TIME, ...configs } };
  }
  return topics;
}

/** Under fake timers the event loop of this process stands still, and with it everything here. */
function refuseFakeTimers(): void {
  const { setImmediate: defer } = globalThis as unknown as { setImmediate: object };
  if (!('clock' in defer) && !('_isMockFunction' in defer)) return;
  throw new UsageError(
    "testTopology: fake timers have replaced setImmediate, so that nothing would ever run. Use timers: 'virtual' instead of them, or leave setImmediate to Node (jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] }))",
    'timers',
  );
}
