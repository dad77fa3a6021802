// A schema registry on loopback: the REST interface that serdes use, in memory, with the error codes of Confluent's, and faults.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import avsc from 'avsc';

interface Reference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

interface Stored {
  readonly id: number;
  readonly guid: string;
  readonly schema: string;
  readonly schemaType: string;
  readonly references: readonly Reference[];
}

/** What was asked. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

class Refusal extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export class RegistryServer {
  readonly asked: Asked[] = [];
  /** Statuses to answer with, one request each; 0 closes the connection, -1 never answers. */
  faults: number[] = [];
  /** Who may come in, as `user:password` or `Bearer token`; undefined: all. */
  credentials: string | undefined;
  /** When set, answers are this text. */
  garbage: string | undefined;
  private readonly schemas = new Map<number, Stored>();
  private readonly subjects = new Map<string, Stored[]>();
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  static async start(): Promise<RegistryServer> {
    const one = new RegistryServer();
    await new Promise<void>((resolve) => one.server.listen(0, '127.0.0.1', resolve));
    return one;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Requests as `GET /path`. */
  get paths(): string[] {
    return this.asked.map(({ method, path }) => `${method} ${path}`);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Puts a schema under a subject; its number. */
  add(
    subject: string,
    schema: object | string,
    more: { schemaType?: string; references?: Reference[] } = {},
  ): number {
    return this.register(subject, {
      schema: typeof schema === 'string' ? schema : JSON.stringify(schema),
      ...more,
    });
  }

  guidOf(id: number): string {
    return this.schemas.get(id)!.guid;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body = text === '' ? undefined : (JSON.parse(text) as unknown);
    const { method = '', url = '', headers } = request;
    this.asked.push({ method, path: url, headers, body });
    const fault = this.faults.shift();
    if (fault === -1) return;
    if (fault === 0) {
      request.socket.destroy();
      return;
    }
    try {
      if (fault !== undefined) throw new Refusal(fault, fault * 100 + 1, `Error ${fault}`);
      this.checkCredentials(headers.authorization);
      this.answer(response, 200, this.garbage ?? JSON.stringify(this.handle(method, url, body)));
    } catch (error) {
      const { status, code, message } =
        error instanceof Refusal ? error : new Refusal(500, 50001, String(error));
      this.answer(response, status, JSON.stringify({ error_code: code, message }));
    }
  }

  private answer(response: ServerResponse, status: number, text: string): void {
    response.writeHead(status, {
      'content-type': 'application/vnd.schemaregistry.v1+json',
      ...(status >= 300 && status < 400 ? { location: 'http://127.0.0.1:1/' } : {}),
    });
    response.end(text);
  }

  private checkCredentials(given: string | undefined): void {
    const { credentials } = this;
    if (credentials === undefined) return;
    const wanted = credentials.startsWith('Bearer ')
      ? credentials
      : `Basic ${Buffer.from(credentials).toString('base64')}`;
    // Not a message a registry should give; some proxies do.
    if (given !== wanted) throw new Refusal(401, 40101, `Unauthorized: ${given ?? ''}`);
  }

  private handle(method: string, url: string, body: unknown): unknown {
    const { pathname } = new URL(url, this.url);
    const parts = pathname.split('/').slice(1).map(decodeURIComponent);
    const [first, second, third, fourth] = parts;
    if (first === 'schemas' && second === 'ids' && method === 'GET') return this.schema(Number(third));
    if (first === 'schemas' && second === 'guids' && method === 'GET') return this.byGuid(third!);
    if (first === 'subjects' && third === 'versions' && method === 'GET')
      return this.version(second!, fourth!);
    if (first === 'subjects' && third === 'versions' && method === 'POST')
      return { id: this.register(second!, body as Stored) };
    if (first === 'subjects' && third === undefined && method === 'POST')
      return this.find(second!, body as Stored);
    throw new Refusal(404, 404, 'HTTP 404 Not Found');
  }

  private shown(stored: Stored): object {
    const { schema, schemaType, references } = stored;
    return {
      schema,
      ...(schemaType === 'AVRO' ? {} : { schemaType }),
      ...(references.length === 0 ? {} : { references }),
    };
  }

  private schema(id: number): object {
    const stored = this.schemas.get(id);
    if (stored === undefined) throw new Refusal(404, 40403, `Schema ${id} not found`);
    return this.shown(stored);
  }

  private byGuid(guid: string): object {
    for (const stored of this.schemas.values()) if (stored.guid === guid) return this.shown(stored);
    throw new Refusal(404, 40403, 'Schema not found');
  }

  private version(subject: string, version: string): object {
    const versions = this.subjects.get(subject);
    if (versions === undefined) throw new Refusal(404, 40401, `Subject '${subject}' not found.`);
    const at = version === 'latest' ? versions.length : Number(version);
    const stored = versions[at - 1];
    if (stored === undefined) throw new Refusal(404, 40402, `Version ${version} not found.`);
    return { subject, version: at, id: stored.id, guid: stored.guid, ...this.shown(stored) };
  }

  private find(subject: string, wanted: { schema: string }): object {
    const versions = this.subjects.get(subject);
    if (versions === undefined) throw new Refusal(404, 40401, `Subject '${subject}' not found.`);
    const at = versions.findIndex(({ schema }) => schema === wanted.schema);
    if (at < 0) throw new Refusal(404, 40403, 'Schema not found');
    const { id, guid } = versions[at]!;
    return { subject, version: at + 1, id, guid, ...this.shown(versions[at]!) };
  }

  private register(
    subject: string,
    {
      schema,
      schemaType = 'AVRO',
      references = [],
    }: { schema: string; schemaType?: string; references?: readonly Reference[] },
  ): number {
    const versions = this.subjects.get(subject) ?? [];
    const known = versions.find((one) => one.schema === schema && one.schemaType === schemaType);
    if (known !== undefined) return known.id;
    this.checkSchema(schema, schemaType, references);
    const last = versions.at(-1);
    if (last !== undefined) this.checkCompatible(subject, last, schema, schemaType);
    const same = [...this.schemas.values()].find(
      (one) => one.schema === schema && one.schemaType === schemaType,
    );
    const hex = createHash('md5').update(schema).digest('hex');
    const guid = [
      hex.slice(0, 8),
      hex.slice(8, 12),
      hex.slice(12, 16),
      hex.slice(16, 20),
      hex.slice(20),
    ].join('-');
    const stored = same ?? { id: this.schemas.size + 1, guid, schema, schemaType, references };
    this.schemas.set(stored.id, stored);
    this.subjects.set(subject, [...versions, stored]);
    return stored.id;
  }

  private checkSchema(schema: string, schemaType: string, references: readonly Reference[]): void {
    try {
      const parsed = JSON.parse(schema) as avsc.Schema;
      if (schemaType === 'AVRO' && references.length === 0) avsc.Type.forSchema(parsed);
    } catch (error) {
      throw new Refusal(422, 42201, `Invalid schema: ${String(error)}`);
    }
  }

  // BACKWARD, the default: the new schema reads what was written with the last one.
  private checkCompatible(subject: string, last: Stored, schema: string, schemaType: string): void {
    if (schemaType !== 'AVRO' || last.references.length > 0) return;
    try {
      const reader = avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema);
      reader.createResolver(avsc.Type.forSchema(JSON.parse(last.schema) as avsc.Schema));
    } catch (error) {
      throw new Refusal(
        409,
        409,
        `Schema being registered is incompatible with an earlier schema for subject "${subject}": ${String(error)}`,
      );
    }
  }
}
