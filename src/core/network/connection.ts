// One connection to one broker: dial, agree on versions, then requests out and answers in.

import type { Clock, Timer } from '../clock.ts';
import type { ConnectionPhase } from '../../errors.ts';
import { ConnectionError, ProtocolError, UnsupportedVersionError } from '../../errors.ts';
import type { AnyApi, RequestOf, ResponseOf } from '../protocol/api.ts';
import { encodeRequestParts } from '../protocol/frame.ts';
import type { BrokerRange } from '../protocol/negotiate.ts';
import { pickVersion } from '../protocol/negotiate.ts';
import type { CallOwner } from './call.ts';
import { Call } from './call.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { handshake } from './handshake.ts';
import { InFlight } from './in-flight.ts';
import type { BrokerAddress, Transport, Wire, WireEvents } from './transport.ts';

/** What a connection needs to open and to live. */
export interface ConnectionOptions {
  readonly address: BrokerAddress;
  readonly clientId: string;
  readonly clock: Clock;
  readonly transport: Transport;
  /** From the dial until the broker has said which versions it speaks. */
  readonly connectTimeoutMs: number;
  /** A broker that owes an answer and has been silent for so long is given up. */
  readonly stallAfterMs: number;
  readonly maxFrameBytes: number;
}

/** How one request is sent. */
export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly maxVersion?: number | undefined;
}

/** A body, or what makes it once the version is known. */
export type RequestInit<A extends AnyApi> = RequestOf<A> | ((version: number) => RequestOf<A>);

/** The deadline of the handshake's requests lies behind that of opening, which says more when it passes. */
const HANDSHAKE_IS_TIMED_BY_OPEN = 2;

/** Requests and answers over one wire. Made by {@link Connection.open}; of no further use once closed. */
export class Connection implements CallOwner {
  readonly address: BrokerAddress;
  /** When the last request was taken or answered, by the clock. */
  lastUsedAt: number;
  /** Called once, when the connection is gone, whoever closed it. */
  onClosed: ((error: ConnectionError) => void) | undefined;
  private readonly options: ConnectionOptions;
  private readonly clock: Clock;
  private readonly splitter: FrameSplitter;
  private readonly inFlight: InFlight;
  private readonly versions = new Map<number, BrokerRange>();
  private readonly onFrame = (frame: Buffer): void => {
    this.inFlight.respond(frame);
    // A program that has come to its end is not kept alive by a connection that nobody waits on.
    if (this.inFlight.size === 0) this.wire?.unref?.();
  };
  private phase: ConnectionPhase = 'dial';
  private wire: Wire | undefined;
  private closeError: ConnectionError | undefined;
  private receivedBytes = 0;
  private throttledUntil = 0;
  private throttleTimer: Timer | undefined;
  /** Encoded requests that wait for the end of a throttle window; none of their bytes are out. */
  private waiting: Call[] = [];

  private constructor(options: ConnectionOptions) {
    this.options = options;
    this.address = options.address;
    this.clock = options.clock;
    this.lastUsedAt = options.clock.now();
    this.splitter = new FrameSplitter(options.maxFrameBytes);
    this.inFlight = new InFlight(options.clock, options.stallAfterMs, (silentMs) => {
      this.fail(`was silent for ${Math.round(silentMs)} ms with answers outstanding`);
    });
  }

  /** Dials and agrees on versions. Rejects with ConnectionError, at the latest after `connectTimeoutMs`, or with the signal's reason. */
  static open(options: ConnectionOptions, signal?: AbortSignal): Promise<Connection> {
    const connection = new Connection(options);
    return new Promise<Connection>((resolve, reject) => {
      const stop = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
        connection.onClosed = undefined;
      };
      const onAbort = (): void => {
        stop();
        connection.close();
        reject(signal?.reason);
      };
      const timer = options.clock.setTimeout(() => {
        connection.timeOutOpening();
      }, options.connectTimeoutMs);
      if (signal?.aborted === true) {
        timer.cancel();
        reject(signal.reason);
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      connection.onClosed = (error) => {
        stop();
        reject(error);
      };
      connection.dial(() => {
        stop();
        resolve(connection);
      });
    });
  }

