import { timingSafeEqual } from 'node:crypto';
import { AUTHORIZATION_DIFFERS } from './sasl-exchange.ts';
import type { SaslExchange, SaslStep } from './sasl-exchange.ts';
import { hash, hmac } from './scram-credential.ts';
import type { ScramCredential, ScramDigest } from './scram-credential.ts';

const FAILED: SaslStep = { kind: 'failed' };
const CLIENT_FIRST = /^n,(?:a=([^,]*))?,((?:m=[^,]+,)?n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/;
const CLIENT_FINAL = /^(c=([A-Za-z0-9+/=]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?),p=([A-Za-z0-9+/=]+)$/;

export interface ScramOptions {
  readonly digest: ScramDigest;
  readonly credentialOf: (user: string) => ScramCredential | undefined;
  /** The server's part of the nonce. */
  readonly nonce: string;
}

/** The server's side of SCRAM (RFC 5802), without channel binding. */
export class ScramExchange implements SaslExchange {
  readonly #options: ScramOptions;
  #begun: { user: string; nonce: string; messages: string; credential: ScramCredential } | undefined;

  constructor(options: ScramOptions) {
    this.#options = options;
  }

  step(token: Buffer): SaslStep {
    const text = token.toString('utf8');
    return this.#begun === undefined ? this.#begin(text) : this.#finish(text);
  }

  #begin(text: string): SaslStep {
    const parts = CLIENT_FIRST.exec(text);
    if (parts === null) return FAILED;
    const [, authorizationId = '', bare = '', name = '', clientNonce = ''] = parts;
    const user = name.replaceAll('=2C', ',').replaceAll('=3D', '=');
    const credential = this.#options.credentialOf(user);
    if (credential === undefined) return FAILED;
    if (authorizationId !== '' && authorizationId !== user) {
      return { kind: 'failed', message: AUTHORIZATION_DIFFERS };
    }
    const nonce = clientNonce + this.#options.nonce;
    const { salt, iterations } = credential;
    const answer = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`;
    this.#begun = { user, nonce, messages: `${bare},${answer}`, credential };
    return { kind: 'more', token: Buffer.from(answer) };
  }

  #finish(text: string): SaslStep {
    const { user, nonce, messages, credential } = this.#begun!;
    const { digest } = this.#options;
    const [, withoutProof = '', binding = '', givenNonce = '', proofText = ''] =
      CLIENT_FINAL.exec(text) ?? [];
    const proof = Buffer.from(proofText, 'base64');
    const isBound = Buffer.from(binding, 'base64').toString('latin1').startsWith('n,');
    if (!isBound || givenNonce !== nonce || proof.length !== credential.storedKey.length) return FAILED;
    const authMessage = `${messages},${withoutProof}`;
    const signature = hmac(digest, credential.storedKey, authMessage);
    const clientKey = Buffer.from(proof.map((byte, at) => byte ^ signature[at]!));
    if (!timingSafeEqual(hash(digest, clientKey), credential.storedKey)) return FAILED;
    const verifier = hmac(digest, credential.serverKey, authMessage).toString('base64');
    return { kind: 'done', token: Buffer.from(`v=${verifier}`), principal: user };
  }
}
