/** The SASL mechanisms that the box knows. */
export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER';

/** What a token of OAUTHBEARER says. */
export interface TokenClaims {
  readonly principal: string;
  /** When the token ends, milliseconds since 1970; the connection must be authenticated again by then. Undefined: it does not. */
  readonly expiresAtMs?: number | undefined;
}

/** Who may connect. Passwords stay in memory and are in no log, error or snapshot. */
export interface BrokerSaslOptions {
  /** Default: PLAIN and both SCRAMs where there are users, OAUTHBEARER where there are none or `validateToken` is given. */
  readonly mechanisms?: readonly SaslMechanism[] | undefined;
  /** Passwords by user name. */
  readonly users?: { readonly [name: string]: string } | undefined;
  /** Says whose token it is, undefined when it is nobody's. Default: unsecured JSON Web Signatures with `sub` and `exp`, as Kafka's for development. */
  readonly validateToken?: ((token: string) => TokenClaims | undefined) | undefined;
  /** After so many milliseconds a connection must be authenticated again (`connections.max.reauth.ms`); default 0: never. */
  readonly maxReauthMs?: number | undefined;
}
