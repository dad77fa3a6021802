// A process with one member of the group.
import type { Kafka } from '../../../src/core/client.ts';
import type { ByteBudget } from '../../../src/core/consumer/byte-budget.ts';
import type { GroupClaim } from '../../../src/core/group/claim.ts';
import { GroupConsumer } from '../../../src/core/group/group-consumer.ts';
import type { RebalanceEvent } from '../../../src/core/group/listener.ts';
import type { Producer } from '../../../src/core/producer/producer.ts';
import type { FetchedRecord } from '../../../src/core/records/fetched-record.ts';
import type { OfClaim } from '../history/event.ts';
import { SimulatedProcess } from '../../../src/testing/simulation/simulated-process.ts';
import { protocolOf } from './group-protocol.ts';
import { divisionOf } from './group-division.ts';
import { memoryBound } from './memory-bound.ts';
import type { MemberPlan } from './scenario.ts';
import { sendRecorded } from './sending.ts';
import { chance, isRecreated, REWIND_MS, Work } from './work.ts';
import { GROUP, OUTPUT } from './world.ts';
import type { World } from './world.ts';

const REBALANCE_SLACK_MS = 10_000;

export class GroupMember {
  readonly name: string;
  readonly process: SimulatedProcess;
  /** It was told to end, or has ended by itself. */
  isEnding = false;
  isOver = false;
  private readonly world: World;
  private readonly plan: MemberPlan;
  private readonly kafka: Kafka;
  private readonly producer: Producer;
  private readonly consumer: GroupConsumer;
  private readonly works = new Map<string, Work>();
  private copies = 0;

  constructor(world: World, name: string, plan: MemberPlan) {
    this.world = world;
    this.name = name;
    this.plan = plan;
    this.process = new SimulatedProcess(world.clock, world.transport);
    this.kafka = world.kafka(name, this.process);
    this.producer = this.kafka.producer({
      requestTimeoutMs: 3000,
      deliveryTimeoutMs: 20_000,
      metadataTimeoutMs: 60_000,
    });
    world.recorder.add({ kind: 'started', process: name });
    const {
      isolation,
      credit,
      budgetBytes,
      sessionTimeoutMs,
      drainTimeoutMs,
      commitIntervalMs,
      commitEveryRecords,
    } = plan;
    const groupProtocol = protocolOf(world.scenario.group, name);
    this.consumer = new GroupConsumer(
      this.kafka.cluster,
      {
        groupId: GROUP,
        topics: world.inputs,
        isolationLevel: isolation,
        credit,
        budgetBytes,
        groupProtocol,
        ...(groupProtocol === 'classic'
          ? {
              sessionTimeoutMs,
              heartbeatIntervalMs: 1500,
              ...divisionOf(world.random('division of the group'), name),
            }
          : {}),
        drainTimeoutMs,
        rebalanceTimeoutMs: drainTimeoutMs + REBALANCE_SLACK_MS,
        commitIntervalMs,
        commitEveryRecords,
        outOfRange: 'earliest',
        metadataMaxAgeMs: 10_000,
      },
      {
        onClaim: (claim) => this.open(claim),
        onRebalance: (event) => this.rebalanced(event),
        onFailed: (error) => {
          world.recorder.add({ kind: 'wrong', what: `${name} failed: ${error.stack ?? error.message}` });
          void this.end();
        },
      },
    );
    this.consumer.start();
  }

  /** Looks at what it holds in memory. */
  sample(): void {
    if (this.isEnding) return;
    const { budget } = (this.consumer as unknown as { fetcher: { budget: ByteBudget } }).fetcher;
    this.world.recorder.add({
      kind: 'memory',
      process: this.name,
      usedBytes: budget.usedBytes,
      boundBytes: memoryBound(budget, this.world.unpackedBytes(this.plan.credit)),
    });
  }

  async leave(): Promise<void> {
    if (this.isEnding) return;
    this.isEnding = true;
    const { partitions, unsettled, committed } = await this.consumer.drain(this.plan.drainTimeoutMs);
    const points = partitions.map(({ topic, partition, commitPoint }) => ({ topic, partition, commitPoint }));
    this.world.recorder.add({
      kind: 'drained',
      process: this.name,
      group: GROUP,
      isCommitted: committed,
      unsettled,
      points,
    });
    await this.end();
  }

  async abort(): Promise<void> {
    if (this.isEnding) return;
    this.isEnding = true;
    await this.consumer.abort(new Error('as the scenario says'));
    await this.end();
  }

  crash(silently: boolean): void {
    this.isEnding = true;
    this.isOver = true;
    this.world.recorder.add({ kind: 'crashed', process: this.name });
    this.process.die(silently);
  }

  private async end(): Promise<void> {
    this.isEnding = true;
    await this.producer.close({ timeoutMs: 60_000 });
    await this.kafka.close();
    this.isOver = true;
  }

  private open(claim: GroupClaim): void {
    const { topic, partition, claimEpoch: epoch, startOffset: start } = claim;
    const { world, plan, name, process } = this;
    const { recorder } = world;
    const of: OfClaim = { process: name, group: GROUP, topic, partition, epoch };
    const { isolation, credit } = plan;
    const generation = world.terms.begin(name, `${topic}-${partition}`, this.consumer.generation);
    recorder.add({ kind: 'assigned', ...of, generation, start, isolation, credit });
    const random = world.random(`work of ${name} on ${topic}-${partition} ${epoch}`);
    const work = new Work(of, claim, plan, { clock: process.clock, random, recorder });
    this.works.set(`${topic}-${partition}`, work);
    claim.start({
      onRecord: (record, sequence) => {
        const copies = chance(random, plan.copiesEvery);
        work.take(record, sequence, copies ? (settle) => this.copy(claim, of, record, settle) : undefined);
        if (chance(random, plan.rewindsEvery)) process.clock.setTimeout(() => claim.rewind(REWIND_MS), 1);
      },
      onPressure: () => undefined,
      onEnd: () => undefined,
      onError: (error) => {
        // As a topology does: it ends with the error, and somebody starts it again.
        if (isRecreated(error)) void this.abort();
        else recorder.add({ kind: 'wrong', what: `${name} stopped reading: ${error.message}` });
      },
      onRevoking: () => recorder.add({ kind: 'revoking', ...of }),
      onLost: () => {
        work.isOver = true;
        recorder.add({ kind: 'lost', ...of });
      },
    });
  }

  private rebalanced({ kind, topic, partition }: RebalanceEvent): void {
    const work = this.works.get(`${topic}-${partition}`);
    if (kind !== 'claimed') this.world.terms.end(this.name, `${topic}-${partition}`);
    if (kind !== 'released' || work === undefined) return;
    work.isOver = true;
    this.world.recorder.add({ kind: 'revoked', ...work.of });
  }

  private copy(claim: GroupClaim, from: OfClaim, record: FetchedRecord, settle: () => void): void {
    const attempt = (): void => {
      if (claim.dead || this.isOver) return;
      const send = `${this.name}-copy-${this.copies++}`;
      sendRecorded(this.producer, this.world.recorder, {
        process: this.name,
        send,
        topic: OUTPUT,
        key: `${record.topic}-${record.partition}`,
        valueBytes: 0,
        from,
        isDead: () => claim.dead,
        onDone: (how) => {
          if (how === 'ok') settle();
          else if (how === 'failed') this.process.clock.setTimeout(attempt, 100);
        },
      });
    };
    try {
      attempt();
    } catch (error) {
      // Its producer is closed when the member has ended.
      if (!this.isEnding) throw error;
    }
  }
}
