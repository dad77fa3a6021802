// The option `ssl`: what `tls.connect` takes, checked before anything is dialled.

import type { ConnectionOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import { UsageError } from '../../errors.ts';

/** TLS options: `ca`, `cert`, `key`, `passphrase`, `pfx`, `servername`, `rejectUnauthorized`, ... as for Node's `tls.connect`. */
export type TlsOptions = ConnectionOptions;

/** True for TLS with Node's authorities; options; or a function that gives them for each connection, so that certificates can be renewed. */
export type TlsInit = boolean | TlsOptions | (() => TlsOptions | Promise<TlsOptions>);

/** What to dial with; undefined for plaintext. Throws UsageError for options that make no TLS context, without showing any of them. */
export function tlsSource(
  ssl: TlsInit | undefined,
): TlsOptions | (() => TlsOptions | Promise<TlsOptions>) | undefined {
  if (ssl === undefined || ssl === false) return undefined;
  if (typeof ssl !== 'function') return checked(ssl === true ? {} : ssl);
  return () => {
    const given = ssl();
    return given instanceof Promise ? given.then(checked) : checked(given);
  };
}

function checked(options: TlsOptions): TlsOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const kind = options === null ? 'null' : Array.isArray(options) ? 'a list' : `a ${typeof options}`;
    throw new UsageError(`ssl must be true, false, an object or a function, not ${kind}`, 'ssl');
  }
  const { rejectUnauthorized, servername } = options as {
    rejectUnauthorized?: unknown;
    servername?: unknown;
  };
  if (rejectUnauthorized !== undefined && typeof rejectUnauthorized !== 'boolean')
    throw new UsageError(
      `ssl.rejectUnauthorized must be true or false, not a ${typeof rejectUnauthorized}`,
      'ssl.rejectUnauthorized',
    );
  if (servername !== undefined && (typeof servername !== 'string' || servername === ''))
    throw new UsageError('ssl.servername must be a host name', 'ssl.servername');
  if (options.secureContext !== undefined) return options;
  try {
    // Made once: reading certificates for every connection would cost milliseconds each.
    return { ...options, secureContext: createSecureContext(options) };
  } catch (error) {
    throw new UsageError(`ssl makes no TLS context: ${reason(error)}`, 'ssl');
  }
}

/** OpenSSL's words without its numbers; they name what is wrong and never the key. */
function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const { code } = error as { code?: unknown };
  const words = text.startsWith('error:') ? (text.split(':').at(-1) ?? text) : text;
  return `${words}${typeof code === 'string' ? ` (${code})` : ''}; look at ca, cert, key and passphrase`;
}
