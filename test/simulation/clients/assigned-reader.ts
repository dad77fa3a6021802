// A process that reads the partitions of one topic without a group.
import type { Kafka } from '../../../src/core/client.ts';
import { delay } from '../../../src/core/clock.ts';
import { openPartitions } from '../../../src/core/consumer/open-partitions.ts';
import type { OpenPartitions } from '../../../src/core/consumer/open-partitions.ts';
import type { PartitionReader } from '../../../src/core/consumer/partition-reader.ts';
import type { OfClaim } from '../history/event.ts';
import { SimulatedProcess } from '../../../src/testing/simulation/simulated-process.ts';
import { memoryBound } from './memory-bound.ts';
import type { ReaderPlan } from './scenario.ts';
import { chance, isRecreated, Work } from './work.ts';
import type { World } from './world.ts';

const TRY_AGAIN_MS = 500;
/** A reader that went back for ever would never come to the end. */
const MAX_SEEKS = 4;

export class AssignedReader {
  readonly name: string;
  readonly process: SimulatedProcess;
  readonly topic: string;
  isOver = false;
  private readonly world: World;
  private readonly plan: ReaderPlan;
  private readonly kafka: Kafka;
  private opened: OpenPartitions | undefined;
  private readonly beginsAnew: () => void;
  private seeks = 0;

  /** `beginsAnew` is called when its topic is another one under the same name, and it has stopped. */
  constructor(world: World, name: string, plan: ReaderPlan, beginsAnew: () => void) {
    this.world = world;
    this.beginsAnew = beginsAnew;
    this.name = name;
    this.plan = plan;
    this.topic = world.inputs[plan.topic % world.inputs.length]!;
    this.process = new SimulatedProcess(world.clock, world.transport);
    this.kafka = world.kafka(name, this.process);
    world.recorder.add({ kind: 'started', process: name });
    void this.open();
  }

  sample(): void {
    if (this.isOver || this.opened === undefined) return;
    const { budget } = this.opened.fetcher as unknown as { budget: Parameters<typeof memoryBound>[0] };
    const boundBytes = memoryBound(budget, this.world.unpackedBytes(this.plan.credit));
    this.world.recorder.add({ kind: 'memory', process: this.name, usedBytes: budget.usedBytes, boundBytes });
  }

  /** It has handed over everything up to the ends of its partitions. */
  isDone(endOf: (topic: string, partition: number) => number): boolean {
    return (
      this.isOver ||
      (this.opened?.readers.every(({ position, partition }) => position >= endOf(this.topic, partition)) ??
        false)
    );
  }

  async close(): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    this.opened?.close();
    await this.kafka.close();
  }

  crash(silently: boolean): void {
    this.isOver = true;
    this.world.recorder.add({ kind: 'crashed', process: this.name });
    this.process.die(silently);
  }

  private async open(): Promise<void> {
    const { plan, kafka, topic } = this;
    for (;;) {
      try {
        this.opened = await openPartitions(kafka.cluster, {
          topic,
          from: 'earliest',
          isolationLevel: plan.isolation,
          outOfRange: 'earliest',
          credit: plan.credit,
        });
        break;
      } catch {
        // What finds positions gives up in time; the reader of this program does not.
        if (this.isOver) return;
        await delay(this.process.clock, TRY_AGAIN_MS);
      }
    }
    for (const reader of this.opened.readers) this.read(reader);
  }

  private read(reader: PartitionReader): void {
    const { world, plan, name, process } = this;
    const { recorder } = world;
    const { topic, partition, startOffset: start, claimEpoch: epoch } = reader;
    const of: OfClaim = { process: name, group: '', topic, partition, epoch };
    const { isolation, credit } = plan;
    recorder.add({ kind: 'assigned', ...of, generation: -1, start, isolation, credit });
    const random = world.random(`work of ${name} on ${topic}-${partition}`);
    const work = new Work(of, reader, { ...plan, holdsEvery: 0 }, { clock: process.clock, random, recorder });
    reader.start({
      onRecord: (record, sequence) => {
        work.take(record, sequence);
        if (chance(random, plan.seeksEvery)) process.clock.setTimeout(() => this.seek(reader, of, random), 1);
      },
      onPressure: () => undefined,
      onEnd: () => undefined,
      onError: (error) => {
        if (!isRecreated(error))
          recorder.add({ kind: 'wrong', what: `${name} stopped reading: ${error.message}` });
        else if (!this.isOver) void this.close().then(this.beginsAnew);
      },
    });
  }

  private seek(reader: PartitionReader, of: OfClaim, random: () => number): void {
    if (this.isOver || this.seeks++ >= MAX_SEEKS) return;
    const offset = Math.floor(random() * reader.position);
    this.world.recorder.add({ kind: 'sought', ...of, offset });
    reader.seek(offset);
  }
}
