// PLAIN (RFC 4616): name and password as they are. Only for connections in TLS.

import type { SaslCredentials } from './sasl-options.ts';
import type { SaslExchange } from './sasl-exchange.ts';

const SEPARATOR = '\0';

/** The one message of PLAIN. */
export function plainExchange({ username, password }: SaslCredentials): SaslExchange {
  return {
    begin: () => Buffer.from(`${SEPARATOR}${username}${SEPARATOR}${password}`, 'utf8'),
    next: () => undefined,
  };
}
