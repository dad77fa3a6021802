// What went wrong in TLS, in words that say what to do.

/** A failure of TLS, as the end of a sentence that begins with the broker's address. */
export interface TlsFailure {
  readonly what: string;
  /** False for what stays as it is until somebody changes a certificate or a configuration. */
  readonly retriable: boolean;
}

const UNKNOWN_AUTHORITY =
  'shows a certificate of an authority that is not known here; name the authority in `ssl.ca`';
const NOT_TLS = 'does not speak TLS there; for a plaintext listener leave out `ssl`';
const CLIENT_CERTIFICATE =
  "did not accept this client's certificate; set `ssl.cert` and `ssl.key` to one that its authority signed and that is still valid";

const BY_CODE: { readonly [code: string]: string } = {
  CERT_HAS_EXPIRED: 'shows a certificate that has expired',
  CERT_NOT_YET_VALID: 'shows a certificate that is not valid yet; is the clock right?',
  CERT_REVOKED: 'shows a certificate that was revoked',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  ERR_SSL_WRONG_VERSION_NUMBER: NOT_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NOT_TLS,
  ERR_SSL_HTTP_REQUEST: NOT_TLS,
};
/** Alerts a broker sends when it wants a certificate, or another one, of the client. */
const ABOUT_OUR_CERTIFICATE =
  /ALERT_(?:CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|HANDSHAKE_FAILURE|ACCESS_DENIED)$/;

/** The failure that an error of a wire stands for; undefined when it is none of TLS. */
export function tlsFailure(cause: Error | undefined): TlsFailure | undefined {
  if (cause === undefined) return undefined;
  const code: unknown = (cause as { code?: unknown }).code;
  if (typeof code !== 'string') return undefined;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const reason: unknown = (cause as { reason?: unknown }).reason;
    const names = typeof reason === 'string' ? reason : 'the names do not match';
    return {
      what: `shows a certificate of another host (${names}); connect by a name it is made for, or set \`ssl.servername\``,
      retriable: false,
    };
  }
  const known = Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
  if (known !== undefined) return { what: known, retriable: false };
  if (code === 'ECONNRESET' && cause.message.includes('before secure TLS connection'))
    return {
      what: 'closed the connection in the middle of the TLS handshake; is it a plaintext listener? Then leave out `ssl`',
      retriable: true,
    };
  if (!code.startsWith('ERR_SSL_')) return undefined;
  if (ABOUT_OUR_CERTIFICATE.test(code)) return { what: `${CLIENT_CERTIFICATE} (${code})`, retriable: false };
  return { what: `failed in TLS (${code})`, retriable: false };
}
