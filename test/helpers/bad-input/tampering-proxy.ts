// A broker between the client and a broker: it passes everything on, knows which answer is which, and lets a test change any of them.
import net from 'node:net';
import { FrameSplitter } from '../../../src/core/network/frame-splitter.ts';
import { apiByKey } from '../../../src/core/protocol/apis.ts';
import type { AnyApi, ResponseInit, ResponseOf } from '../../../src/core/protocol/api.ts';
import { decodeRequestHeader, decodeResponse, encodeResponse } from '../../../src/core/protocol/frame.ts';
import { metadataApi } from '../../../src/core/protocol/messages/03-metadata.ts';
import { findCoordinatorApi } from '../../../src/core/protocol/messages/10-find-coordinator.ts';
import { Reader } from '../../../src/core/protocol/reader.ts';

const MAX_FRAME_BYTES = 2 ** 30;
const LENGTH_BYTES = 4;
const HEADER_BYTES = 8;
const SEVERAL_COORDINATORS_FROM = 4;

/** One answer on its way to the client. */
export class Answer {
  readonly api: AnyApi;
  readonly version: number;
  readonly correlationId: number;
  /** Length, header, body. */
  readonly bytes: Buffer;

  constructor(api: AnyApi, version: number, correlationId: number, bytes: Buffer) {
    this.api = api;
    this.version = version;
    this.correlationId = correlationId;
    this.bytes = bytes;
  }

  /** The body, where the answer is of this API. */
  bodyOf<A extends AnyApi>(api: A): ResponseOf<A> | undefined {
    if (this.api.key !== api.key) return undefined;
    return decodeResponse(api, this.version, new Reader(this.bytes, HEADER_BYTES));
  }

  /** The same answer with another body. */
  withBody<A extends AnyApi>(api: A, body: ResponseInit<A>): Buffer {
    return encodeResponse(api, this.version, this.correlationId, body);
  }
}

/** What becomes of an answer: other bytes, these bytes and then the end of the connection, or nothing more for ever. */
export type Tampering = Buffer | { readonly thenClose: Buffer } | 'silence';

/** Undefined leaves an answer as it is. */
export type Tamper = (answer: Answer) => Tampering | undefined;

interface Asked {
  readonly api: AnyApi;
  readonly version: number;
}

/** A proxy in front of one broker, which it takes the place of in all that the broker says about addresses. */
export class TamperingProxy {
  /** Answers that were changed. */
  tampered = 0;
  /** May be changed at any time. */
  tamper: Tamper = () => undefined;
  private readonly server: net.Server;
  private readonly sockets = new Set<net.Socket>();

  private constructor(server: net.Server) {
    this.server = server;
  }

  static async start(upstream: string): Promise<TamperingProxy> {
    const server = net.createServer();
    const proxy = new TamperingProxy(server);
    server.on('connection', (socket) => proxy.connect(socket, upstream));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Open connections of clients. */
  get connections(): number {
    return this.sockets.size / 2;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private connect(client: net.Socket, upstream: string): void {
    const at = upstream.lastIndexOf(':');
    const broker = net.connect({ host: upstream.slice(0, at), port: Number(upstream.slice(at + 1)) });
    const asked = new Map<number, Asked>();
    let silent = false;
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.end();
      });
    }
    const requests = new FrameSplitter(MAX_FRAME_BYTES);
    client.on('data', (chunk: Buffer) => {
      requests.push(chunk, (frame) => {
        const { apiKey, apiVersion, correlationId } = decodeRequestHeader(new Reader(frame));
        const api = apiByKey(apiKey);
        if (api !== undefined) asked.set(correlationId, { api, version: apiVersion });
      });
      broker.write(chunk);
    });
    const answers = new FrameSplitter(MAX_FRAME_BYTES);
    broker.on('data', (chunk: Buffer) => {
      answers.push(chunk, (frame) => {
        if (silent || !client.writable) return;
        const result = this.pass(frame, asked);
        if (result === 'silence') silent = true;
        else if (Buffer.isBuffer(result)) client.write(result);
        else client.end(result.thenClose);
      });
    });
  }

  private pass(frame: Buffer, asked: Map<number, Asked>): Tampering {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeInt32BE(frame.length);
    const bytes = Buffer.concat([length, frame]);
    const correlationId = frame.readInt32BE(0);
    const request = asked.get(correlationId);
    if (request === undefined) return bytes;
    asked.delete(correlationId);
    const { api, version } = request;
    const answer = new Answer(
      api,
      version,
      correlationId,
      this.withOurAddress(new Answer(api, version, correlationId, bytes)),
    );
    const tampered = this.tamper(answer);
    if (tampered === undefined) return answer.bytes;
    this.tampered++;
    return tampered;
  }

  private withOurAddress(answer: Answer): Buffer {
    const here = { host: '127.0.0.1', port: this.port };
    const metadata = answer.bodyOf(metadataApi);
    if (metadata !== undefined) {
      const brokers = metadata.brokers.map((broker) => ({ ...broker, ...here }));
      return answer.withBody(metadataApi, { ...metadata, brokers });
    }
    const found = answer.bodyOf(findCoordinatorApi);
    if (found !== undefined) {
      const coordinators = found.coordinators.map((one) => ({ ...one, ...here }));
      const inList = answer.version >= SEVERAL_COORDINATORS_FROM;
      return answer.withBody(findCoordinatorApi, { ...found, ...(inList ? { coordinators } : here) });
    }
    return answer.bytes;
  }
}
