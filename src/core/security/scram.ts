// SCRAM (RFC 5802, RFC 7677): the password is proven without being sent, and the broker proves that it knows it too.

import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { SaslExchange } from './sasl-exchange.ts';
import type { SaslCredentials } from './sasl-options.ts';

/** The two that Kafka has. */
export type ScramDigest = 'sha256' | 'sha512';

/** Kafka's least (RFC 7677): with fewer, a stolen credential could be tried too fast. */
export const MIN_ITERATIONS = 4096;
/** Kafka stores at most 16,384; a broker that asks for more than this would only stop the event loop. */
export const MAX_ITERATIONS = 65_536;

const NONCE_BYTES = 24;
/** "n,,": no channel binding, no other identity. */
const GS2_HEADER = 'n,,';
const SERVER_FIRST =
  /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9][0-9]{0,9})(?:,[A-Za-z]=.*)?$/s;
const SERVER_FINAL = /^v=([A-Za-z0-9+/]+={0,2})(?:,[A-Za-z]=.*)?$/s;
const SERVER_ERROR = /^e=([\w-]{1,60})/;

interface Keys {
  readonly client: Buffer;
  readonly server: Buffer;
}

/** The keys of one password, kept for as long as salt and iterations stay what they are: deriving them takes milliseconds. */
export class ScramKeys {
  #of: { password: string; salt: string; iterations: number; keys: Keys } | undefined;

  derive(digest: ScramDigest, password: string, salt: string, iterations: number): Keys {
    const kept = this.#of;
    if (kept?.password === password && kept.salt === salt && kept.iterations === iterations) return kept.keys;
    const salted = saltedPassword(digest, password, Buffer.from(salt, 'base64'), iterations);
    const keys = { client: hmac(digest, salted, 'Client Key'), server: hmac(digest, salted, 'Server Key') };
    this.#of = { password, salt, iterations, keys };
    return keys;
  }
}

/** What SCRAM makes of a password; Kafka takes its UTF-8 bytes as they are. */
export function saltedPassword(
  digest: ScramDigest,
  password: string,
  salt: Uint8Array,
  iterations: number,
): Buffer {
  const { length } = createHash(digest).digest();
  return pbkdf2Sync(Buffer.from(password, 'utf8'), salt, iterations, length, digest);
}

/** What a SCRAM exchange needs. */
export interface ScramOptions extends SaslCredentials {
  readonly digest: ScramDigest;
  readonly keys: ScramKeys;
  /** Default 24 random bytes; for tests. */
  readonly nonce?: string | undefined;
}

/** One SCRAM exchange. */
export class ScramExchange implements SaslExchange {
  readonly #options: ScramOptions;
  readonly #nonce: string;
  readonly #bare: string;
  /** What the broker must sign with, once the client has sent its proof. */
  #expected: Buffer | undefined;

  constructor(options: ScramOptions) {
    this.#options = options;
    this.#nonce = options.nonce ?? randomBytes(NONCE_BYTES).toString('base64');
    this.#bare = `n=${escaped(options.username)},r=${this.#nonce}`;
  }

  begin(): Buffer {
    return Buffer.from(GS2_HEADER + this.#bare, 'utf8');
  }

  next(token: Buffer): Buffer | undefined {
    const text = token.toString('utf8');
    if (this.#expected === undefined) return this.#prove(text);
    this.#verify(text, this.#expected);
    return undefined;
  }

  #prove(serverFirst: string): Buffer {
    const { digest, password, keys } = this.#options;
    const [, nonce, salt, count] = SERVER_FIRST.exec(serverFirst) ?? [];
    if (nonce === undefined || salt === undefined) throw new Error(broken(serverFirst, 'first'));
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length)
      throw new Error("its nonce does not continue this client's: the answer belongs to another exchange");
    const iterations = Number(count);
    if (iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS)
      throw new Error(
        `it asks for ${iterations} iterations; from ${MIN_ITERATIONS} to ${MAX_ITERATIONS} are accepted`,
      );
    const { client, server } = keys.derive(digest, password, salt, iterations);
    const withoutProof = `c=${Buffer.from(GS2_HEADER).toString('base64')},r=${nonce}`;
    const signed = `${this.#bare},${serverFirst},${withoutProof}`;
    const signature = hmac(digest, createHash(digest).update(client).digest(), signed);
    const proof = Buffer.from(client.map((byte, at) => byte ^ signature[at]!));
    this.#expected = hmac(digest, server, signed);
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`, 'utf8');
  }

  #verify(serverFinal: string, expected: Buffer): void {
    const given = SERVER_FINAL.exec(serverFinal)?.[1];
    if (given === undefined) throw new Error(broken(serverFinal, 'final'));
    const signature = Buffer.from(given, 'base64');
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected))
      throw new Error('its signature is wrong: it does not know the password, so it is not the broker meant');
  }
}

function hmac(digest: ScramDigest, key: Uint8Array, text: string): Buffer {
  return createHmac(digest, key).update(text, 'utf8').digest();
}

/** A name as SCRAM writes it. */
function escaped(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

function broken(message: string, which: string): string {
  const error = SERVER_ERROR.exec(message)?.[1];
  return error === undefined ? `its ${which} message is no SCRAM message` : `it says: ${error}`;
}
