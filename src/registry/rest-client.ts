// HTTP to the registry: repeated where that may help, bounded in time and size, and silent about secrets.
import { delay, type Timer } from '../core/clock.ts';
import { delayAfter } from '../flow/backoff.ts';
import type { RegistrySettings } from './options.ts';
import { RegistryError } from './registry-error.ts';

/** What a request is about, for its errors. */
export interface RequestSubject {
  /** As in "could not ...": `get schema 7`. */
  readonly what: string;
  readonly subject?: string | undefined;
  readonly schemaId?: number | string | undefined;
}

/** A request to the registry. */
export interface RegistryRequest extends RequestSubject {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
}

const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json';
const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;
const MAX_REASON_CHARACTERS = 500;

/** What the registry says of an error. */
interface Refusal {
  readonly code: number | undefined;
  readonly reason: string;
}

/** The JSON of one registry's REST interface. */
export class RestClient {
  private readonly settings: RegistrySettings;
  /** The address that answered last is asked first. */
  private at = 0;

  constructor(settings: RegistrySettings) {
    this.settings = settings;
  }

  /** Resolves with the answer's JSON; rejects with RegistryError within `timeoutMs`. */
  async request(request: RegistryRequest): Promise<unknown> {
    const { clock, retry, timeoutMs, random } = this.settings;
    const untilMs = clock.now() + timeoutMs;
    for (let attempt = 1; ; attempt++) {
      const leftMs = untilMs - clock.now();
      try {
        return await this.attempt(request, leftMs);
      } catch (error) {
        if (!(error instanceof RegistryError) || !error.retriable || attempt >= retry.attempts) throw error;
        this.at = (this.at + 1) % this.settings.urls.length;
        const pauseMs = delayAfter(retry, attempt) * (0.8 + 0.4 * random());
        if (clock.now() + pauseMs >= untilMs) throw error;
        await delay(clock, pauseMs);
      }
    }
  }

  private async attempt(request: RegistryRequest, leftMs: number): Promise<unknown> {
    const { clock, requestTimeoutMs, urls } = this.settings;
    const url = urls[this.at]!;
    const limitMs = Math.min(leftMs, requestTimeoutMs);
    const controller = new AbortController();
    let timer: Timer | undefined;
    // Not left to fetch alone: one that does not heed its signal is not waited for either.
    const late = new Promise<never>((_resolve, reject) => {
      timer = clock.setTimeout(() => {
        reject(
          new RegistryError(`${could(request, url)}: no answer within ${Math.round(limitMs)} ms`, {
            retriable: true,
            ...about(request),
          }),
        );
        controller.abort();
      }, limitMs);
    });
    try {
      return await Promise.race([this.send(request, url, controller.signal), late]);
    } finally {
      timer?.cancel();
    }
  }

