// OAUTHBEARER (RFC 7628, KIP-255): a token that somebody else signed.

import type { SaslExchange } from './sasl-exchange.ts';
import type { OAuthBearerToken } from './sasl-options.ts';

const KEY_END = '\x01';
const ACKNOWLEDGED = Buffer.from([1]);
const MAX_SHOWN = 200;

/** One exchange with one token. */
export class OAuthBearerExchange implements SaslExchange {
  readonly #token: OAuthBearerToken;
  #refusal: string | undefined;

  constructor(token: OAuthBearerToken) {
    this.#token = token;
  }

  begin(): Buffer {
    const { value, extensions = {} } = this.#token;
    const pairs = Object.entries(extensions).map(([name, text]) => `${name}=${text}${KEY_END}`);
    return Buffer.from(`n,,${KEY_END}auth=Bearer ${value}${KEY_END}${pairs.join('')}${KEY_END}`, 'utf8');
  }

  /** A broker that refuses says why in a token, and refuses in form when that was acknowledged. */
  next(token: Buffer): Buffer | undefined {
    if (this.#refusal !== undefined) throw new Error(this.#refusal);
    if (token.length === 0) return undefined;
    this.#refusal = `it refused the token: ${token.toString('utf8').slice(0, MAX_SHOWN)}`;
    return ACKNOWLEDGED;
  }
}
