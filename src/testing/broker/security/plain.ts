import { createHash, timingSafeEqual } from 'node:crypto';
import { AUTHORIZATION_DIFFERS, NO_TOKEN } from './sasl-exchange.ts';
import type { SaslExchange, SaslStep } from './sasl-exchange.ts';

const failed = (message: string): SaslStep => ({ kind: 'failed', message });

/** PLAIN: authorization id, user name and password in one token. */
export class PlainExchange implements SaslExchange {
  readonly #passwordOf: (user: string) => string | undefined;

  constructor(passwordOf: (user: string) => string | undefined) {
    this.#passwordOf = passwordOf;
  }

  step(token: Buffer): SaslStep {
    const parts = token.toString('utf8').split('\0');
    if (parts.length !== 3) {
      return failed(`Invalid SASL/PLAIN response: expected 3 tokens, got ${Math.min(parts.length, 4)}`);
    }
    const [authorizationId, user, password] = parts as [string, string, string];
    if (user === '') return failed('Authentication failed: username not specified');
    if (password === '') return failed('Authentication failed: password not specified');
    const expected = this.#passwordOf(user);
    if (expected === undefined || !isSame(expected, password)) {
      return failed('Authentication failed: Invalid username or password');
    }
    if (authorizationId !== '' && authorizationId !== user) return failed(AUTHORIZATION_DIFFERS);
    return { kind: 'done', token: NO_TOKEN, principal: user };
  }
}

function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
