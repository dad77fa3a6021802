// One client connection of one node. Requests are served strictly one after the other, as Kafka does: a fetch that waits for records, or
// a join that waits for its group, holds up whatever the client sends behind it.

import type { AnyApi } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { produceApi } from '../../../core/protocol/messages/00-produce.ts';
import { fetchApi } from '../../../core/protocol/messages/01-fetch.ts';
import { encodeResponse } from '../../../core/protocol/frame.ts';
import { FrameSplitter } from '../../../core/network/frame-splitter.ts';
import type { ServerWire, ServerWireEvents } from '../../simulation/server-wire.ts';
import { overrideErrors } from '../faults/override-errors.ts';
import type { FaultAction } from '../faults/fault.ts';
import { HANG_UP, NO_ANSWER } from '../handler.ts';
import { SaslSession } from '../security/sasl-session.ts';
import { readRequest, refuseVersion } from './incoming.ts';
import type { Incoming } from './incoming.ts';
import { ServedRequest } from './served-request.ts';
import type { ConnectionHost } from './served-request.ts';

/** Unserved bytes from which nothing more is read from the socket. */
const MAX_QUEUED_BYTES = 1024 * 1024;

/** The largest frame that is taken from somebody unknown (`sasl.server.max.receive.size`). */
const MAX_UNKNOWN_BYTES = 512 * 1024;
const LENGTH_BYTES = 4;

type Body = object | typeof NO_ANSWER | typeof HANG_UP;

export class BrokerConnection implements ServerWireEvents {
  readonly id: number;
  readonly #host: ConnectionHost;
  readonly #wire: ServerWire;
  readonly #splitter: FrameSplitter;
  readonly #queue: Buffer[] = [];
  readonly #gone = new Set<() => void>();
  readonly #sasl: SaslSession;
  #queuedBytes = 0;
  /** What the node counts as held for this connection. */
  #countedBytes = 0;
  #isBusy = false;
  #isPaused = false;
  #isClosed = false;

  constructor(host: ConnectionHost, wire: ServerWire, id: number) {
    this.#host = host;
    this.#wire = wire;
    this.id = id;
    this.#sasl = new SaslSession(host.sasl);
    this.#splitter = new FrameSplitter(host.cluster.settings.maxRequestBytes);
  }

  onData(chunk: Buffer): void {
    if (this.#isClosed) return;
    try {
      this.#splitter.push(chunk, this.#enqueue);
    } catch {
      this.destroy();
      return;
    }
    this.#pump();
    if (!this.#isWithinBounds()) {
      this.destroy();
      return;
    }
    if (this.#queuedBytes > MAX_QUEUED_BYTES && !this.#isPaused) {
      this.#isPaused = true;
      this.#wire.pause();
    }
  }

  onDrain(): void {
    this.#resume();
  }

  onClose(): void {
    this.#close();
    this.#host.closed(this);
  }

  /** Ends the connection, in order or with a reset. */
  destroy(withReset = false): void {
    if (withReset) this.#wire.reset();
    else this.#wire.destroy();
    this.#close();
  }

  readonly #enqueue = (frame: Buffer): void => {
    this.#queue.push(frame);
    this.#queuedBytes += frame.length;
  };

  #isWithinBounds(): boolean {
    if (this.#isClosed) return true;
    const held = this.#splitter.pendingBytes + this.#queuedBytes;
    if (!this.#sasl.isKnown && held > MAX_UNKNOWN_BYTES) return false;
    const isGranted = this.#host.pending.take(held - this.#countedBytes);
    this.#countedBytes = held;
    return isGranted;
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#host.pending.take(-this.#countedBytes);
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    for (const run of this.#gone) run();
    this.#gone.clear();
  }

  #resume(): void {
    this.#isBusy = false;
    this.#pump();
  }

  #pump(): void {
    while (!this.#isBusy && !this.#isClosed) {
      const frame = this.#queue.shift();
      if (frame === undefined) break;
      this.#queuedBytes -= frame.length;
      this.#serve(frame);
    }
    if (this.#isPaused && this.#queuedBytes <= MAX_QUEUED_BYTES / 2) {
      this.#isPaused = false;
      this.#wire.resume();
    }
  }

