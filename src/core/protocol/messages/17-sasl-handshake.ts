import { api } from '../api.ts';
import { array, int16, string } from '../schema.ts';

/** Chooses the SASL mechanism of a connection. After version 0 the tokens travel bare, after version 1 in SaslAuthenticate. */
export const saslHandshakeApi = api(
  { key: 17, name: 'SaslHandshake', versions: '0-1' },
  {
    /** 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'. */
    mechanism: string(),
  },
  {
    errorCode: int16(),
    /** The mechanisms that the broker takes. */
    mechanisms: array(string()),
  },
);
