import type { RequestRead } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { describeClientQuotasApi } from '../../../core/protocol/messages/48-describe-client-quotas.ts';
import { serve } from '../handler.ts';
import type { Refusal } from '../log/check-batch.ts';
import type { QuotaEntity } from '../state/client-quotas.ts';
import { QUOTA_ENTITIES } from './49-alter-client-quotas.ts';

type Component = RequestRead<typeof describeClientQuotasApi>['components'][number];

const EXACT = 0;
const DEFAULT = 1;
const ANY = 2;

export const describeClientQuotasHandler = serve(describeClientQuotasApi, {
  handle({ components, strict }, { cluster }) {
    const problem = components.map(problemOf).find((one) => one !== undefined);
    if (problem !== undefined) {
      return { errorCode: problem.code, errorMessage: problem.message, entries: null };
    }
    const entries = cluster.quotas
      .all()
      .filter(({ entity }) => matches(entity, components, strict))
      .map(({ entity, values }) => ({
        entity,
        values: Array.from(values, ([key, value]) => ({ key, value })),
      }));
    return { errorCode: ERRORS.NONE, errorMessage: '', entries };
  },
  refuse: (_request, errorCode) => ({ errorCode, errorMessage: null, entries: null }),
});

function problemOf({ entityType, matchType, match }: Component): Refusal | undefined {
  if (!QUOTA_ENTITIES.has(entityType))
    return { code: ERRORS.UNSUPPORTED_VERSION, message: `Unsupported entity type ${entityType}` };
  const isKnown = matchType === EXACT || matchType === DEFAULT || matchType === ANY;
  if (!isKnown) return { code: ERRORS.INVALID_REQUEST, message: `Unknown match type ${matchType}` };
  if ((matchType === EXACT) === (match !== null)) return undefined;
  const what = match === null ? 'null' : 'non-null';
  const message = `Request specified match type ${matchType}, but the match string is ${what}.`;
  return { code: ERRORS.INVALID_REQUEST, message };
}

function matches(entity: QuotaEntity, components: readonly Component[], isStrict: boolean): boolean {
  if (isStrict && entity.length !== components.length) return false;
  return components.every(({ entityType, matchType, match }) => {
    const part = entity.find((one) => one.entityType === entityType);
    if (part === undefined) return false;
    if (matchType === ANY) return true;
    return part.entityName === (matchType === EXACT ? match : null);
  });
}
