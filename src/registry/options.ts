import { systemClock, systemRandom, type Clock, type Random } from '../core/clock.ts';
import { UsageError } from '../errors.ts';
import { checkBackoff, type Backoff } from '../flow/backoff.ts';

/** Who the client is to the registry. A token may change: a function is asked before each request. */
export type RegistryAuth =
  | { readonly username: string; readonly password: string }
  | { readonly token: string | (() => string | PromiseLike<string>) };

/** What of `fetch` the client uses. */
export type Fetch = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: string;
    readonly signal: AbortSignal;
    readonly redirect: 'manual';
  },
) => Promise<Response>;

/** Options of {@link schemaRegistry}. */
export interface RegistryOptions {
  /** Where it is: one address, or several of one registry, of which the next is tried when one does not answer. */
  readonly url: string | readonly string[];
  /** Default: nobody; a user and password in the url are taken too. */
  readonly auth?: RegistryAuth | undefined;
  /** Sent with each request. */
  readonly headers?: { readonly [name: string]: string } | undefined;
  /** Until one request is answered, in milliseconds. Default 10,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** Until a whole call is, with all its repetitions. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** How a request is repeated that was not answered, or with 408, 429 or 5xx. Default 5 attempts, 100 ms doubled up to 2,000 ms. */
  readonly retry?: Backoff | undefined;
  /** How many schemas are kept; the one that was used least recently makes way. Default 1,000. */
  readonly maxSchemas?: number | undefined;
  /** Default: Node's; give another to go through a proxy or with certificates of your own. */
  readonly fetch?: Fetch | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}

/** The options, checked and filled in. */
export interface RegistrySettings {
  readonly urls: readonly string[];
  readonly auth: RegistryAuth | undefined;
  readonly headers: { readonly [name: string]: string };
  readonly requestTimeoutMs: number;
  readonly timeoutMs: number;
  readonly retry: Backoff;
  readonly maxSchemas: number;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly random: Random;
}

const KNOWN = [
  'url',
  'auth',
  'headers',
  'requestTimeoutMs',
  'timeoutMs',
  'retry',
  'maxSchemas',
  'fetch',
  'clock',
  'random',
];

function wrong(rule: string, option: string): UsageError {
  return new UsageError(`schemaRegistry: ${rule}`, option);
}

/** An address without what may be secret in it; the user and password that it had. */
function parseUrl(text: unknown): { url: string; auth: RegistryAuth | undefined } {
  let url: URL;
  try {
    url = new URL(String(text));
  } catch {
    throw wrong('url is not an address like http://host:8081', 'url');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw wrong(`url begins with http:// or https://, not ${url.protocol}`, 'url');
  const auth =
    url.username === ''
      ? undefined
      : { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  return { url: `${url.origin}${url.pathname.replace(/\/+$/, '')}`, auth };
}

function checkAuth(auth: RegistryAuth | undefined): void {
  if (auth === undefined) return;
  const { username, password, token } = auth as { username?: unknown; password?: unknown; token?: unknown };
  const isUser = typeof username === 'string' && typeof password === 'string' && token === undefined;
  const isToken = (typeof token === 'string' || typeof token === 'function') && username === undefined;
  if (!isUser && !isToken)
    throw wrong(
      'auth is { username, password } or { token }, with texts or a function for the token',
      'auth',
    );
}

/** Checks where the registry is made. @throws UsageError that names the option, never its value where that may be secret */
export function registrySettings(options: RegistryOptions): RegistrySettings {
  for (const name of Object.keys(options)) {
    if (!KNOWN.includes(name)) throw wrong(`'${name}' is no option; known are ${KNOWN.join(', ')}`, name);
  }
  const given = typeof options.url === 'string' ? [options.url] : options.url;
  if (!Array.isArray(given) || given.length === 0) throw wrong('url is an address or a list of them', 'url');
  const places = (given as readonly unknown[]).map(parseUrl);
  const auth = options.auth ?? places.find((place) => place.auth !== undefined)?.auth;
  checkAuth(auth);
  const {
    headers = {},
    requestTimeoutMs = 10_000,
    timeoutMs = 30_000,
    retry = { attempts: 5, minDelayMs: 100, maxDelayMs: 2_000 },
    maxSchemas = 1_000,
    clock = systemClock,
    random = systemRandom,
  } = options;
  for (const [name, value] of Object.entries({ requestTimeoutMs, timeoutMs })) {
    if (!(value > 0 && value < Infinity))
      throw wrong(`${name} is a number of milliseconds above 0, not ${value}`, name);
  }
  if (!Number.isInteger(maxSchemas) || maxSchemas < 1)
    throw wrong(`maxSchemas is a whole number from 1, not ${maxSchemas}`, 'maxSchemas');
  checkBackoff('schemaRegistry: retry', retry);
  return {
    urls: places.map(({ url }) => url),
    auth,
    headers,
    requestTimeoutMs,
    timeoutMs,
    retry,
    maxSchemas,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    clock,
    random,
  };
}
