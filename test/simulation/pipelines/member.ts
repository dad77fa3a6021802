// One member of the simulated groups: a process with a client and a running topology.
import type { Clock } from '../../../src/core/clock.ts';
import { delay } from '../../../src/core/clock.ts';
import { Kafka } from '../../../src/core/client.ts';
import type { ConsumerRecord } from '../../../src/core/records/types.ts';
import type { Claim } from '../../../src/flow/claim.ts';
import type { Claims } from '../../../src/flow/claims.ts';
import type { Flow } from '../../../src/flow/flow.ts';
import type { Op } from '../../../src/flow/op.ts';
import { skip } from '../../../src/flow/policy.ts';
import { eachClaim, merge, settle, tap } from '../../../src/operators/index.ts';
import type { Deserializer } from '../../../src/serdes/serde.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { topology } from '../../../src/topology/topology.ts';
import type { Running } from '../../../src/topology/types.ts';
import { isExpected } from './expected-failures.ts';
import { countsForever, LETTERS, Pipeline } from './pipeline.ts';
import type { Item, Surroundings } from './pipeline.ts';
import type { Recorder } from './recorder.ts';
import type { Scenario } from './scenario.ts';
import { SimulatedProcess } from '../../../src/testing/simulation/simulated-process.ts';
import { sourceName, watch } from './watch.ts';
import type { Handed } from './watch.ts';

/** What all members of one run share. */
export interface World {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly clock: Clock;
  readonly box: BrokerBox;
  readonly recorder: Recorder;
  readonly failures: Map<string, number>;
  /** Nothing is broken any more. */
  isMended: boolean;
}

const LONG_DRAIN_MS = 20_000;
const PAUSE_MS = 300;
export const POISON = 'poison';

/** The groups, each with its topic. */
export function inputsOf({
  merges,
}: Scenario): readonly { readonly group: string; readonly topic: string }[] {
  const first = { group: 'one', topic: 'in-1' };
  return merges ? [first, { group: 'two', topic: 'in-2' }] : [first];
}

/** Options of every client: short, so that much happens in a minute. */
export function clientOf(world: World, name: string, process: SimulatedProcess): Kafka {
  return new Kafka(
    {
      brokers: world.box.bootstrap,
      clientId: name,
      requestTimeout: 4000,
      connectionTimeout: 2000,
    },
    { clock: process.clock, random: seededRandom(`${world.seed} ${name}`), transport: process.transport },
  );
}

