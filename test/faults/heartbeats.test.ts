// A coordinator that holds a JoinGroup for long: the member that waits for it keeps its session.
import { afterAll, describe, expect, it } from '@jest/globals';
import { tap } from '../../src/operators/index.ts';
import { Kafka, topology, type Rebalance } from '../../src/index.ts';
import { fault } from '../../src/testing/broker/faults/fault.ts';
import { Simulation } from '../core/group/harness.ts';
import { brokers, short, testKafka, uniqueName } from '../helpers/brokers.ts';
import { RawMember } from './support/raw-member.ts';
import { report } from './support/report.ts';
import { longestGap, spyTransport, type SeenRequest } from './support/wire-spy.ts';

const JOIN_GROUP = 11;
const HEARTBEAT = 12;
const SYNC_GROUP = 14;
const HEARTBEAT_MS = short ? 500 : 3_000;
const HOLD_MS = short ? 4_000 : 20_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a held JoinGroup', () => {
  const admin = testKafka();
  const [slowKafka, newKafka] = [testKafka(), testKafka()];
  afterAll(() => Promise.all([admin, slowKafka, newKafka].map((kafka) => kafka.close())));

  it(`does not hold up heartbeats while another member takes ${HOLD_MS} ms to join`, async () => {
    const [topic, groupId] = [uniqueName('held'), uniqueName('held')];
    await admin.admin().createTopics([{ name: topic, partitions: 3 }]);
    const seen: SeenRequest[] = [];
    const transport = spyTransport([JOIN_GROUP, HEARTBEAT, SYNC_GROUP], (request) => seen.push(request));
    const kafka = new Kafka({ brokers: brokers! }, { transport });
    const of = (apiKey: number): SeenRequest[] => seen.filter((request) => request.apiKey === apiKey);
    const rebalances: Rebalance[] = [];
    const running = topology('held', ({ fromGroup }) => {
      const claims = fromGroup({
        groupId,
        topics: [topic],
        heartbeatIntervalMs: HEARTBEAT_MS,
        sessionTimeoutMs: Math.max(6_000, 4 * HEARTBEAT_MS),
      });
      claims.rebalances.subscribe((event) => rebalances.push(event));
      return claims.pipe(tap(() => undefined));
    }).start(kafka);
    await running.ready;

    const slow = new RawMember(slowKafka, groupId, topic);
    await slow.join();
    const newcomer = new RawMember(newKafka, groupId, topic);
    const joins = of(JOIN_GROUP).length;
    const joining = newcomer.join();
    while (of(JOIN_GROUP).length === joins) await Promise.race([pause(20), running.done]);
    const syncs = of(SYNC_GROUP).length;
    await pause(HOLD_MS);
    expect(of(SYNC_GROUP).length).toBe(syncs);
    const rejoined = slow.join();
    await Promise.all([rejoined, joining]);
    while (of(SYNC_GROUP).length === syncs) await Promise.race([pause(20), running.done]);
    await pause(HEARTBEAT_MS * 1.5);

    const from = of(JOIN_GROUP).at(-1)!.at;
    const to = of(SYNC_GROUP).at(-1)!.at;
    const beats = of(HEARTBEAT);
    const whileHeld = beats.filter(({ at }) => at > from && at < to);
    const times = beats.map(({ at }) => at);
    const gap = longestGap(times, from, times.at(-1)!);
    report('held JoinGroup', { 'held ms': to - from, heartbeats: whileHeld.length, 'longest gap ms': gap });

    expect(to - from).toBeGreaterThanOrEqual(HOLD_MS);
    expect(gap).toBeLessThanOrEqual(1.5 * HEARTBEAT_MS);
    expect(new Set(whileHeld.map(({ generationId }) => generationId))).toEqual(
      new Set([slow.generationId - 1]),
    );
    expect(beats.at(-1)!.generationId).toBe(slow.generationId);
    expect(rebalances.map(({ kind }) => kind)).not.toContain('lost');
    expect(rebalances.at(-1)!.kind).toBe('claimed');
    await Promise.all([running.drain(), slow.leave(), newcomer.leave()]);
    await kafka.close();
    await admin.admin().deleteTopics([topic]);
    await admin.admin().deleteGroups([groupId]);
  });

  it('of 20 s leaves heartbeats at their 3 s, in simulated time', async () => {
    const sim = await Simulation.start({ orders: 3 });
    const first = sim.member().start();
    await sim.clock.runUntil(() => first.claims.length === 3);
    const clientId = first.kafka.cluster.clientId;
    const held = sim.box.fault({ match: { api: 'JoinGroup', clientId }, do: fault.delay(20_000) });
    const second = sim.member().start();
    await sim.clock.runUntil(() => held.hits === 1);
    const from = sim.clock.now();
    await sim.clock.runUntil(() => first.open.length + second.open.length === 3);
    const to = sim.clock.now();

    const beats = sim.box
      .requests('Heartbeat')
      .filter((request) => request.clientId === clientId)
      .map(({ atMs }) => atMs);
    expect(to - from).toBeGreaterThanOrEqual(20_000);
    expect(longestGap(beats, from, to)).toBeLessThanOrEqual(3_010);
    expect(first.events.join()).not.toContain('lost');
    await sim.clock.run(Promise.all([first.consumer.drain(1_000), second.consumer.drain(1_000)]));
    await sim.close();
  });
});
