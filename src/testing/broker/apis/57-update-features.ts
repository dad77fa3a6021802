import type { RequestRead } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { updateFeaturesApi } from '../../../core/protocol/messages/57-update-features.ts';
import { serve } from '../handler.ts';
import type { Features } from '../state/features.ts';

type Request = RequestRead<typeof updateFeaturesApi>;
type Update = Request['featureUpdates'][number];

const UPGRADE = 1;

export const updateFeaturesHandler = serve(updateFeaturesApi, {
  handle(request, { cluster, version }) {
    const { features } = cluster;
    const { featureUpdates: updates } = request;
    const problems = updates.map((update) => problemOf(update, features, version));
    const isGood = problems.every((problem) => problem === undefined);
    if (isGood && !request.validateOnly) {
      for (const { feature, maxVersionLevel } of updates) features.set(feature, Math.max(0, maxVersionLevel));
    }
    const first = problems.find((problem) => problem !== undefined);
    if (first !== undefined) {
      const errorMessage = `The update failed for all features since the following feature had an error: ${first}`;
      return { errorCode: ERRORS.INVALID_UPDATE_VERSION, errorMessage, results: [] };
    }
    const results = updates.map(({ feature }) => ({
      feature,
      errorCode: ERRORS.NONE,
      errorMessage: null,
    }));
    return { errorCode: ERRORS.NONE, errorMessage: null, results };
  },
  refuse: (_request, errorCode) => ({ errorCode, errorMessage: null, results: [] }),
});

function problemOf(
  { feature, maxVersionLevel: level, allowDowngrade, upgradeType }: Update,
  features: Features,
  version: number,
): string | undefined {
  const range = features.supported().find(({ name }) => name === feature);
  const what = `Invalid update version ${level} for feature ${feature}.`;
  if (range === undefined) return `${what} Local controller 0 does not support this feature.`;
  if (level > range.maxVersion || (level > 0 && level < range.minVersion))
    return `${what} Local controller only supports versions ${range.minVersion}-${range.maxVersion}`;
  const mayGoDown = version === 0 ? allowDowngrade : upgradeType !== UPGRADE;
  const present = features.finalized().find(([name]) => name === feature)?.[1] ?? 0;
  if (level < present && !mayGoDown) {
    return `${what} Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.`;
  }
  return feature === 'metadata.version' && level < range.minVersion
    ? `${what} The feature cannot be out of force.`
    : undefined;
}
