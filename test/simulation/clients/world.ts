// What all processes of one run share.
import type { Random } from '../../../src/core/clock.ts';
import { Kafka } from '../../../src/core/client.ts';
import type { Transport } from '../../../src/core/network/transport.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import type { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';
import type { CreditLimits } from '../history/event.ts';
import type { Recorder } from '../history/recorder.ts';
import type { SimulatedProcess } from '../../../src/testing/simulation/simulated-process.ts';
import { GroupTerms } from './group-terms.ts';
import { observeCluster } from './observe-cluster.ts';
import type { ClientScenario } from './scenario.ts';

export const GROUP = 'group';
/** Where members write what they make of records. */
export const OUTPUT = 'out';
const ID_END = '|';
/** Below an eighth of its bytes in use, what is left of a batch is copied off it. */
const SPARSE_PART = 8;

/** Starts the cluster, with what it kept when it stopped. */
export type StartBox = (restore?: Uint8Array) => Promise<BrokerBox>;

export class World {
  readonly scenario: ClientScenario;
  readonly seed: number;
  readonly clock: VirtualClock;
  /** Another one after each restart of the cluster. */
  box: BrokerBox;
  /** Reaches the cluster, also after it was restarted. */
  readonly transport: Transport = {
    connect: (address, events) => this.box.transport.connect(address, events),
  };
  readonly recorder: Recorder;
  /** Where the logs end, by place, as far as appends tell. */
  readonly logEnds = new Map<string, number>();
  /** What members of the group were given. */
  readonly terms = new GroupTerms();
  isRestarting = false;
  /** Errors of the box's own, of all boxes so far. */
  readonly internalErrors: unknown[] = [];
  /** From then on nothing is broken, and what was has had the time to find itself again. */
  wellFromMs = Infinity;
  /** Of a batch in a log, unpacked. */
  largestBatchBytes = 0;
  private readonly ends = new Set<() => void>();

  private readonly startBox: StartBox;

  constructor(
    scenario: ClientScenario,
    seed: number,
    clock: VirtualClock,
    boxes: { readonly first: BrokerBox; readonly start: StartBox },
    recorder: Recorder,
  ) {
    this.scenario = scenario;
    this.seed = seed;
    this.clock = clock;
    this.box = boxes.first;
    this.startBox = boxes.start;
    this.recorder = recorder;
  }

  /** The nodes there are now. */
  get nodeIds(): number[] {
    return this.box.bootstrap.map((address) => Number(/^broker-(\d+):/.exec(address)![1]));
  }

  /** `end` is called when the time is over, at the latest when everything is mended. */
  forAWhile(ms: number, end: () => void): void {
    this.ends.add(end);
    this.clock.setTimeout(() => {
      if (this.ends.delete(end)) end();
    }, ms);
  }

  /** Ends all that was for a while. */
  endAll(): void {
    for (const end of this.ends) end();
    this.ends.clear();
  }

  /**
   * The most bytes that one reader may have open of compressed batches: a batch is kept while an eighth of it is in flight, and one more is being read, while
   * the one before it is not given back yet.
   */
  unpackedBytes(credit: CreditLimits): number {
    if (this.scenario.producers.every(({ compression }) => compression === 'none')) return 0;
    return SPARSE_PART * credit.bytes + 2 * this.largestBatchBytes;
  }

  /** Runs what may take records away from logs, and tells which. */
  tellingLosses(act: () => void): void {
    const before = this.currentEnds();
    act();
    this.tellLosses(before);
  }

  /** All nodes stop at once, and start again with what they kept. */
  async restart(): Promise<void> {
    if (this.isRestarting) return;
    this.isRestarting = true;
    this.endAll();
    const before = this.currentEnds();
    const restore = this.box.snapshot();
    this.internalErrors.push(...this.box.internalErrors);
    await this.box.close();
    this.box = await this.startBox(restore);
    observeCluster(this);
    this.tellLosses(before);
    this.isRestarting = false;
  }

  private tellLosses(before: readonly { readonly to: number }[]): void {
    for (const [index, { topic, partition, to }] of this.currentEnds().entries())
      if (to < (before[index]?.to ?? 0)) this.recorder.add({ kind: 'truncated', topic, partition, to });
  }

  private currentEnds(): { readonly topic: string; readonly partition: number; readonly to: number }[] {
    return [...this.inputs, OUTPUT].flatMap((topic) =>
      Array.from({ length: this.partitionsOf(topic) }, (_, partition) => ({
        topic,
        partition,
        to: this.box.partition(topic, partition).logEndOffset,
      })),
    );
  }

  get inputs(): string[] {
    return this.scenario.topics.map((_, at) => `in-${at}`);
  }

  /** A sequence of its own for each part of a run, so that leaving a part out changes little in the others. */
  random(name: string): Random {
    return seededRandom(`${this.seed} ${name}`);
  }

  kafka(name: string, process: SimulatedProcess, requestTimeoutMs = 4000): Kafka {
    return new Kafka(
      {
        brokers: this.box.bootstrap,
        clientId: name,
        requestTimeout: requestTimeoutMs,
        connectionTimeout: 2000,
      },
      { clock: process.clock, random: this.random(`client ${name}`), transport: process.transport },
    );
  }

  partitionsOf(topic: string): number {
    for (let count = 0; ; count++) {
      try {
        this.box.partition(topic, count);
      } catch {
        return count;
      }
    }
  }
}

/** A record's value: its name, and bytes to make it larger. */
export function valueOf(send: string, bytes: number): string {
  return send + ID_END + 'x'.repeat(Math.max(0, bytes - send.length));
}

/** The name in a value. */
export function sendOf(value: Buffer | null): string {
  if (value === null) return 'null';
  const text = value.toString('latin1');
  const end = text.indexOf(ID_END);
  return end < 0 ? text : text.slice(0, end);
}
