// One connection to one broker: dial, agree on versions, then requests out and answers in.

import type { Clock, Random, Timer } from '../clock.ts';
import { systemRandom } from '../clock.ts';
import type { ConnectionPhase } from '../../errors.ts';
import { AuthenticationError, ConnectionError, ProtocolError } from '../../errors.ts';
import type { AnyApi, RequestOf, ResponseOf } from '../protocol/api.ts';
import { encodeRequestParts } from '../protocol/frame.ts';
import type { BrokerRange } from '../protocol/negotiate.ts';
import { pickVersion } from '../protocol/negotiate.ts';
import type { SaslMechanism } from '../security/sasl-exchange.ts';
import { AuthSession } from './auth-session.ts';
import type { CallOwner } from './call.ts';
import { Call } from './call.ts';
import { ConnectionTrace } from './connection-trace.ts';
import type { LastSeen } from './ending.ts';
import { endingError, handshakeFailed, openingTooSlow, wireClosed } from './ending.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { handshake } from './handshake.ts';
import { InFlight } from './in-flight.ts';
import type { BrokerAddress, Transport, Wire, WireEvents } from './transport.ts';

/** What a connection needs to open and to live. */
export interface ConnectionOptions {
  readonly address: BrokerAddress;
  /** Which node of the cluster that is; default -1, unknown. */
  readonly nodeId?: number | undefined;
  readonly clientId: string;
  readonly clock: Clock;
  readonly transport: Transport;
  /** From the dial until the broker has said which versions it speaks and has believed who we are. */
  readonly connectTimeoutMs: number;
  /** A broker that owes an answer and has been silent for so long is given up. */
  readonly stallAfterMs: number;
  readonly maxFrameBytes: number;
  /** Who the client is; default nobody in particular. */
  readonly sasl?: SaslMechanism | undefined;
  /** Spreads re-authentications; default by chance. */
  readonly random?: Random | undefined;
}