  /** False once nothing can be sent any more. */
  get isOpen(): boolean {
    return this.closeError === undefined;
  }

  /** Requests whose answer is still to come. */
  get pending(): number {
    return this.inFlight.size;
  }

  /** For how long the broker owes an answer and has said nothing; 0 when it owes none. */
  get silentMs(): number {
    return this.inFlight.silentMs;
  }

  /** Answers that came after their caller had given up. */
  get lateResponses(): number {
    return this.inFlight.lateResponses;
  }

  /** The version in which `api` is sent here. Throws UnsupportedVersionError naming both ranges. */
  version(api: AnyApi, maxVersion?: number): number {
    const range = this.versions.get(api.key);
    if (range === undefined || maxVersion === undefined || range.maxVersion <= maxVersion)
      return pickVersion(api, range);
    return pickVersion(api, { minVersion: range.minVersion, maxVersion });
  }

  /** Sends one request; see `Cluster.send` for what it rejects with. */
  send<A extends AnyApi>(api: A, request: RequestInit<A>, options: CallOptions): Promise<ResponseOf<A>> {
    return new Promise<ResponseOf<A>>((resolve, reject) => {
      options.signal?.throwIfAborted();
      if (this.closeError !== undefined) throw this.alreadyClosed(this.closeError);
      const version = this.version(api, options.maxVersion);
      this.exchange(api, version, request, options, resolve, reject);
    });
  }

  /** Rejects all in flight and closes the wire. */
  close(reason = 'was closed by the client'): void {
    this.fail(reason);
  }

  private dial(onReady: () => void): void {
    try {
      this.wire = this.options.transport.connect(this.address, this.events(onReady));
    } catch (error) {
      this.onWireClosed(error as Error);
    }
  }

  private events(onReady: () => void): WireEvents {
    return {
      onOpen: () => {
        if (this.closeError !== undefined) return;
        this.phase = 'handshake';
        this.greet().then(onReady, (error: unknown) => {
          this.failHandshake(error);
        });
      },
      onData: (chunk) => {
        this.receive(chunk);
      },
      onDrain: () => undefined,
      onClose: (cause) => {
        this.onWireClosed(cause);
      },
    };
  }

  private async greet(): Promise<void> {
    const ranges = await handshake((api, version, body) => {
      return new Promise((resolve, reject) => {
        this.exchange(
          api,
          version,
          body,
          { timeoutMs: HANDSHAKE_IS_TIMED_BY_OPEN * this.options.connectTimeoutMs },
          resolve,
          reject,
        );
      });
    });
    for (const { apiKey, minVersion, maxVersion } of ranges)
      this.versions.set(apiKey, { minVersion, maxVersion });
    this.phase = 'io';
  }

  private exchange<A extends AnyApi>(
    api: A,
    version: number,
    request: RequestInit<A>,
    { timeoutMs, signal }: CallOptions,
    resolve: (body: ResponseOf<A>) => void,
    reject: (error: unknown) => void,
  ): void {
    const body = isMaker(request) ? request(version) : request;
    const id = this.inFlight.nextCorrelationId;
    const frame = encodeRequestParts(api, version, id, this.options.clientId, body);
    const call = new Call(this, api, version, id, frame, timeoutMs, signal, resolve, reject);
    if (this.inFlight.size === 0) this.wire?.ref?.();
    this.inFlight.add(call, timeoutMs);
    this.lastUsedAt = this.clock.now();
    if (this.throttledUntil > this.lastUsedAt) this.waiting.push(call);
    else this.write(call);
  }

  private write(call: Call): void {
    const frame = call.frame;
    call.frame = undefined;
    if (frame !== undefined) for (const part of frame) this.wire?.write(part);
  }

  private receive(chunk: Buffer): void {
    if (this.closeError !== undefined) return;
    this.receivedBytes += chunk.length;
    this.inFlight.heard();
    try {
      this.splitter.push(chunk, this.onFrame);
    } catch (error) {
      if (error instanceof ProtocolError) this.fail(`broke the protocol: ${error.message}`, error);
      else throw error;
    }
  }

