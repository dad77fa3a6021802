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

/** Kinds of resources that say nothing about code under test: our own loop over `setImmediate`. */
const OURS = new Set(['Immediate']);

/**
 * A call that only awaits promises comes back within its moment of virtual time. One that awaits a socket, a file or a timer needs the event loop:
 * virtual time waits for it, as long as Node says that something real is under way, and each call at most once.
 */
export class TimeDriver {
  private readonly clock: VirtualClock;
  private readonly driven: Driven;
  private readonly callTimeoutMs: number;
  private readonly atStart = activeResources();
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
    while (
      this.hasNewCalls() &&
      !stop() &&
      !driven.isBroken() &&
      activeResources() > this.atStart &&
      systemClock.now() < deadline
    ) {
      await new Promise<void>((resolve) => systemClock.defer(resolve));
      await clock.advanceUnless(0, () => stop() || driven.isBroken());
    }
    this.given = driven.calls();
  }
}

function activeResources(): number {
  return process.getActiveResourcesInfo().filter((kind) => !OURS.has(kind)).length;
}
