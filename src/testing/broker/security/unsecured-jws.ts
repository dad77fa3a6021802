import type { Clock } from '../../../core/clock.ts';
import type { TokenClaims } from './sasl-options.ts';

interface Claims {
  readonly sub?: unknown;
  readonly exp?: unknown;
  readonly iat?: unknown;
}

/** Reads tokens that nobody signed (`alg` none), as Kafka's OAuthBearerUnsecuredValidatorCallbackHandler: `sub` and `exp` are needed. */
export function unsecuredJws(clock: Clock): (token: string) => TokenClaims | undefined {
  return (token) => {
    const parts = token.split('.');
    const [header, payload, signature] = parts;
    if (parts.length !== 3 || signature !== '') return undefined;
    const { alg } = json(header!) as { readonly alg?: unknown };
    const { sub, exp, iat } = json(payload!) as Claims;
    if (alg !== 'none' || typeof sub !== 'string' || sub === '' || typeof exp !== 'number') return undefined;
    const now = clock.wallNow();
    if (now >= exp * 1000 || (typeof iat === 'number' && iat * 1000 > now)) return undefined;
    return { principal: sub, expiresAtMs: exp * 1000 };
  };
}

function json(part: string): object {
  const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  return typeof value === 'object' && value !== null ? value : {};
}
