import { api } from '../api.ts';
import { bytes, int16, nullableString, offset } from '../schema.ts';

/** One step of a SASL exchange; on a connection that is authenticated already, of a re-authentication (KIP-368). */
export const saslAuthenticateApi = api(
  { key: 36, name: 'SaslAuthenticate', versions: '0-2', flexible: '2+' },
  {
    /** The client's token, by its mechanism. */
    authBytes: bytes(),
  },
  {
    errorCode: int16(),
    errorMessage: nullableString(),
    /** The broker's token. */
    authBytes: bytes(),
    /** After so long the broker closes the connection unless it is authenticated again; 0: never. */
    sessionLifetimeMs: offset({ versions: '1+', default: 0, ignorable: true }),
  },
);
