// What is done with a record that was handed over: it takes a while, may be held meanwhile, may make another record.
import type { Clock, Random } from '../../../src/core/clock.ts';
import { BrokerError } from '../../../src/errors.ts';
import type { FetchedRecord } from '../../../src/core/records/fetched-record.ts';
import type { OfClaim } from '../history/event.ts';
import type { Recorder } from '../history/recorder.ts';
import type { MemberPlan } from './scenario.ts';
import { sendOf } from './world.ts';

/** A claim, or a reader without a group, as work sees it. */
export interface Worked {
  settle(sequence: number): void;
  hold(sequence: number): void;
  pause(): void;
  resume(): void;
}

export interface WorkPlan {
  readonly workMs: number;
  readonly holdsEvery: number;
  readonly pausesEvery: number;
}

const PAUSE_MS = 300;
/** How long a claim that was rewound waits. */
export const REWIND_MS = 200;
/** Latencies one way until a copy is acknowledged, waiting for its turn included. */
const COPY_TRIPS = 4;
/** A credit of bytes in which there is room for one of the larger records. */
const ONE_RECORD_BYTES = 2000;

/** The topic is another one under the same name: there is no going on. */
export function isRecreated(error: Error): boolean {
  return error instanceof BrokerError && error.errorName === 'INCONSISTENT_TOPIC_ID';
}

/** True once in `every` on average; never for 0. */
export function chance(random: Random, every: number): boolean {
  return every > 0 && random() * every < 1;
}

/** How long one record takes at most on average, with as many under way as the credit lets. */
export function workMsPerRecord(plan: MemberPlan, maxLatencyMs: number): number {
  const { credit, workMs, copiesEvery, pausesEvery, rewindsEvery } = plan;
  const copyMs = copiesEvery === 0 ? 0 : (COPY_TRIPS * maxLatencyMs) / copiesEvery;
  const underWay = credit.bytes <= ONE_RECORD_BYTES ? 1 : Math.min(credit.records, credit.span);
  const stops =
    (pausesEvery === 0 ? 0 : PAUSE_MS / pausesEvery) + (rewindsEvery === 0 ? 0 : REWIND_MS / rewindsEvery);
  return (workMs / 2 + copyMs) / underWay + stops;
}

/** Works off one claim and records what happens to it. */
export class Work {
  readonly of: OfClaim;
  isOver = false;
  private readonly worked: Worked;
  private readonly plan: WorkPlan;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly recorder: Recorder;
  private isPaused = false;

  constructor(
    of: OfClaim,
    worked: Worked,
    plan: WorkPlan,
    around: { clock: Clock; random: Random; recorder: Recorder },
  ) {
    this.of = of;
    this.worked = worked;
    this.plan = plan;
    this.clock = around.clock;
    this.random = around.random;
    this.recorder = around.recorder;
  }

  /** `further` is what comes between the work and the settling; it calls its argument when it is done. */
  take(record: FetchedRecord, sequence: number, further?: (settle: () => void) => void): void {
    const { plan, random, recorder, of } = this;
    const { offset } = record;
    recorder.add({ kind: 'polled', ...of, offset, send: sendOf(record.value), bytes: record.bytes });
    if (!this.isPaused && chance(random, plan.pausesEvery)) this.pause();
    if (chance(random, plan.holdsEvery)) {
      recorder.add({ kind: 'held', ...of, offset });
      this.worked.hold(sequence);
    }
    const settle = (): void => {
      // Late ones too: a claim that is over must not mind them.
      recorder.add({ kind: 'settled', ...of, offset });
      this.worked.settle(sequence);
    };
    const end = (): void => {
      if (further === undefined) settle();
      else further(settle);
    };
    const waitMs = Math.floor(random() * (plan.workMs + 1));
    if (waitMs === 0) end();
    else this.clock.setTimeout(end, waitMs);
  }

  private pause(): void {
    const { recorder, of, worked } = this;
    this.isPaused = true;
    recorder.add({ kind: 'paused', ...of });
    worked.pause();
    this.clock.setTimeout(() => {
      this.isPaused = false;
      if (this.isOver) return;
      recorder.add({ kind: 'resumed', ...of });
      worked.resume();
    }, PAUSE_MS);
  }
}
