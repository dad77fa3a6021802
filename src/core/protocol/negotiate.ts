import { UnsupportedVersionError } from '../../errors.ts';
import type { AnyApi } from './api.ts';

/** The versions of one API that a broker announced. */
export interface BrokerRange {
  readonly minVersion: number;
  readonly maxVersion: number;
}

/**
 * The highest version of `api` that we and the broker speak. `range` is what the broker announced, undefined when it does not know the API.
 * @throws UnsupportedVersionError naming both ranges.
 */
export function pickVersion(api: AnyApi, range: BrokerRange | undefined): number {
  const ours = `${api.minVersion} to ${api.maxVersion}`;
  if (range === undefined) {
    throw new UnsupportedVersionError(
      `The broker does not offer ${api.name} (api key ${api.key}); this client speaks versions ${ours}`,
      {
        api: api.name,
      },
    );
  }
  const version = Math.min(api.maxVersion, range.maxVersion);
  if (version >= Math.max(api.minVersion, range.minVersion)) return version;
  throw new UnsupportedVersionError(
    `No version of ${api.name} in common: this client speaks ${ours}, the broker ${range.minVersion} to ${range.maxVersion}`,
    { api: api.name },
  );
}
