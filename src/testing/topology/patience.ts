// Lets virtual time pass for a test, within bounds: a failure, a flood of records or a wait without end comes out as an error that says what it is.
import type { BrokerBox } from '../broker/broker-box.ts';
import type { ClusterEvent } from '../broker/cluster-event.ts';
import type { VirtualClock } from '../simulation/virtual-clock.ts';
import type { TopologyPlan } from './plan.ts';
import type { RunMember } from './run-member.ts';
import { TimeDriver } from './time-driver.ts';
import type { TestTopologyOptions } from './types.ts';
import { whatLeaked, whatWaits } from './waiting.ts';

/** Virtual time after which a wait is given up. */
export const LIMIT_MS = 600_000;
/** How often, in virtual ms, it is looked whether all is done when no commit says so. */
const LOOK_MS = 1_000;
const CALL_TIMEOUT_MS = 1_000;
/** By then the fetches of a new claim are with the broker, so that what is piped is handed over without time passing. */
const WARM_UP_MS = 10;
/** By then a dead letter is written; what is still in no stage then never will be settled. */
const LEAK_MS = 10_000;
const MAX_RECORDS = 500_000;
const MAX_LINES = 20;

export class Patience {
  /** With what runs of members have rejected, and no call of the test yet. */
  failures: unknown[] = [];
  private readonly plan: TopologyPlan;
  private readonly box: BrokerBox;
  private readonly members: readonly RunMember[];
  private readonly clock: VirtualClock;
  private readonly driver: TimeDriver;
  /** Records that the topology may write within one call: beyond, it feeds itself. */
  private readonly maxRecords: number;
  private readonly appended = new Map<string, number>();
  private appendedNow = 0;
  private committedAny = false;
  /** A call has rejected with what waits, leaks among it. */
  private toldLeaks = false;

  constructor(
    plan: TopologyPlan,
    box: BrokerBox,
    members: readonly RunMember[],
    clock: VirtualClock,
    { callTimeoutMs = CALL_TIMEOUT_MS, maxRecords = MAX_RECORDS }: TestTopologyOptions,
  ) {
    this.plan = plan;
    this.box = box;
    this.members = members;
    this.clock = clock;
    this.maxRecords = maxRecords;
    this.driver = new TimeDriver(
      clock,
      {
        calls: () => members.reduce((sum, member) => sum + member.calls(), 0),
        isBroken: () => this.failures.length > 0 || this.appendedNow > this.maxRecords,
      },
      callTimeoutMs,
    );
  }

  see(event: ClusterEvent): void {
    if (event.kind === 'commit') this.committedAny = true;
    if (event.kind !== 'append' || !this.members.some(({ name }) => name === event.clientId)) return;
    const count = event.lastOffset - event.baseOffset + 1;
    this.appendedNow += count;
    this.appended.set(event.topic, (this.appended.get(event.topic) ?? 0) + count);
  }

  /** A call of the test begins. */
  begin(): void {
    this.appendedNow = 0;
  }

  async advance(durationMs: number): Promise<void> {
    await this.driver.move(durationMs, () => false);
    this.throwIfBroken();
  }

  /** Lets run what is due now. */
  settle(): Promise<void> {
    return this.advance(0);
  }

  warmUp(): Promise<void> {
    return this.advance(WARM_UP_MS);
  }

  /** Resolves as the promise does; rejects when it takes too long. */
  async settled<T>(what: string, promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const mark = (): void => void (isSettled = true);
    promise.then(mark, mark);
    await this.reach(`${what} does not come to its end`, () => isSettled);
    return promise;
  }

  /** Lets time pass until the condition holds. */
  async reach(otherwise: string, condition: () => boolean, limitMs = LIMIT_MS): Promise<void> {
    const reached = await this.driver.move(limitMs, condition);
    this.throwIfBroken();
    if (!reached) throw this.notDone(otherwise, limitMs, whatWaits(this.plan, this.box, this.members));
  }

  /** Lets time pass until nothing waits but windows. */
  async idle(limitMs: number): Promise<void> {
    await this.settle();
    const until = this.clock.now() + limitMs;
    for (;;) {
      const waiting = whatWaits(this.plan, this.box, this.members);
      if (waiting.length === 0) return;
      const leftMs = until - this.clock.now();
      if (leftMs <= 0 || !this.members.some(({ isUp }) => isUp))
        throw this.notDone('is not idle', limitMs - Math.max(0, leftMs), waiting);
      this.committedAny = false;
      await this.driver.move(Math.min(leftMs, LOOK_MS), () => this.committedAny);
      this.throwIfBroken();
    }
  }

  /** Records that nobody will settle and that no call has told of. */
  async leaks(): Promise<readonly string[]> {
    if (this.toldLeaks || this.failures.length > 0 || whatLeaked(this.members).length === 0) return [];
    this.begin();
    await this.driver.move(LEAK_MS, () => whatLeaked(this.members).length === 0);
    return whatLeaked(this.members);
  }

  private throwIfBroken(): void {
    if (this.failures.length > 0) throw this.failures.splice(0)[0];
    if (this.appendedNow <= this.maxRecords) return;
    const topics = Array.from(this.appended, ([topic, count]) => `${topic}: ${count}`).join(', ');
    throw new Error(
      `topology '${this.plan.name}' has written more than ${this.maxRecords} records within one call (option 'maxRecords'): does it read what it writes? Records by topic: ${topics}`,
    );
  }

  private notDone(what: string, afterMs: number, waiting: readonly string[]): Error {
    this.toldLeaks = true;
    const shown = waiting.slice(0, MAX_LINES).map((line) => `\n  ${line}`);
    if (waiting.length > MAX_LINES) shown.push(`\n  and ${waiting.length - MAX_LINES} more`);
    const lines = waiting.length === 0 ? '' : `; what waits:${shown.join('')}`;
    return new Error(`topology '${this.plan.name}' ${what} after ${afterMs} ms of virtual time${lines}`);
  }
}
