/** The node's certificate, and what it wants of clients; as for `node:tls`. */
export interface TlsServerOptions {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
  readonly passphrase?: string | undefined;
  /** Whose certificates are trusted where clients show theirs. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** Clients are asked for a certificate (`ssl.client.auth`); default false. */
  readonly requestCert?: boolean | undefined;
  /** Of those who are asked, who shows none that is trusted is sent away; default true. */
  readonly rejectUnauthorized?: boolean | undefined;
}
