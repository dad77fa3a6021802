import { NO_TOKEN } from './sasl-exchange.ts';
import type { SaslExchange, SaslStep } from './sasl-exchange.ts';
import type { TokenClaims } from './sasl-options.ts';

/* eslint-disable no-control-regex -- the mechanism separates its fields with control characters */
const INITIAL = /^n,(?:a=((?:[^=,\x00]|=2C|=3D)+))?,\x01((?:[A-Za-z]+=[\x21-\x7e \t\r\n]+\x01)*)\x01$/;
const BEARER = /^bearer +([-_.a-zA-Z0-9]+)$/i;
const INVALID_TOKEN = '{"status":"invalid_token"}';
const ACKNOWLEDGED = 1;

/** OAUTHBEARER (RFC 7628): a token that somebody else signed. */
export class OAuthBearerExchange implements SaslExchange {
  readonly #validate: (token: string) => TokenClaims | undefined;
  #isRefused = false;

  constructor(validate: (token: string) => TokenClaims | undefined) {
    this.#validate = validate;
  }

  step(token: Buffer): SaslStep {
    // The client learns why before it is told so in form, and says that it has heard.
    if (this.#isRefused && token.length === 1 && token[0] === ACKNOWLEDGED) {
      return { kind: 'failed', message: INVALID_TOKEN };
    }
    const parts = INITIAL.exec(token.toString('utf8'));
    if (parts === null) return { kind: 'failed' };
    const [, authorizationId, pairs = ''] = parts;
    const auth = pairs.split('\x01').find((pair) => pair.startsWith('auth='));
    const bearer = BEARER.exec(auth?.slice('auth='.length) ?? '')?.[1];
    if (bearer === undefined) return { kind: 'failed' };
    const claims = this.#claimsOf(bearer);
    if (claims === undefined) {
      this.#isRefused = true;
      return { kind: 'more', token: Buffer.from(INVALID_TOKEN) };
    }
    const { principal, expiresAtMs } = claims;
    if (authorizationId !== undefined && authorizationId !== principal) {
      const message = `Authentication failed: Client requested an authorization id (${authorizationId}) that is different from the token's principal name (${principal})`;
      return { kind: 'failed', message };
    }
    return { kind: 'done', token: NO_TOKEN, principal, expiresAtMs };
  }

  /** A validator that throws has not said yes. */
  #claimsOf(bearer: string): TokenClaims | undefined {
    try {
      return this.#validate(bearer);
    } catch {
      return undefined;
    }
  }
}