  #serve(frame: Buffer): void {
    if (this.#sasl.takesToken) {
      this.#takeToken(frame);
      return;
    }
    const incoming = readRequest(frame, this.#host.apis);
    if (incoming === undefined) {
      this.destroy();
      return;
    }
    const admission = this.#sasl.admit(incoming.offered.key, incoming.isUnknownVersion);
    if (admission !== 'serve') {
      if (admission === 'refuse') this.#refuse(incoming, ERRORS.ILLEGAL_SASL_STATE);
      this.#hangUp();
      return;
    }
    if (incoming.isUnknownVersion) {
      this.#write(refuseVersion(incoming));
      return;
    }
    const request = new ServedRequest(this.#host, incoming, {
      connection: this.id,
      remote: this.#wire.remote,
      gone: this.#gone,
      sasl: this.#sasl,
    });
    const action = request.rule?.action;
    if (action === undefined) {
      this.#run(request, undefined);
      return;
    }
    switch (action.kind) {
      case 'dropRequest':
        return;
      case 'close':
        this.#hangUp();
        return;
      case 'rst':
        this.destroy(true);
        return;
      case 'halfOpen':
        this.#wire.halfOpen();
        // Busy for ever: the client's later requests are never served.
        this.#isBusy = true;
        return;
      case 'delay':
        this.#isBusy = true;
        this.#delay(request, action.ms);
        return;
      default:
        this.#run(request, action);
    }
  }

  /** Serves a request later, whoever still waits for it; but not when its node has stopped meanwhile. */
  #delay(request: ServedRequest, ms: number): void {
    const { life } = this.#host;
    this.#host.cluster.clock.setTimeout(() => {
      if (this.#host.life !== life) return;
      this.#isBusy = false;
      this.#run(request, undefined);
      this.#pump();
    }, ms);
  }

  #run(request: ServedRequest, action: FaultAction | undefined): void {
    let body: Body | Promise<Body>;
    try {
      body = request.handle();
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (!(body instanceof Promise)) {
      this.#finish(request, body, action);
      return;
    }
    this.#isBusy = true;
    body.then(
      (done) => {
        this.#gone.clear();
        this.#isBusy = false;
        this.#finish(request, done, action);
        this.#pump();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #finish(request: ServedRequest, body: Body, action: FaultAction | undefined): void {
    if (this.#isClosed || body === NO_ANSWER) return;
    if (body === HANG_UP) {
      this.destroy();
      return;
    }
    try {
      this.#answer(request.incoming, body, request, action);
    } catch (error) {
      this.#fail(error);
    }
  }

  #answer(incoming: Incoming, body: object, request: ServedRequest, action: FaultAction | undefined): void {
    if (action?.kind === 'applyThenDropResponse') return;
    if (action?.kind === 'applyThenError') {
      overrideErrors(body, action.code, request.rule!, this.#host.cluster.topics);
    }
    const { handler } = incoming.offered;
    const encode = (throttleTimeMs: number): Buffer => {
      const response = { throttleTimeMs, ...body, ...(throttleTimeMs > 0 && { throttleTimeMs }) };
      return encodeResponse<AnyApi>(handler.api, incoming.version, incoming.correlationId, response);
    };
    let throttleTimeMs = action?.kind === 'throttle' ? action.ms : 0;
    let frame = encode(throttleTimeMs);
    const overQuotaMs = this.#takeFromQuota(incoming, frame.length);
    if (overQuotaMs > throttleTimeMs) {
      throttleTimeMs = overQuotaMs;
      frame = encode(throttleTimeMs);
    }
    if (action?.kind === 'answerOnly') {
      this.#wire.write(frame.subarray(0, action.bytes));
      this.#hangUp();
      return;
    }
    this.#write(frame);
    if (this.#sasl.isFailed) {
      this.#hangUp();
      return;
    }
    if (throttleTimeMs > 0) {
      this.#isBusy = true;
      this.#host.cluster.clock.setTimeout(() => this.#resume(), throttleTimeMs);
    }
  }

  /** For how long the client is to be quiet after a request, by its quota of bytes. */
  #takeFromQuota({ offered, clientId, bytes }: Incoming, answerBytes: number): number {
    const { quotas } = this.#host.cluster;
    if (quotas.isEmpty) return 0;
    const { principal } = this.#sasl;
    if (offered.key === produceApi.key) return quotas.take('producer_byte_rate', principal, clientId, bytes);
    if (offered.key !== fetchApi.key) return 0;
    return quotas.take('consumer_byte_rate', principal, clientId, answerBytes);
  }

  /** A token without a request around it, as SASL went before Kafka 1.0. */
  #takeToken(token: Buffer): void {
    const { authBytes } = this.#sasl.authenticate(token);
    if (this.#sasl.isFailed) {
      this.destroy();
      return;
    }
    const answer = Buffer.alloc(LENGTH_BYTES + authBytes.length);
    answer.writeInt32BE(authBytes.length);
    authBytes.copy(answer, LENGTH_BYTES);
    this.#write(answer);
  }

  #refuse(incoming: Incoming, code: number): void {
    const { handler } = incoming.offered;
    const { version, correlationId, body } = incoming;
    if (incoming.isUnknownVersion) return;
    const answer: unknown = handler.refuse?.(body, code, version);
    if (answer !== undefined)
      this.#write(encodeResponse<AnyApi>(handler.api, version, correlationId, answer));
  }

  /** Closes when everything written is sent. */
  #hangUp(): void {
    this.#wire.end();
    this.#close();
  }

  #write(frame: Buffer): void {
    // The next request waits until the client has read this far.
    if (!this.#wire.write(frame)) this.#isBusy = true;
  }

  /** A fault of this broker, never of the client. */
  #fail(error: unknown): void {
    this.#host.failed(error);
    this.destroy();
  }
}
