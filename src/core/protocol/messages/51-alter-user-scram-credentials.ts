import { api } from '../api.ts';
import { array, bytes, int16, int32, int8, nullableString, string } from '../schema.ts';

/** Sets and removes SCRAM credentials; passwords are salted by the client and never sent. */
export const alterUserScramCredentialsApi = api(
  { key: 51, name: 'AlterUserScramCredentials', versions: '0-0', flexible: '0+' },
  {
    deletions: array({ name: string(), mechanism: int8() }),
    upsertions: array({
      name: string(),
      /** 1: SCRAM-SHA-256; 2: SCRAM-SHA-512. */
      mechanism: int8(),
      iterations: int32(),
      salt: bytes(),
      saltedPassword: bytes(),
    }),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    results: array({ user: string(), errorCode: int16(), errorMessage: nullableString() }),
  },
);