  private async send(request: RegistryRequest, url: string, signal: AbortSignal): Promise<unknown> {
    const { authorization, secrets } = await this.authorization();
    let response: Response;
    let text: string;
    try {
      response = await this.settings.fetch(`${url}${request.path}`, {
        method: request.method,
        headers: {
          accept: `${MEDIA_TYPE}, application/json`,
          ...(request.body === undefined ? {} : { 'content-type': MEDIA_TYPE }),
          ...this.settings.headers,
          ...(authorization === undefined ? {} : { authorization }),
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        signal,
        redirect: 'manual',
      });
      text = await textOf(response, request, url);
    } catch (cause) {
      if (cause instanceof RegistryError) throw cause;
      throw new RegistryError(`${could(request, url)}: not reached (${reasonOf(cause, secrets)})`, {
        retriable: true,
        ...about(request),
      });
    }
    if (response.status !== 200) throw refused(request, url, response.status, refusalOf(text, secrets));
    try {
      return JSON.parse(text);
    } catch {
      throw new RegistryError(`${could(request, url)}: the answer is not JSON; is that a schema registry?`, {
        retriable: false,
        status: response.status,
        ...about(request),
      });
    }
  }

  private async authorization(): Promise<{ authorization: string | undefined; secrets: readonly string[] }> {
    const { auth, headers } = this.settings;
    const own = Object.values(headers);
    if (auth === undefined) return { authorization: undefined, secrets: own };
    if ('token' in auth) {
      let token: string;
      try {
        token = typeof auth.token === 'function' ? await auth.token() : auth.token;
      } catch (cause) {
        throw new RegistryError('the token for the schema registry could not be had', {
          retriable: true,
          cause,
        });
      }
      return { authorization: `Bearer ${token}`, secrets: [...own, token] };
    }
    const pair = Buffer.from(`${auth.username}:${auth.password}`).toString('base64');
    return { authorization: `Basic ${pair}`, secrets: [...own, auth.password, pair] };
  }
}

function could(request: RequestSubject, url: string): string {
  return `the schema registry at ${url} could not ${request.what}`;
}

function about({ subject, schemaId }: RequestSubject): Pick<RequestSubject, 'subject' | 'schemaId'> {
  return { subject, schemaId };
}

async function textOf(response: Response, request: RequestSubject, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_RESPONSE_BYTES) {
      throw new RegistryError(
        `${could(request, url)}: the answer has more than ${MAX_RESPONSE_BYTES} bytes`,
        {
          retriable: false,
          status: response.status,
          ...about(request),
        },
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function redacted(text: string, secrets: readonly string[]): string {
  let out = text;
  for (const secret of secrets) if (secret !== '') out = out.replaceAll(secret, '***');
  return out.length > MAX_REASON_CHARACTERS ? `${out.slice(0, MAX_REASON_CHARACTERS)}...` : out;
}

// undici hides why in the cause of its error.
function reasonOf(error: unknown, secrets: readonly string[]): string {
  let inner = error;
  for (let depth = 0; depth < 5; depth++) {
    const { cause } = partsOf(inner);
    if (typeof cause !== 'object' || cause === null) break;
    inner = cause;
  }
  const { code, message } = partsOf(inner);
  const text = typeof code === 'string' ? code : typeof message === 'string' ? message : String(inner);
  return redacted(text, secrets);
}

/** Whatever was thrown, by this realm or another. */
function partsOf(thrown: unknown): {
  readonly cause?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
} {
  return typeof thrown === 'object' && thrown !== null ? thrown : {};
}

function refusalOf(text: string, secrets: readonly string[]): Refusal {
  try {
    const { error_code: code, message } = JSON.parse(text) as { error_code?: unknown; message?: unknown };
    return {
      code: typeof code === 'number' ? code : undefined,
      reason: typeof message === 'string' ? redacted(message, secrets) : '',
    };
  } catch {
    return { code: undefined, reason: '' };
  }
}

function refused(request: RequestSubject, url: string, status: number, refusal: Refusal): RegistryError {
  const { code, reason } = refusal;
  const why = `${explain(status, request)}${reason === '' ? '' : `: ${reason}`}`;
  const isRetriable = status >= 500 || status === 429 || status === 408;
  const numbers = code === undefined || code === status ? `${status}` : `${status}, ${code}`;
  return new RegistryError(`${could(request, url)}: ${why} (${numbers})`, {
    retriable: isRetriable,
    status,
    registryCode: code,
    ...about(request),
  });
}

function explain(status: number, { subject, schemaId }: RequestSubject): string {
  if (status === 401) return 'it did not accept the credentials; see auth';
  if (status === 403) return 'this user may not';
  if (status === 404 && schemaId !== undefined)
    return 'it has no such schema; is it the registry that the writer used?';
  if (status === 404)
    return subject === undefined ? 'it has no such thing' : `nothing of that under subject '${subject}'`;
  if (status === 409) return `the schema is not compatible with earlier ones of subject '${subject ?? ''}'`;
  if (status === 422) return 'it does not take the schema';
  if (status >= 300 && status < 400) return 'it points to another address; give that as url';
  return 'it answered with an error';
}
