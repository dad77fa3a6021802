// The first words on a connection: which versions does the broker speak?

import { UnsupportedVersionError } from '../../errors.ts';
import type { RequestOf, ResponseOf } from '../protocol/api.ts';
import { ERRORS, errorCode } from '../protocol/error-codes.ts';
import { apiVersionsApi } from '../protocol/messages/18-api-versions.ts';

type ApiVersions = typeof apiVersionsApi;
type Ask = (
  api: ApiVersions,
  version: number,
  body: RequestOf<ApiVersions>,
) => Promise<ResponseOf<ApiVersions>>;

const SOFTWARE = { clientSoftwareName: 'sluice', clientSoftwareVersion: '0.1.0' };

/**
 * Asks for the broker's versions in our highest version of ApiVersions. A broker that does not know that one answers UNSUPPORTED_VERSION with
 * the range it does know, and is asked again inside it; one that names no range, in version 0.
 */
export async function handshake(ask: Ask): Promise<ResponseOf<ApiVersions>['apiKeys']> {
  const { maxVersion, minVersion, key } = apiVersionsApi;
  let answer = await ask(apiVersionsApi, maxVersion, SOFTWARE);
  if (answer.errorCode === ERRORS.UNSUPPORTED_VERSION) {
    const range = answer.apiKeys.find((entry) => entry.apiKey === key);
    const version = Math.max(minVersion, Math.min(maxVersion - 1, range?.maxVersion ?? 0));
    answer = await ask(apiVersionsApi, version, SOFTWARE);
  }
  if (answer.errorCode !== 0) {
    const { name, message } = errorCode(answer.errorCode);
    throw new UnsupportedVersionError(`refused to say which versions it speaks: ${name}: ${message}`, {
      api: apiVersionsApi.name,
    });
  }
  return answer.apiKeys;
}
