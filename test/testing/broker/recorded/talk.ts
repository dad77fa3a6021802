// One side of a conversation with a broker, every frame of which is kept.
import type { AnyApi } from '../../../../src/core/protocol/api.ts';
import { decodeResponse, encodeRequest } from '../../../../src/core/protocol/frame.ts';
import { Reader } from '../../../../src/core/protocol/reader.ts';
import { tcpTransport } from '../../../../src/core/network/transport.ts';
import { fit } from './fit.ts';
import { WireClient } from '../wire-client.ts';

/** One request and its answer, both without their length. */
export interface Exchange {
  readonly api: string;
  readonly version: number;
  readonly request: Buffer;
  readonly response: Buffer;
}

export class Talk {
  readonly exchanges: Exchange[] = [];
  private readonly client: WireClient;

  constructor(broker: string) {
    this.client = new WireClient(tcpTransport, broker, 'golden');
  }

  /** Asks in one version and keeps both frames. */
  async ask(api: AnyApi, version: number, body: unknown): Promise<any> {
    const fitting = fit(api.request.table, body, version) as never;
    let request: Buffer = Buffer.alloc(0);
    const response = await this.client.exchange((correlationId) => {
      const frame = encodeRequest(api, version, correlationId, 'golden', fitting);
      request = frame.subarray(4);
      return frame;
    });
    this.exchanges.push({ api: api.name, version, request, response });
    return decodeResponse(api, version, new Reader(response, 4));
  }

  /** Asks until the answer is not one of these errors, and keeps only the last exchange. */
  async askUntilReady(
    api: AnyApi,
    version: number,
    body: unknown,
    codeOf: (answer: any) => number,
  ): Promise<any> {
    const NOT_YET = [3, 5, 14, 15, 16, 51, 100];
    for (let tries = 0; tries < 300; tries++) {
      const answer = await this.ask(api, version, body);
      if (!NOT_YET.includes(codeOf(answer))) return answer;
      this.exchanges.pop();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${api.name} v${version}: the broker does not get ready`);
  }

  /** In every version of the table, from `min` up to `max`. */
  async each(
    api: AnyApi,
    body: unknown,
    { min = api.minVersion, max = api.maxVersion }: { min?: number; max?: number } = {},
  ): Promise<any> {
    let last: unknown;
    for (let version = min; version <= max; version++) {
      const made = typeof body === 'function' ? (body as (version: number) => unknown)(version) : body;
      last = await this.ask(api, version, made);
    }
    return last;
  }

  close(): void {
    this.client.close();
  }
}
