import type { RequestRead } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { alterClientQuotasApi } from '../../../core/protocol/messages/49-alter-client-quotas.ts';
import { serve } from '../handler.ts';
import type { ClientQuotas } from '../state/client-quotas.ts';

type Entry = RequestRead<typeof alterClientQuotasApi>['entries'][number];

export const QUOTA_ENTITIES: ReadonlySet<string> = new Set(['user', 'client-id', 'ip']);

const OF_CLIENTS: ReadonlySet<string> = new Set([
  'producer_byte_rate',
  'consumer_byte_rate',
  'request_percentage',
  'controller_mutation_rate',
]);
const OF_ADDRESSES: ReadonlySet<string> = new Set(['connection_creation_rate']);

export const alterClientQuotasHandler = serve(alterClientQuotasApi, {
  handle: ({ entries, validateOnly }, { cluster }) => ({
    entries: entries.map((entry) => {
      const problem = problemOf(entry) ?? change(entry, cluster.quotas, validateOnly);
      return {
        errorCode: problem === undefined ? ERRORS.NONE : ERRORS.INVALID_REQUEST,
        errorMessage: problem ?? null,
        entity: entry.entity,
      };
    }),
  }),
  refuse: ({ entries }, errorCode) => ({
    entries: entries.map(({ entity }) => ({ errorCode, errorMessage: null, entity })),
  }),
});

function problemOf({ entity, ops }: Entry): string | undefined {
  if (entity.length === 0) return 'Invalid empty client quota entity';
  const types = new Set(entity.map(({ entityType }) => entityType));
  if (types.size < entity.length) return 'Duplicate client quota entity type';
  const unknown = [...types].find((type) => !QUOTA_ENTITIES.has(type));
  if (unknown !== undefined) return `Unhandled client quota entity type: ${unknown}`;
  if (entity.some(({ entityName }) => entityName === '')) return 'Empty client quota entity name';
  if (types.has('ip') && types.size > 1)
    return 'Invalid quota entity combination, ip entity should not be combined with user or client-id';
  const known = types.has('ip') ? OF_ADDRESSES : OF_CLIENTS;
  const wrong = ops.find(({ key }) => !known.has(key));
  if (wrong !== undefined) return `Invalid configuration key ${wrong.key}`;
  const small = ops.find(({ remove, value }) => !remove && !(value > 0));
  return small === undefined ? undefined : `Quota ${small.key} must be greater than 0`;
}

function change({ entity, ops }: Entry, quotas: ClientQuotas, isTrial: boolean): string | undefined {
  const values = new Map(quotas.of(entity));
  for (const { key, value, remove } of ops) {
    if (remove) values.delete(key);
    else values.set(key, value);
  }
  if (isTrial || quotas.put(entity, values)) return undefined;
  return 'The cluster takes no more quotas.';
}
