// How a program says who it is: kafkajs's shapes, and a function wherever a secret may change while the program runs.

import type { SaslBroker, SaslExchange } from './sasl-exchange.ts';

/** Name and password. */
export interface SaslCredentials {
  readonly username: string;
  readonly password: string;
}

/** What a provider makes, called for every connection and every re-authentication; calls that overlap share one. */
export type SaslProvider<T> = () => T | Promise<T>;

/** A password mechanism. PLAIN sends the password as it is: use it with `ssl` only. */
export type PasswordSaslOptions = {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
} & (
  | SaslCredentials
  /** Asked each time, so that a password can be changed without a restart. */
  | { readonly credentials: SaslProvider<SaslCredentials> }
);

/** A bearer token. */
export interface OAuthBearerToken {
  /** The token itself, as it goes into the Authorization header of HTTP. */
  readonly value: string;
  /** Further pairs for the broker (KIP-342); names of letters. */
  readonly extensions?: { readonly [name: string]: string } | undefined;
}

/** Tokens of an authorization server. */
export interface OAuthBearerSaslOptions {
  readonly mechanism: 'oauthbearer';
  /** Gives a token that is valid now; it should keep one until shortly before it ends. */
  readonly oauthBearerProvider: SaslProvider<OAuthBearerToken>;
}

/** A mechanism of one's own (GSSAPI, AWS_MSK_IAM, ...). */
export interface CustomSaslOptions {
  /** As brokers know it. */
  readonly mechanism: string;
  /** Starts one exchange with one broker. */
  readonly exchange: (broker: SaslBroker) => SaslExchange | Promise<SaslExchange>;
}

/** Who the client is. */
export type SaslOptions = PasswordSaslOptions | OAuthBearerSaslOptions | CustomSaslOptions;
