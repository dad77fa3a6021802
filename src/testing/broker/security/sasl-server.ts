import type { Clock, Random } from '../../../core/clock.ts';
import { UsageError } from '../../../errors.ts';
import { OAuthBearerExchange } from './oauth-bearer.ts';
import { PlainExchange } from './plain.ts';
import type { SaslExchange } from './sasl-exchange.ts';
import type { SaslMechanism, BrokerSaslOptions, TokenClaims } from './sasl-options.ts';
import { ScramExchange } from './scram.ts';
import { SCRAM_DIGESTS, scramCredential } from './scram-credential.ts';
import type { ScramCredential, ScramDigest, ScramMechanism } from './scram-credential.ts';
import { unsecuredJws } from './unsecured-jws.ts';

const SALT_BYTES = 16;
const NONCE_CHARS = 24;
const MECHANISMS: readonly SaslMechanism[] = ['PLAIN', 'SCRAM-SHA-512', 'SCRAM-SHA-256', 'OAUTHBEARER'];

type StoredCredentials = ReadonlyMap<string, ReadonlyMap<ScramMechanism, ScramCredential | undefined>>;

/** Who may connect to the cluster, and how they prove it. */
export class SaslServer {
  readonly mechanisms: readonly SaslMechanism[];
  readonly maxReauthMs: number;
  readonly clock: Clock;
  readonly #random: Random;
  readonly #passwords: ReadonlyMap<string, string>;
  readonly #validate: (token: string) => TokenClaims | undefined;
  readonly #credentials = new Map<string, ScramCredential>();
  readonly #stored: StoredCredentials;

  /** `stored`: credentials that clients have set, which come before those of the options. */
  constructor(options: BrokerSaslOptions, clock: Clock, random: Random, stored: StoredCredentials) {
    this.clock = clock;
    this.#stored = stored;
    this.#random = random;
    this.#passwords = new Map(Object.entries(options.users ?? {}));
    this.#validate = options.validateToken ?? unsecuredJws(clock);
    this.maxReauthMs = options.maxReauthMs ?? 0;
    this.mechanisms = options.mechanisms ?? this.#defaultMechanisms(options);
    const unknown = this.mechanisms.find((mechanism) => !MECHANISMS.includes(mechanism));
    if (unknown !== undefined) {
      const known = MECHANISMS.join(', ');
      throw new UsageError(
        `createBroker: there is no mechanism '${unknown as string}'; known are ${known}`,
        'sasl.mechanisms',
      );
    }
  }

  /** Those whose passwords the options have. */
  get users(): string[] {
    return [...this.#passwords.keys()];
  }

  /** A new run of a mechanism, undefined when it is none of ours. */
  start(mechanism: string): SaslExchange | undefined {
    const known = this.mechanisms.find((name) => name === mechanism);
    switch (known) {
      case undefined:
        return undefined;
      case 'PLAIN':
        return new PlainExchange((user) => this.#passwords.get(user));
      case 'OAUTHBEARER':
        return new OAuthBearerExchange(this.#validate);
      default: {
        const digest = SCRAM_DIGESTS[known];
        const credentialOf = (user: string): ScramCredential | undefined => {
          const stored = this.#stored.get(user);
          return stored?.has(known) === true ? stored.get(known) : this.#credentialOf(user, digest);
        };
        return new ScramExchange({ digest, credentialOf, nonce: this.#nonce() });
      }
    }
  }

  /** Derived at first use: it takes a moment, and most users use one mechanism. */
  #credentialOf(user: string, digest: ScramDigest): ScramCredential | undefined {
    const password = this.#passwords.get(user);
    if (password === undefined) return undefined;
    const key = `${digest}:${user}`;
    let credential = this.#credentials.get(key);
    if (credential === undefined) {
      const salt = Buffer.from(Array.from({ length: SALT_BYTES }, () => Math.floor(this.#random() * 256)));
      credential = scramCredential(digest, password, salt);
      this.#credentials.set(key, credential);
    }
    return credential;
  }

  #nonce(): string {
    return Array.from({ length: NONCE_CHARS }, () => Math.floor(this.#random() * 36).toString(36)).join('');
  }

  #defaultMechanisms(options: BrokerSaslOptions): SaslMechanism[] {
    const hasUsers = this.#passwords.size > 0;
    const hasTokens = !hasUsers || options.validateToken !== undefined;
    return MECHANISMS.filter((mechanism) => (mechanism === 'OAUTHBEARER' ? hasTokens : hasUsers));
  }
}
