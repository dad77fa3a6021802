// Moves virtual time, and holds it while code under test does something real.
import { systemClock } from '../../core/clock.ts';
import type { VirtualClock } from '../simulation/virtual-clock.ts';

/** Who is driven. */
export interface Driven {
  /** Calls of the code under test that have not come back. */
  calls(): number;
  /** Something went wrong that ends every move of time. */
  isBroken(): boolean;
}

/** A kind of resource that says nothing about code under test: our own loop over `setImmediate`. */
const OURS = 'Immediate';
/** So many turns of the event loop without anything real: a call may pause between two things that it does. */
const QUIET_TURNS = 3;

/**
 * A call that only awaits promises comes back within its moment of virtual time. One that awaits a socket, a file or a timer needs the event loop:
 * virtual time waits for it, as long as Node says that something real is under way, and each call at most once.
 */
export class TimeDriver {
  private readonly clock: VirtualClock;
  private readonly driven: Driven;
  private readonly callTimeoutMs: number;
  private readonly usual = new UsualResources();
  /** Calls that virtual time does not wait for (any longer). */
  private given = 0;

  constructor(clock: VirtualClock, driven: Driven, callTimeoutMs: number) {
    this.clock = clock;
    this.driven = driven;
    this.callTimeoutMs = callTimeoutMs;
  }

  /** Resolves true as soon as `stop` holds, false when it does not within `durationMs` of virtual time. */
  async move(durationMs: number, stop: () => boolean): Promise<boolean> {
    const { clock, driven } = this;
    const until = clock.now() + durationMs;
    if (!this.hasNewCalls()) this.usual.look();
    for (;;) {
      await clock.advanceUnless(
        Math.max(0, until - clock.now()),
        () => stop() || driven.isBroken() || this.hasNewCalls(),
      );
      if (driven.isBroken()) return stop();
      if (stop()) return true;
      if (!this.hasNewCalls()) return false;
      await this.awaitCalls(stop);
    }
  }

  private hasNewCalls(): boolean {
    const calls = this.driven.calls();
    if (calls < this.given) this.given = calls;
    return calls > this.given;
  }

  private async awaitCalls(stop: () => boolean): Promise<void> {
    const { clock, driven } = this;
    // What is due at this very moment may be what the call waits for.
    await clock.advanceUnless(0, () => stop() || driven.isBroken());
    const deadline = systemClock.now() + this.callTimeoutMs;
    let quietTurns = 0;
    while (
      this.hasNewCalls() &&
      !stop() &&
      !driven.isBroken() &&
      quietTurns < QUIET_TURNS &&
      systemClock.now() < deadline
    ) {
      quietTurns = this.usual.isExceeded() ? 0 : quietTurns + 1;
      await new Promise<void>((resolve) => systemClock.defer(resolve));
      await clock.advanceUnless(0, () => stop() || driven.isBroken());
    }
    this.given = driven.calls();
  }
}

/** Kinds that are open for long; all others are requests under way, which a test that begins need not count with. */
const LASTING = /^(TCP|Pipe|TTY|UDP|Process|FSEvent|Signal|MessagePort|Worker|Timeout)/i;
/** The one with which a test framework watches the test. Others that are there when a test begins may be gone a moment later. */
const LASTING_TIMEOUTS = 1;

/** What the process has open anyway: the least of each kind that was seen while no call was out. To see too little costs time, too much a record. */
class UsualResources {
  private readonly least = new Map<string, number>();

  constructor() {
    for (const [kind, count] of activeResources())
      if (LASTING.test(kind)) this.least.set(kind, kind === 'Timeout' ? LASTING_TIMEOUTS : count);
  }

  look(): void {
    const now = activeResources();
    for (const [kind, count] of this.least) this.least.set(kind, Math.min(count, now.get(kind) ?? 0));
  }

  /** Something more is open: a call does something real. */
  isExceeded(): boolean {
    for (const [kind, count] of activeResources()) if (count > (this.least.get(kind) ?? 0)) return true;
    return false;
  }
}

function activeResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo())
    if (kind !== OURS) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
