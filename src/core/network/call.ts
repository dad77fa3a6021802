// One request on a connection, from its encoding to its answer.

import { ProtocolError, TimeoutError } from '../../errors.ts';
import type { AnyApi } from '../protocol/api.ts';
import { decodeResponse } from '../protocol/frame.ts';
import { Reader } from '../protocol/reader.ts';
import type { PendingCall } from './in-flight.ts';
import type { RequestTrace } from './request-trace.ts';
import type { BrokerAddress } from './transport.ts';

const CORRELATION_BYTES = 4;
const LENGTH_BYTES = 4;

/** What a call needs of its connection. */
export interface CallOwner {
  readonly address: BrokerAddress;
  /** Why requests are held back, as a sentence. */
  readonly heldBecause: string;
  /** KIP-219: the broker has answered and will not read for a while; what is sent now would only run into its deadline there. */
  throttle(ms: number): void;
  /** The caller of an unanswered request is gone; says whether the request may have reached the broker. */
  giveUp(call: Call): boolean;
}

/** One request between its writing and its answer. */
export class Call implements PendingCall {
  readonly correlationId: number;
  /** The encoded request, in pieces, while it waits to be written. */
  frame: readonly Uint8Array[] | undefined;
  /** Nothing comes back. */
  isUnanswered = false;
  /** Undefined when nobody listened as it was written. */
  trace: RequestTrace | undefined = undefined;
  readonly api: AnyApi;
  readonly version: number;
  private readonly connection: CallOwner;
  private readonly timeoutMs: number;
  private readonly signal: AbortSignal | undefined;
  private readonly resolve: (body: never) => void;
  private readonly reject: (error: unknown) => void;

  constructor(
    connection: CallOwner,
    api: AnyApi,
    version: number,
    correlationId: number,
    frame: readonly Uint8Array[],
    timeoutMs: number,
    signal: AbortSignal | undefined,
    resolve: (body: never) => void,
    reject: (error: unknown) => void,
  ) {
    this.connection = connection;
    this.api = api;
    this.version = version;
    this.correlationId = correlationId;
    this.frame = frame;
    this.timeoutMs = timeoutMs;
    this.signal = signal;
    this.resolve = resolve;
    this.reject = reject;
    signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  onResponse(frame: Buffer): void {
    this.signal?.removeEventListener('abort', this.onAbort);
    let body: { readonly throttleTimeMs?: number };
    try {
      body = decodeResponse(this.api, this.version, new Reader(frame, CORRELATION_BYTES)) as typeof body;
    } catch (error) {
      const unreadable = this.unreadable(error);
      this.trace?.failed(unreadable);
      this.reject(unreadable);
      return;
    }
    this.trace?.answered(LENGTH_BYTES + frame.length, body.throttleTimeMs ?? 0);
    if (body.throttleTimeMs !== undefined && body.throttleTimeMs > 0)
      this.connection.throttle(body.throttleTimeMs);
    this.resolve(body as never);
  }

  /** For one that is not answered: nobody will ever say more about it. */
  onWritten(): void {
    this.signal?.removeEventListener('abort', this.onAbort);
    this.trace?.answered(0, 0);
    this.resolve(undefined as never);
  }

  private unreadable(error: unknown): unknown {
    if (!(error instanceof ProtocolError)) return error;
    const { host, port } = this.connection.address;
    const { message } = error;
    // What is wrong before the body does not name the API.
    const what = message.startsWith(this.api.name) ? message : `${this.api.name} response: ${message}`;
    return new ProtocolError(`${host}:${port}: ${what}`, { api: this.api.name, cause: error });
  }

  onTimeout(): void {
    this.signal?.removeEventListener('abort', this.onAbort);
    const why = this.connection.heldBecause;
    const sent = this.connection.giveUp(this);
    const { host, port } = this.connection.address;
    const message = sent
      ? `${host}:${port} did not answer ${this.api.name} within ${Math.round(this.timeoutMs)} ms`
      : `${this.api.name} was held back for ${Math.round(this.timeoutMs)} ms: ${why}`;
    const error = new TimeoutError(message, { afterMs: this.timeoutMs, sent, api: this.api.name });
    this.trace?.failed(error);
    this.reject(error);
  }

  onError(error: Error): void {
    this.signal?.removeEventListener('abort', this.onAbort);
    this.trace?.failed(error);
    this.reject(error);
  }

  private readonly onAbort = (): void => {
    this.connection.giveUp(this);
    this.trace?.abandoned();
    this.reject(this.signal?.reason);
  };
}