/** How one request is sent. */
export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly maxVersion?: number | undefined;
  /** The peer does not answer it: resolves when it is written to the wire and the wire takes more. */
  readonly isUnanswered?: boolean | undefined;
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
  /** For those who listen. */
  readonly trace: ConnectionTrace;
  /** Called once, when the connection is gone, whoever closed it. */
  onClosed: ((error: ConnectionError) => void) | undefined;
  private readonly options: ConnectionOptions;
  private readonly clock: Clock;
  private readonly splitter: FrameSplitter;
  private readonly inFlight: InFlight;
  private readonly versions = new Map<number, BrokerRange>();
  private readonly session: AuthSession | undefined;
  private readonly onFrame = (frame: Buffer): void => {
    if (this.phase === 'io') this.hasAnswered = true;
    this.inFlight.respond(frame);
    // A program that has come to its end is not kept alive by a connection that nobody waits on.
    if (this.inFlight.size === 0) this.wire?.unref?.();
  };
  private phase: ConnectionPhase = 'dial';
  private wire: Wire | undefined;
  private closeError: ConnectionError | undefined;
  private receivedBytes = 0;
  /** It has answered a request after the first words. */
  private hasAnswered = false;
  private throttledUntil = 0;
  private throttleTimer: Timer | undefined;
  /** Encoded requests that wait for the end of a throttle window or of a re-authentication; none of their bytes are out. */
  private waiting: Call[] = [];
  /** Written, without an answer to come, and the wire has not taken all of it. */
  private undrained: Call[] = [];

  private constructor(options: ConnectionOptions) {
    this.options = options;
    this.address = options.address;
    this.trace = new ConnectionTrace(options);
    this.clock = options.clock;
    this.lastUsedAt = options.clock.now();
    this.splitter = new FrameSplitter(options.maxFrameBytes);
    const { sasl: mechanism, address, clock, random = systemRandom } = options;
    this.session =
      mechanism === undefined
        ? undefined
        : new AuthSession({ mechanism, address, clock, random, trace: this.trace });
    this.inFlight = new InFlight(options.clock, options.stallAfterMs, (silentMs) => {
      this.fail(`was silent for ${Math.round(silentMs)} ms with answers outstanding`);
    });
  }

  /** Dials, agrees on versions and authenticates. Rejects with ConnectionError, at the latest after `connectTimeoutMs`, or with the signal's reason. */
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
        const tooSlow = openingTooSlow(connection.lastSeen, options.connectTimeoutMs);
        connection.failWith(endingError(options.address, tooSlow));
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
        connection.trace.opened();
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
      this.failWith(endingError(this.address, wireClosed(this.lastSeen, error as Error)));
    }
  }

  private events(onReady: () => void): WireEvents {
    const onData = (chunk: Buffer): void => {
      this.received(chunk.length, () => {
        this.splitter.push(chunk, this.onFrame);
      });
    };
    return {
      onOpen: () => {
        if (this.closeError !== undefined) return;
        this.phase = 'handshake';
        this.greet().then(onReady, (error: unknown) => {
          this.failHandshake(error);
        });
      },
      onData,
      intake: {
        replaces: onData,
        room: () => this.splitter.room(),
        onFilled: (bytes) => {
          this.received(bytes, () => {
            this.splitter.fill(bytes, this.onFrame);
          });
        },
      },
      onDrain: () => {
        for (const call of this.undrained.splice(0)) call.onWritten();
      },
      onClose: (cause) => {
        this.failWith(endingError(this.address, wireClosed(this.lastSeen, cause)));
      },
    };
  }

  private async greet(): Promise<void> {
    const timeoutMs = HANDSHAKE_IS_TIMED_BY_OPEN * this.options.connectTimeoutMs;
    const ranges = await handshake((api, version, body) => this.ask(api, version, body, timeoutMs));
    for (const { apiKey, minVersion, maxVersion } of ranges)
      this.versions.set(apiKey, { minVersion, maxVersion });
    if (this.session !== undefined) {
      this.phase = 'auth';
      await this.authenticate(this.session, timeoutMs);
    }
    this.phase = 'io';
  }

  private authenticate(session: AuthSession, timeoutMs: number): Promise<void> {
    return session.run((api, request) => this.ask(api, this.version(api), request, timeoutMs));
  }

  /** Again, after what is in flight and before what comes from now on. A provider may take its time: requests go on until it has answered. */
  private reauthenticate(session: AuthSession): void {
    const timeoutMs = this.options.stallAfterMs + this.inFlight.longestWaitMs;
    this.authenticate(session, timeoutMs).then(
      () => {
        if (this.throttledUntil <= this.clock.now()) this.release();
      },
      (error: unknown) => {
        if (error instanceof ConnectionError) this.failWith(error);
        else this.fail(error instanceof Error ? error.message : String(error), error, true);
      },
    );
  }

  /** One of our own requests: not held back by what holds back the others. */
  private ask<A extends AnyApi>(
    api: A,
    version: number,
    body: RequestOf<A>,
    timeoutMs: number,
  ): Promise<ResponseOf<A>> {
    return new Promise((resolve, reject) => {
      if (this.closeError !== undefined) throw this.alreadyClosed(this.closeError);
      const call = this.call(api, version, body, { timeoutMs }, resolve, reject);
      this.inFlight.add(call, timeoutMs, this.waiting.length);
      this.write(call);
    });
  }

  private exchange<A extends AnyApi>(
    api: A,
    version: number,
    request: RequestInit<A>,
    options: CallOptions,
    resolve: (body: ResponseOf<A>) => void,
    reject: (error: unknown) => void,
  ): void {
    const now = this.clock.now();
    const session = this.session;
    if (session !== undefined && now >= session.dueAt) this.reauthenticate(session);
    const call = this.call(api, version, request, options, resolve, reject);
    this.inFlight.add(call, options.timeoutMs);
    this.lastUsedAt = now;
    if (this.throttledUntil > now || session?.holds(now) === true) this.waiting.push(call);
    else this.write(call);
  }

  private call<A extends AnyApi>(
    api: A,
    version: number,
    request: RequestInit<A>,
    { timeoutMs, signal, isUnanswered }: CallOptions,
    resolve: (body: ResponseOf<A>) => void,
    reject: (error: unknown) => void,
  ): Call {
    const body = isMaker(request) ? request(version) : request;
    const id = this.inFlight.nextCorrelationId;
    const frame = encodeRequestParts(api, version, id, this.options.clientId, body);
    if (this.inFlight.size === 0) this.wire?.ref?.();
    const call = new Call(this, api, version, id, frame, timeoutMs, signal, resolve, reject);
    if (isUnanswered === true) call.isUnanswered = true;
    return call;
  }

  private write(call: Call): void {
    const frame = call.frame;
    call.frame = undefined;
    if (frame === undefined) return;
    call.trace = this.trace.request(call, frame);
    let flows: boolean | undefined = true;
    for (const part of frame) flows = this.wire?.write(part);
    if (!call.isUnanswered) return;
    this.inFlight.withdraw(call.correlationId);
    if (this.inFlight.size === 0) this.wire?.unref?.();
    if (flows === true) call.onWritten();
    else this.undrained.push(call);
  }

  private received(bytes: number, split: () => void): void {
    if (this.closeError !== undefined) return;
    this.receivedBytes += bytes;
    this.inFlight.heard();
    try {
      split();
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
      if (this.session?.holds(this.clock.now()) !== true) this.release();
    }, this.throttledUntil - now);
  }

  /** Writes what was held back. */
  private release(): void {
    this.inFlight.heard();
    const waiting = this.waiting;
    this.waiting = [];
    for (const call of waiting) this.write(call);
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

  get heldBecause(): string {
    const { host, port } = this.address;
    const throttledForMs = this.throttledUntil - this.clock.now();
    return throttledForMs > 0
      ? `${host}:${port} throttles this client for another ${Math.ceil(throttledForMs)} ms`
      : `${host}:${port} has not ended the re-authentication of this client`;
  }

  private failHandshake(error: unknown): void {
    this.failWith(
      error instanceof AuthenticationError
        ? error
        : endingError(this.address, handshakeFailed(this.phase, error)),
    );
  }

  private get lastSeen(): LastSeen {
    return {
      phase: this.phase,
      receivedBytes: this.receivedBytes,
      pendingBytes: this.splitter.pendingBytes,
      isAccepted: this.hasAnswered || this.session !== undefined,
    };
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
    if (this.closeError === undefined)
      this.failWith(endingError(this.address, { what, phase: this.phase, cause, retriable }));
  }

  private failWith(error: ConnectionError): void {
    if (this.closeError !== undefined) return;
    this.closeError = error;
    this.throttleTimer?.cancel();
    const unsent = this.waiting;
    this.waiting = [];
    for (const call of unsent) {
      this.inFlight.withdraw(call.correlationId);
      call.onError(this.alreadyClosed(error));
    }
    this.wire?.destroy();
    this.inFlight.failAll(error);
    for (const call of this.undrained.splice(0)) call.onWritten();
    this.onClosed?.(error);
    this.trace.ended(error);
  }
}

function isMaker<A extends AnyApi>(request: RequestInit<A>): request is (version: number) => RequestOf<A> {
  return typeof request === 'function';
}