  throttle(ms: number): void {
    const now = this.clock.now();
    this.throttledUntil = Math.max(this.throttledUntil, now + ms);
    this.throttleTimer?.cancel();
    this.throttleTimer = this.clock.setTimeout(() => {
      this.throttleTimer = undefined;
      this.throttledUntil = 0;
      this.inFlight.heard();
      const waiting = this.waiting;
      this.waiting = [];
      for (const call of waiting) this.write(call);
    }, this.throttledUntil - now);
  }

  giveUp(call: Call): boolean {
    if (call.frame === undefined) {
      this.inFlight.abandon(call.correlationId);
      return true;
    }
    call.frame = undefined;
    this.waiting = this.waiting.filter((other) => other !== call);
    this.inFlight.withdraw(call.correlationId);
    return false;
  }

  get throttledForMs(): number {
    return Math.max(0, this.throttledUntil - this.clock.now());
  }

  private timeOutOpening(): void {
    const ms = this.options.connectTimeoutMs;
    if (this.phase === 'dial') this.fail(`could not be reached within ${ms} ms`);
    else {
      const got = this.receivedBytes === 0 ? 'nothing' : `only ${this.receivedBytes} bytes`;
      this.fail(
        `accepted the connection and answered ${got} within ${ms} ms; is it a plaintext listener of a Kafka broker?`,
      );
    }
  }

  private failHandshake(error: unknown): void {
    if (this.closeError !== undefined) return;
    const hopeless = error instanceof UnsupportedVersionError || error instanceof ProtocolError;
    // What could not be read says so with the address, as what is read later does.
    const unreadable = error instanceof ProtocolError ? error.cause : undefined;
    if (unreadable instanceof ProtocolError)
      this.fail(`broke the protocol: ${unreadable.message}`, error, false);
    else this.fail(error instanceof Error ? error.message : String(error), error, !hopeless);
  }

  private onWireClosed(cause: Error | undefined): void {
    if (this.phase === 'dial') {
      this.fail(`could not be reached: ${reasonOf(cause) ?? 'the connection was closed'}`, cause);
      return;
    }
    const how = reasonOf(cause) ?? 'by the peer';
    const { pendingBytes } = this.splitter;
    const partial = pendingBytes === 0 ? '' : `, ${pendingBytes} bytes into an answer`;
    const hint =
      this.phase === 'handshake' ? ' before it said which versions it speaks; is it a TLS or SASL port?' : '';
    const why = pendingBytes === 0 ? cause : cutOff(pendingBytes, cause);
    this.fail(`closed the connection (${how}) after ${this.receivedBytes} bytes${partial}${hint}`, why, true);
  }

  /** For a request that comes too late: nothing of it was sent, whatever phase the connection ended in. */
  private alreadyClosed(cause: ConnectionError): ConnectionError {
    const { host, port } = this.address;
    return new ConnectionError(`The connection is closed: ${cause.message}`, {
      host,
      port,
      phase: 'dial',
      cause,
    });
  }

  private fail(
    what: string,
    cause?: unknown,
    retriable = !(cause instanceof ProtocolError && this.phase !== 'io'),
  ): void {
    if (this.closeError !== undefined) return;
    const { host, port } = this.address;
    const error = new ConnectionError(`${host}:${port} ${what}`, {
      host,
      port,
      phase: this.phase,
      cause,
      retriable,
    });
    this.closeError = error;
    this.throttleTimer?.cancel();
    this.waiting = [];
    this.wire?.destroy();
    this.inFlight.failAll(error);
    this.onClosed?.(error);
  }
}

function isMaker<A extends AnyApi>(request: RequestInit<A>): request is (version: number) => RequestOf<A> {
  return typeof request === 'function';
}

/** A frame that does not end: bad luck once, a broken peer when it happens every time. */
function cutOff(bytes: number, cause: Error | undefined): ProtocolError {
  return new ProtocolError(`The connection ended ${bytes} bytes into a frame`, { retriable: true, cause });
}

function reasonOf(cause: Error | undefined): string | undefined {
  if (cause === undefined) return undefined;
  if (cause.message !== '') return cause.message;
  const code: unknown = (cause as { code?: unknown }).code;
  return typeof code === 'string' ? code : cause.name;
}
