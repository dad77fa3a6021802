import type { ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { apiVersionsApi } from '../../../core/protocol/messages/18-api-versions.ts';
import { serve } from '../handler.ts';
import type { Handler } from '../handler.ts';
import type { OfferedApi } from './registry.ts';

type ApiVersion = ResponseInit<typeof apiVersionsApi>['apiKeys'][number];

/** Answers with what the cluster offers. No features: without `transaction.version` clients keep to the first transaction protocol. */
export function apiVersionsHandler(offered: () => Iterable<OfferedApi>): Handler<typeof apiVersionsApi> {
  return serve(apiVersionsApi, {
    handle: () => ({ errorCode: ERRORS.NONE, apiKeys: Array.from(offered(), describe) }),
    refuse: (_request, errorCode) => ({ errorCode, apiKeys: [] }),
  });
}

/** The answer to a version of ApiVersions that is not known; to be encoded in version 0, which everyone can read. */
export function unknownVersion(own: OfferedApi): ResponseInit<typeof apiVersionsApi> {
  return { errorCode: ERRORS.UNSUPPORTED_VERSION, apiKeys: [describe(own)] };
}

function describe(offered: OfferedApi): ApiVersion {
  return { apiKey: offered.key, minVersion: offered.announcedFrom, maxVersion: offered.maxVersion };
}
