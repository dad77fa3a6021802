// From the options to a mechanism. Secrets live in closures and private fields only: nothing that can be printed holds them.

import { UsageError } from '../../errors.ts';
import { OAuthBearerExchange } from './oauth-bearer.ts';
import { plainExchange } from './plain.ts';
import type { SaslExchange, SaslMechanism } from './sasl-exchange.ts';
import type { OAuthBearerToken, SaslCredentials, SaslOptions, SaslProvider } from './sasl-options.ts';
import type { ScramDigest } from './scram.ts';
import { ScramExchange, ScramKeys } from './scram.ts';

const DIGESTS: { readonly [mechanism: string]: ScramDigest } = {
  'scram-sha-256': 'sha256',
  'scram-sha-512': 'sha512',
};
const KNOWN = "'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer', or a name with `exchange`";
const FIELDS = ['mechanism', 'username', 'password', 'credentials', 'oauthBearerProvider', 'exchange'];
const TOKEN = /^[\x21-\x7e]+$/;
const EXTENSION_NAME = /^[A-Za-z]+$/;
const EXTENSION_VALUE = /^[\x21-\x7e \t\r\n]+$/;

/** Checks the option `sasl` and makes its mechanism. Throws UsageError naming the part that is wrong, never its value. */
export function saslMechanism(options: SaslOptions): SaslMechanism {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw wrong('sasl', 'an object with a mechanism', options);
  for (const name of Object.keys(options))
    if (!FIELDS.includes(name))
      throw new UsageError(`sasl.${name} is not an option; known are ${FIELDS.join(', ')}`, `sasl.${name}`);
  const { mechanism } = options as { mechanism: unknown };
  if (typeof mechanism !== 'string' || mechanism === '') throw wrong('sasl.mechanism', KNOWN, mechanism);
  if ('exchange' in options && options.exchange !== undefined) return custom(mechanism, options.exchange);
  const name = mechanism.toLowerCase();
  if (name === 'oauthbearer') return bearer(options);
  const digest = DIGESTS[name];
  if (name !== 'plain' && digest === undefined)
    throw new UsageError(
      `sasl.mechanism must be ${KNOWN}, not ${JSON.stringify(mechanism.slice(0, 40))}`,
      'sasl.mechanism',
    );
  const credentials = credentialsOf(options);
  const keys = new ScramKeys();
  return {
    name: name.toUpperCase(),
    start: async () =>
      digest === undefined
        ? plainExchange(await credentials())
        : new ScramExchange({ ...(await credentials()), digest, keys }),
  };
}

function custom(
  mechanism: string,
  exchange: (broker: { host: string; port: number }) => SaslExchange | Promise<SaslExchange>,
): SaslMechanism {
  if (typeof exchange !== 'function') throw wrong('sasl.exchange', 'a function', exchange);
  return { name: mechanism, start: async (broker) => exchange(broker) };
}

function bearer(options: SaslOptions): SaslMechanism {
  const { oauthBearerProvider: provider } = options as { oauthBearerProvider?: unknown };
  if (typeof provider !== 'function')
    throw wrong('sasl.oauthBearerProvider', 'a function that gives a token', provider);
  const token = shared(async () => checkToken(await (provider as SaslProvider<OAuthBearerToken>)()));
  return { name: 'OAUTHBEARER', start: async () => new OAuthBearerExchange(await token()) };
}

function credentialsOf(options: SaslOptions): () => Promise<SaslCredentials> {
  const { credentials, username, password } = options as Partial<SaslCredentials> & { credentials?: unknown };
  if (credentials === undefined) {
    const fixed = Promise.resolve(checkCredentials({ username, password }, 'sasl.'));
    return () => fixed;
  }
  if (typeof credentials !== 'function') throw wrong('sasl.credentials', 'a function', credentials);
  if (username !== undefined || password !== undefined)
    throw new UsageError(
      'sasl has either credentials or username and password, not both',
      'sasl.credentials',
    );
  const provider = credentials as SaslProvider<SaslCredentials>;
  return shared(async () => checkCredentials(await provider(), 'what sasl.credentials() gave: '));
}

function checkCredentials(given: unknown, where: string): SaslCredentials {
  const { username, password } = (given ?? {}) as { username?: unknown; password?: unknown };
  return { username: secret(`${where}username`, username), password: secret(`${where}password`, password) };
}

function secret(option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw wrong(option, 'a string that is not empty', value);
  if (value.includes('\0')) throw new UsageError(`${option} must not have a NUL character in it`, option);
  return value;
}

function checkToken(given: unknown): OAuthBearerToken {
  const where = 'what sasl.oauthBearerProvider() gave: ';
  const { value, extensions } = (given ?? {}) as { value?: unknown; extensions?: unknown };
  if (typeof value !== 'string' || !TOKEN.test(value))
    throw wrong(`${where}value`, 'a token: visible ASCII characters without blanks', value);
  if (extensions === undefined) return { value };
  if (typeof extensions !== 'object' || extensions === null)
    throw wrong(`${where}extensions`, 'an object', extensions);
  for (const [name, text] of Object.entries(extensions)) {
    if (!EXTENSION_NAME.test(name) || name.toLowerCase() === 'auth')
      throw new UsageError(`${where}extensions have names of letters only, and none is 'auth'`, 'extensions');
    if (typeof text !== 'string' || !EXTENSION_VALUE.test(text))
      throw wrong(`${where}extensions.${name}`, 'a string of visible ASCII characters and blanks', text);
  }
  return { value, extensions: { ...extensions } };
}

/** Many connections are opened at once; those that ask while an answer is on its way share it. */
function shared<T>(make: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= make().finally(() => {
      running = undefined;
    });
    return running;
  };
}

/** Says what kind of thing was given, not what: it may be a secret. */
function wrong(option: string, wanted: string, value: unknown): UsageError {
  const kind =
    value === null
      ? 'null'
      : value === ''
        ? 'an empty string'
        : value === undefined
          ? 'undefined'
          : `a ${typeof value}`;
  return new UsageError(`${option} must be ${wanted}, not ${kind}`, option);
}
