// What a client may not leave behind: sockets, timers, listeners, memory.
import { expect } from '@jest/globals';

const KINDS = ['TCPSocketWrap', 'TCPConnectWrap', 'GetAddrInfoReqWrap', 'Timeout', 'Immediate'];
const SIGNALS = ['SIGINT', 'SIGTERM', 'exit', 'warning', 'uncaughtException', 'unhandledRejection'];
/** Until a socket that was destroyed is gone. */
const LIMIT_MS = 20_000;
const PAUSE_MS = 20;

function handles(): Record<string, number> {
  const counts = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
  for (const kind of process.getActiveResourcesInfo()) if (kind in counts) counts[kind]!++;
  return counts;
}

const listeners = (): Record<string, number> =>
  Object.fromEntries(SIGNALS.map((name) => [name, process.listenerCount(name)]));

/** The state of this process before a test. */
export class Before {
  private readonly handles = handles();
  private readonly listeners = listeners();

  /** Fails when there are more handles or listeners than before. Timers of the test itself must be over. */
  async expectNothingLeft(): Promise<void> {
    expect(listeners()).toEqual(this.listeners);
    const from = performance.now();
    let left = this.more();
    while (left.length > 0 && performance.now() - from < LIMIT_MS) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      left = this.more();
    }
    expect(left).toEqual([]);
  }

  private more(): string[] {
    const now = handles();
    return KINDS.filter((kind) => now[kind]! > this.handles[kind]!).map(
      (kind) => `${kind}: ${this.handles[kind]} before, ${now[kind]} now`,
    );
  }
}

/** Bytes that this process holds in Buffers and on the heap. */
export function heldBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const LOOK_MS = 10;

/** Watches what this process holds until it is stopped. */
export class PeakMemory {
  private readonly start = heldBytes();
  private peak = this.start;
  private readonly timer = setInterval(() => this.look(), LOOK_MS);

  /** The most it held above what it held at the start, in bytes. */
  stop(): number {
    this.look();
    clearInterval(this.timer);
    return this.peak - this.start;
  }

  private look(): void {
    this.peak = Math.max(this.peak, heldBytes());
  }
}
