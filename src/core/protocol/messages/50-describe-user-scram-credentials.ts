import { api } from '../api.ts';
import { array, int16, int32, int8, nullableArray, nullableString, string } from '../schema.ts';

/** Which users have SCRAM credentials; never the credentials. */
export const describeUserScramCredentialsApi = api(
  { key: 50, name: 'DescribeUserScramCredentials', versions: '0-0', flexible: '0+' },
  {
    /** Null asks for all. */
    users: nullableArray({ name: string() }),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: nullableString(),
    results: array({
      user: string(),
      errorCode: int16(),
      errorMessage: nullableString(),
      credentialInfos: array({
        /** 1: SCRAM-SHA-256; 2: SCRAM-SHA-512. */
        mechanism: int8(),
        iterations: int32(),
      }),
    }),
  },
);