export class Member {
  readonly name: string;
  readonly process: SimulatedProcess;
  /** It was told to end, or has ended by itself. */
  isEnding = false;
  isOver = false;
  private readonly world: World;
  private readonly kafka: Kafka;
  private readonly running: Running;
  /** Its topology is over and its client closed. */
  readonly ended: Promise<void>;

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
    this.process = new SimulatedProcess(world.clock, world.box.transport);
    this.kafka = clientOf(world, name, this.process);
    this.running = this.start();
    this.ended = this.end();
  }

  leave(): void {
    this.isEnding = true;
    void this.running.drain().catch(() => undefined);
  }

  abort(): void {
    this.isEnding = true;
    void this.running.abort(new Error('as the scenario says')).catch(() => undefined);
  }

  crash(silently: boolean): void {
    this.isEnding = true;
    this.isOver = true;
    this.world.recorder.add({ kind: 'crashed', member: this.name });
    this.process.die(silently);
  }

  private async end(): Promise<void> {
    const { recorder } = this.world;
    const member = this.name;
    try {
      const { unsettled } = await this.running.done;
      recorder.add({ kind: 'ran', member, unsettled });
    } catch (error) {
      recorder.add({ kind: 'ran', member, unsettled: 0, error: this.explain(error) });
    }
    this.isEnding = true;
    await this.kafka.close();
    this.isOver = true;
  }

  /** Undefined for a failure that was to be expected. */
  private explain(error: unknown): string | undefined {
    const { scenario, isMended } = this.world;
    if (isExpected(error, { scenario, isMended, isEnding: this.isEnding })) return undefined;
    const { stack } = error as Error;
    return stack ?? String(error);
  }

  private start(): Running {
    const { scenario, recorder, seed, failures } = this.world;
    const { name, process } = this;
    // Otherwise the last records of a window never make it.
    const waits = countsForever([...(scenario.lane ?? []), ...scenario.stages]);
    const drainTimeoutMs = waits ? LONG_DRAIN_MS : scenario.drainTimeoutMs;
    const random = seededRandom(`${seed} stages of ${name}`);
    const simulated = topology('simulated', (cluster) => {
      const around: Surroundings = { recorder, clock: process.clock, random, failures, ...cluster };
      const pipeline = new Pipeline(around);
      const sources = inputsOf(scenario).map(({ group, topic }) => {
        const claims = cluster.fromGroup({
          groupId: group,
          topics: [topic],
          value: this.decoder(random),
          onDecodeError: scenario.buriesPoison ? cluster.deadLetter(LETTERS) : skip,
          credit: {
            records: scenario.creditRecords,
            span: scenario.span,
            ...(scenario.creditBytes === undefined ? {} : { bytes: scenario.creditBytes }),
          },
          sessionTimeoutMs: scenario.sessionTimeoutMs,
          heartbeatIntervalMs: 1500,
          rebalanceTimeoutMs: drainTimeoutMs + 10_000,
          drainTimeoutMs,
          commitIntervalMs: scenario.commitIntervalMs,
          commitEveryRecords: scenario.commitEveryRecords,
        });
        return this.enter(group, claims, pipeline);
      });
      const entered: Flow<Item> = sources.length === 1 ? sources[0]! : merge<Item[]>(...sources);
      const all = entered.pipe(pipeline.through('', scenario.stages), pipeline.leave());
      return scenario.settles ? all.pipe(settle()) : all;
    });
    return simulated.start(this.kafka, {
      producer: { requestTimeoutMs: 4000, deliveryTimeoutMs: scenario.deliveryTimeoutMs },
    });
  }

  private enter(
    group: string,
    claims: Claims<ConsumerRecord<unknown, unknown>>,
    pipeline: Pipeline,
  ): Flow<Item> {
    const { scenario, recorder } = this.world;
    const { name: member } = this;
    claims.rebalances.subscribe(({ kind, topic, partition, claimEpoch: epoch }) => {
      const claim = { member, source: sourceName(group, topic, partition), epoch };
      recorder.add(kind === 'claimed' ? { kind, ...claim } : { kind: 'ended', how: kind, ...claim });
    });
    const { lane } = scenario;
    if (lane === undefined) return claims.pipe(watch(recorder, member, group), pipeline.enter());
    return claims.pipe(
      eachClaim((claim) => {
        const { topic, partition, claimEpoch: epoch, startOffset: start } = claim;
        recorder.add({ kind: 'begun', member, source: sourceName(group, topic, partition), epoch, start });
        return claim.pipe(
          watch(recorder, member, group),
          this.pausing(claim),
          pipeline.enter(),
          pipeline.through('lane ', lane),
        );
      }),
    );
  }

  /** Pauses the claim now and then; nothing may come through meanwhile. */
  private pausing(claim: Claim<unknown>): Op<Handed, Handed> {
    const { scenario, recorder } = this.world;
    const { pausesEvery } = scenario;
    if (pausesEvery === undefined) return (flow) => flow;
    let handed = 0;
    let paused = false;
    return tap(({ place }) => {
      if (paused) recorder.add({ kind: 'wrong', what: `${place} comes while its claim is paused` });
      if (++handed % pausesEvery !== 0) return;
      paused = true;
      claim.pause();
      this.process.clock.setTimeout(() => {
        paused = false;
        claim.resume();
      }, PAUSE_MS);
    });
  }

  private decoder(random: () => number): Deserializer<string> {
    const deserialize = (data: Buffer): string => {
      const value = data.toString();
      if (value.startsWith(POISON)) throw new Error('poison');
      return value;
    };
    if (!this.world.scenario.decodesLater) return { deserialize };
    const { clock } = this.process;
    return {
      deserialize,
      prepare: () => (random() < 0.5 ? undefined : delay(clock, Math.floor(random() * 20))),
    };
  }
}
