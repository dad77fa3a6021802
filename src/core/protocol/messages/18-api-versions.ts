import { api } from '../api.ts';
import { array, bool, int16, int32, offset, string } from '../schema.ts';

/**
 * The versions a broker speaks. Asked before everything else, so its response header is v0 in every version, and a broker that does not know the
 * version asked for answers UNSUPPORTED_VERSION with a body of version 0 (frame.ts).
 */
export const apiVersionsApi = api(
  { key: 18, name: 'ApiVersions', versions: '0-4', flexible: '3+' },
  {
    clientSoftwareName: string({ versions: '3+', ignorable: true }),
    clientSoftwareVersion: string({ versions: '3+', ignorable: true }),
  },
  {
    errorCode: int16(),
    apiKeys: array({ apiKey: int16(), minVersion: int16(), maxVersion: int16() }),
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    /** Features the broker can do; up to version 3 without those whose lowest level is 0. */
    supportedFeatures: array(
      { name: string(), minVersion: int16(), maxVersion: int16() },
      { versions: '3+', tag: 0, ignorable: true },
    ),
    /** Grows with every change of the finalized features; -1 when unknown. */
    finalizedFeaturesEpoch: offset({ versions: '3+', default: -1, tag: 1, ignorable: true }),
    /** Features in force in the whole cluster, such as `transaction.version`. */
    finalizedFeatures: array(
      { name: string(), maxVersionLevel: int16(), minVersionLevel: int16() },
      { versions: '3+', tag: 2, ignorable: true },
    ),
    zkMigrationReady: bool({ versions: '3+', default: false, tag: 3, ignorable: true }),
  },
);
