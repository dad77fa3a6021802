// Features of the cluster: what its brokers can do, and what is in force.

import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import { apiVersionsApi } from '../protocol/messages/18-api-versions.ts';
import { updateFeaturesApi } from '../protocol/messages/57-update-features.ts';
import { list, nonEmpty } from './checks.ts';
import { codeOf } from './codes.ts';
import type { AdminOptions } from './outcomes.ts';
import { settleOne } from './outcomes.ts';
import { controllerFor } from './routing.ts';

/** Levels of a feature. */
export interface FeatureLevels {
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** Features by name: `metadata.version`, `transaction.version`, `group.version`, ... */
export interface FeatureDescription {
  /** What the asked broker can do. */
  readonly supported: readonly FeatureLevels[];
  /** What is in force in the whole cluster. */
  readonly finalized: readonly FeatureLevels[];
  /** Grows with every change of what is in force; -1 when unknown. */
  readonly finalizedEpoch: number;
}

/** A level to put in force; below 1 takes the feature out of force. */
export interface FeatureUpdate {
  readonly feature: string;
  readonly maxVersionLevel: number;
  /** Default 'UPGRADE'. 'SAFE_DOWNGRADE' loses nothing or is refused. */
  readonly upgradeType?: 'UPGRADE' | 'SAFE_DOWNGRADE' | 'UNSAFE_DOWNGRADE' | undefined;
}

/** Limits of `updateFeatures`. */
export interface UpdateFeaturesOptions extends AdminOptions {
  /** Check only, change nothing. */
  readonly validateOnly?: boolean | undefined;
}

const UPGRADE_TYPES = { UPGRADE: 1, SAFE_DOWNGRADE: 2, UNSAFE_DOWNGRADE: 3 } as const;
const ASKER = { clientSoftwareName: 'sluice', clientSoftwareVersion: '0.1.0' };

export async function describeFeatures(cluster: Cluster, options: AdminOptions): Promise<FeatureDescription> {
  return settleOne(cluster, 'Describing features', options, async ({ timeoutMs, signal }) => {
    const nodeId = await cluster.anyNode();
    const response = await cluster.send(nodeId, apiVersionsApi, ASKER, { timeoutMs, signal });
    if (response.errorCode !== 0) throw brokerError(response.errorCode, { api: apiVersionsApi.name });
    const { supportedFeatures, finalizedFeatures, finalizedFeaturesEpoch } = response;
    return {
      supported: supportedFeatures,
      finalized: finalizedFeatures.map(({ name, minVersionLevel, maxVersionLevel }) => ({
        name,
        minVersion: minVersionLevel,
        maxVersion: maxVersionLevel,
      })),
      finalizedEpoch: finalizedFeaturesEpoch,
    };
  });
}

/** All of them, or none. */
export async function updateFeatures(
  cluster: Cluster,
  updates: readonly FeatureUpdate[],
  options: UpdateFeaturesOptions,
): Promise<void> {
  list(updates, 'updates');
  const rows = updates.map(({ feature, maxVersionLevel, upgradeType = 'UPGRADE' }, at) => {
    nonEmpty(feature, `updates[${at}].feature`);
    const type = codeOf(UPGRADE_TYPES, upgradeType, `updates[${at}].upgradeType`);
    return { feature, maxVersionLevel, upgradeType: type };
  });
  const validateOnly = options.validateOnly === true;
  const api = updateFeaturesApi;
  await settleOne(cluster, 'Changing features', options, async (attempt) => {
    const { timeoutMs, signal } = attempt;
    const nodeId = await controllerFor(cluster, attempt);
    const response = await cluster.send(
      nodeId,
      api,
      (version) =>
        version < 1
          ? {
              timeoutMs,
              featureUpdates: rows.map(({ upgradeType, ...row }) => ({
                ...row,
                allowDowngrade: upgradeType !== UPGRADE_TYPES.UPGRADE,
              })),
              validateOnly,
            }
          : { timeoutMs, featureUpdates: rows, validateOnly },
      { timeoutMs, signal },
    );
    for (const { errorCode, errorMessage: detail } of [response, ...response.results])
      if (errorCode !== 0) throw brokerError(errorCode, { api: api.name, detail });
    return {};
  });
}
