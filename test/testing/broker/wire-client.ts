// A bare client for tests of the broker: it sends what it is told, well-formed or not, and hands back what comes.
import type { AnyApi, RequestOf, ResponseOf } from '../../../src/core/protocol/api.ts';
import { decodeResponse, encodeRequest } from '../../../src/core/protocol/frame.ts';
import { Reader } from '../../../src/core/protocol/reader.ts';
import { FrameSplitter } from '../../../src/core/network/frame-splitter.ts';
import type { Transport, Wire } from '../../../src/core/network/transport.ts';

interface Pending {
  readonly correlationId: number;
  readonly resolve: (frame: Buffer) => void;
  readonly reject: (error: Error) => void;
}

export class WireClient {
  /** Resolves when the connection is gone, with the cause the transport gave. */
  readonly closed: Promise<Error | undefined>;
  isClosed = false;
  readonly clientId: string;
  readonly #wire: Wire;
  readonly #opened: Promise<void>;
  readonly #pending: Pending[] = [];
  #correlationId = 0;
  #unanswered: ((bytes: Buffer) => void) | undefined;

  constructor(transport: Transport, broker: string, clientId = 'test') {
    this.clientId = clientId;
    const splitter = new FrameSplitter(2 ** 30);
    const at = broker.lastIndexOf(':');
    const address = { host: broker.slice(0, at), port: Number(broker.slice(at + 1)) };
    let opened = (): void => {};
    let failed = (_error: Error): void => {};
    let closed = (_cause: Error | undefined): void => {};
    this.#opened = new Promise((resolve, reject) => {
      opened = resolve;
      failed = reject;
    });
    this.#opened.catch(() => {});
    this.closed = new Promise((resolve) => {
      closed = resolve;
    });
    this.#wire = transport.connect(address, {
      onOpen: () => opened(),
      onData: (chunk) => {
        this.#unanswered?.(chunk);
        splitter.push(chunk, (frame) => this.#onFrame(frame));
      },
      onDrain: () => {},
      onClose: (cause) => {
        this.isClosed = true;
        const error = cause ?? new Error('closed');
        failed(error);
        for (const pending of this.#pending.splice(0)) pending.reject(error);
        closed(cause);
      },
    });
  }

  get waiting(): number {
    return this.#pending.length;
  }

  /** Sends a request and decodes its answer; rejects when the connection closes first. */
  async call<A extends AnyApi>(api: A, version: number, body: RequestOf<A>): Promise<ResponseOf<A>> {
    const frame = await this.exchange((id) => encodeRequest(api, version, id, this.clientId, body));
    return decodeResponse(api, version, new Reader(frame, 4));
  }

  /** Sends bytes made for a correlation id and returns the answer's frame, without its length. */
  async exchange(encode: (correlationId: number) => Uint8Array): Promise<Buffer> {
    await this.#opened;
    const correlationId = ++this.#correlationId;
    return new Promise((resolve, reject) => {
      if (this.isClosed) {
        reject(new Error('closed'));
        return;
      }
      this.#pending.push({ correlationId, resolve, reject });
      this.#wire.write(encode(correlationId));
    });
  }

  /** Sends bytes without expecting an answer. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#opened;
    this.#wire.write(bytes);
  }

  /** Sends a request without expecting an answer. */
  post<A extends AnyApi>(api: A, version: number, body: RequestOf<A>): Promise<void> {
    return this.write(encodeRequest(api, version, ++this.#correlationId, this.clientId, body));
  }

  /** Calls back with all bytes as they arrive. */
  tap(onBytes: (bytes: Buffer) => void): void {
    this.#unanswered = onBytes;
  }

  close(): void {
    this.#wire.destroy();
  }

  #onFrame(frame: Buffer): void {
    const correlationId = frame.readInt32BE(0);
    const at = this.#pending.findIndex((pending) => pending.correlationId === correlationId);
    if (at >= 0) this.#pending.splice(at, 1)[0]!.resolve(frame);
  }
}
