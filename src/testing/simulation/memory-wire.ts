import type { Clock } from '../../core/clock.ts';
import type { ServerWire, ServerWireEvents } from './server-wire.ts';

/** What both ends of a link share. */
export interface LinkConditions {
  readonly clock: Clock;
  /** One way, asked once per write. */
  readonly latencyMs: () => number;
  readonly highWaterMarkBytes: number;
  readonly maxChunkBytes: number;
  /** True while bytes vanish in both directions. */
  silent: boolean;
}

/** Bytes or the end of the stream, on their way to one end. */
type Arrival = { readonly bytes: Buffer } | { readonly cause: Error | undefined };

const ignore = (): void => {};

/** One end of a simulated byte stream. Whatever it is told comes through the clock, in order, never from inside a call to it. */
export class MemoryWire implements ServerWire {
  readonly remote: string;
  events: ServerWireEvents = { onData: ignore, onDrain: ignore, onClose: ignore };
  readonly #conditions: LinkConditions;
  readonly #arrivals: Arrival[] = [];
  #peer: MemoryWire | undefined;
  #due = 0;
  #closed = false;
  #told = false;
  #paused = false;
  #held = 0;
  #unreadBytes = 0;
  #wantsDrain = false;
  #early: Buffer[] = [];

  constructor(conditions: LinkConditions, remote: string) {
    this.#conditions = conditions;
    this.remote = remote;
  }

  /** Makes two ends one stream. */
  static join(one: MemoryWire, other: MemoryWire): void {
    one.#peer = other;
    other.#peer = one;
    for (const bytes of one.#early) one.write(bytes);
    one.#early = [];
  }

  get closed(): boolean {
    return this.#closed;
  }

  write(bytes: Uint8Array): boolean {
    const peer = this.#peer;
    if (this.#closed || this.#conditions.silent) return true;
    // A copy: the writer may patch its buffer while these bytes are still on their way.
    const copy = Buffer.from(bytes);
    if (peer === undefined) {
      this.#early.push(copy);
      return true;
    }
    if (peer.#closed) return true;
    const limit = this.#conditions.maxChunkBytes;
    for (let at = 0; at < copy.length; at += limit) {
      peer.#travel({ bytes: copy.length <= limit ? copy : copy.subarray(at, at + limit) });
    }
    peer.#unreadBytes += copy.length;
    if (peer.#unreadBytes < this.#conditions.highWaterMarkBytes) return true;
    this.#wantsDrain = true;
    return false;
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    const peer = this.#peer;
    if (peer !== undefined && !this.#conditions.silent) peer.#travel({ cause: undefined });
    this.#conditions.clock.defer(() => {
      this.#tellClosed(undefined);
    });
  }

  end(): void {
    this.destroy();
  }

  reset(): void {
    const peer = this.#peer;
    if (peer !== undefined && !this.#conditions.silent) peer.breakOff();
    this.destroy();
  }

  halfOpen(): void {
    this.#conditions.silent = true;
  }

  /** The stream is gone for this end: what was on its way to it is lost. */
  breakOff(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conditions.clock.defer(() => {
      this.#tellClosed(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    });
  }

  /** Nobody listens where this end wants to connect. */
  refuse(cause: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#tellClosed(cause);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    for (; this.#held > 0; this.#held--) this.#conditions.clock.defer(this.#arrive);
  }

  #travel(arrival: Arrival): void {
    const { clock } = this.#conditions;
    this.#arrivals.push(arrival);
    const latencyMs = this.#conditions.latencyMs();
    this.#due = Math.max(this.#due, clock.now() + latencyMs);
    const inMs = this.#due - clock.now();
    if (inMs <= 0) clock.defer(this.#arrive);
    else clock.setTimeout(this.#arrive, inMs);
  }

  readonly #arrive = (): void => {
    if (this.#paused) {
      this.#held++;
      return;
    }
    const arrival = this.#arrivals.shift();
    if (arrival === undefined || this.#conditions.silent) return;
    if ('bytes' in arrival) {
      this.#read(arrival.bytes);
    } else if (!this.#closed) {
      this.#closed = true;
      this.#tellClosed(arrival.cause);
    }
  };

  #read(bytes: Buffer): void {
    this.#unreadBytes -= bytes.length;
    const peer = this.#peer;
    if (!this.#closed) this.events.onData(bytes);
    if (
      peer !== undefined &&
      peer.#wantsDrain &&
      this.#unreadBytes < this.#conditions.highWaterMarkBytes / 2
    ) {
      peer.#wantsDrain = false;
      if (!peer.#closed) peer.events.onDrain();
    }
  }

  #tellClosed(cause: Error | undefined): void {
    if (this.#told) return;
    this.#told = true;
    this.events.onClose(cause);
  }
}
