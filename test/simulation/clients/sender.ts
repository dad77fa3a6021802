// A process that sends records by itself.
import type { Random } from '../../../src/core/clock.ts';
import { delay } from '../../../src/core/clock.ts';
import type { Kafka } from '../../../src/core/client.ts';
import type { Producer } from '../../../src/core/producer/producer.ts';
import { SimulatedProcess } from '../../../src/testing/simulation/simulated-process.ts';
import type { ProducerPlan } from './scenario.ts';
import { sendRecorded } from './sending.ts';
import type { World } from './world.ts';

const CLOSE_MS = 150_000;
const LOOK_MS = 1000;
/** Sent when all is well again: nothing that went wrong before may be in their way. */
const LAST_SENDS = 3;

export class Sender {
  readonly name: string;
  readonly process: SimulatedProcess;
  isOver = false;
  /** Every send has its result and the client is closed; never when it crashed. */
  readonly ended: Promise<void>;
  private readonly world: World;
  private readonly plan: ProducerPlan;
  private readonly kafka: Kafka;
  private readonly producer: Producer;
  private sent = 0;

  constructor(world: World, name: string, plan: ProducerPlan) {
    this.world = world;
    this.name = name;
    this.plan = plan;
    this.process = new SimulatedProcess(world.clock, world.transport);
    // A connection is given up when nothing comes for as long as a request of the client may take; where a producer waits less, it may use up its time on
    // one that is dead.
    this.kafka = world.kafka(name, this.process, plan.requestTimeoutMs);
    const { lingerMs, batchBytes, maxInFlight, deliveryTimeoutMs, requestTimeoutMs, compression } = plan;
    this.producer = this.kafka.producer({
      lingerMs,
      batchBytes,
      maxInFlight,
      deliveryTimeoutMs,
      requestTimeoutMs,
      compression,
      metadataTimeoutMs: 60_000,
    });
    world.recorder.add({ kind: 'started', process: name });
    this.ended = this.run();
  }

  /** What is left to send for whoever takes its place. */
  get rest(): ProducerPlan {
    return { ...this.plan, records: Math.max(0, this.plan.records - this.sent) };
  }

  crash(silently: boolean): void {
    this.isOver = true;
    this.world.recorder.add({ kind: 'crashed', process: this.name });
    this.process.die(silently);
  }

  private async run(): Promise<void> {
    const { plan, world, name, producer } = this;
    const { clock } = this.process;
    const random = world.random(`sends of ${name}`);
    while (this.sent < plan.records) {
      await delay(clock, random() * 2 * plan.pauseMs);
      for (let at = 0; at < plan.burst && this.sent < plan.records; at++) this.send(random);
    }
    while (world.clock.now() < world.wellFromMs) await delay(clock, LOOK_MS);
    for (let at = 0; at < LAST_SENDS; at++) this.send(random);
    await producer.close({ timeoutMs: CLOSE_MS });
    await this.kafka.close();
    this.isOver = true;
    if (this.process.pendingTimers > 0)
      world.recorder.add({
        kind: 'wrong',
        what: `${name} is closed and has ${this.process.pendingTimers} timers`,
      });
  }

  private send(random: Random): void {
    const { plan, world, name } = this;
    const topic = world.inputs[Math.floor(random() * world.inputs.length)]!;
    const key = plan.keys === 0 ? null : `key-${Math.floor(random() * plan.keys)}`;
    const valueBytes = Math.floor(random() * plan.valueBytes);
    const send = `${name}-${this.sent++}`;
    sendRecorded(this.producer, world.recorder, { process: name, send, topic, key, valueBytes });
  }
}
