// A SASL mechanism as a connection sees it: tokens out, tokens in.

/** The broker that a connection is being authenticated to. */
export interface SaslBroker {
  readonly host: string;
  readonly port: number;
}

/** One run of a mechanism, from the client's side. */
export interface SaslExchange {
  /** The client's first token. */
  begin(): Uint8Array | Promise<Uint8Array>;
  /**
   * The client's answer to a token of the broker; undefined when the broker has had the last word. Throws (or rejects) when the broker does
   * not prove itself; then the connection is closed and nothing is sent on it.
   */
  next(token: Buffer): Uint8Array | undefined | Promise<Uint8Array | undefined>;
}

/** A mechanism with what it needs to know; starts one exchange for each connection and each re-authentication. */
export interface SaslMechanism {
  /** Kafka's name: 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER', 'GSSAPI', ... */
  readonly name: string;
  start(broker: SaslBroker): SaslExchange | Promise<SaslExchange>;
}
