import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { apiVersionsApi } from '../../../core/protocol/messages/18-api-versions.ts';
import { serve } from '../handler.ts';
import type { Handler, RequestContext } from '../handler.ts';
import type { Features } from '../state/features.ts';
import type { OfferedApi } from './registry.ts';

type Request = RequestRead<typeof apiVersionsApi>;
type Response = ResponseInit<typeof apiVersionsApi>;
type ApiVersion = Response['apiKeys'][number];

const SOFTWARE_FROM = 3;
/** Before it, a range that starts at 0 would break clients, so such features are left out. */
const ZERO_FEATURES_FROM = 4;
const FEATURES_EPOCH = 1;

/** Answers with what the cluster offers, and its features. */
export function apiVersionsHandler(offered: () => Iterable<OfferedApi>): Handler<typeof apiVersionsApi> {
  return serve(apiVersionsApi, {
    handle(request, context) {
      if (!isNamed(request, context)) return { errorCode: ERRORS.INVALID_REQUEST, apiKeys: [] };
      const apiKeys = Array.from(offered(), describe);
      return { errorCode: ERRORS.NONE, apiKeys, ...featuresOf(context.cluster.features, context.version) };
    },
    refuse: (_request, errorCode) => ({ errorCode, apiKeys: [] }),
  });
}

/** The answer to a version of ApiVersions that is not known; to be encoded in version 0, which everyone can read. */
export function unknownVersion(own: OfferedApi): Response {
  return { errorCode: ERRORS.UNSUPPORTED_VERSION, apiKeys: [describe(own)] };
}

function describe(offered: OfferedApi): ApiVersion {
  return { apiKey: offered.key, minVersion: offered.announcedFrom, maxVersion: offered.maxVersion };
}

function isNamed(request: Request, context: RequestContext): boolean {
  if (context.version < SOFTWARE_FROM) return true;
  const name = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;
  return name.test(request.clientSoftwareName) && name.test(request.clientSoftwareVersion);
}

function featuresOf(features: Features, version: number): Partial<Response> {
  const supported = features.supported();
  return {
    supportedFeatures:
      version >= ZERO_FEATURES_FROM ? supported : supported.filter(({ minVersion }) => minVersion > 0),
    finalizedFeaturesEpoch: FEATURES_EPOCH,
    finalizedFeatures: features
      .finalized()
      .map(([name, level]) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
  };
}
