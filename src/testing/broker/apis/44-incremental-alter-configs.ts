import type { RequestRead } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { incrementalAlterConfigsApi } from '../../../core/protocol/messages/44-incremental-alter-configs.ts';
import { serve } from '../handler.ts';
import type { Refusal } from '../log/check-batch.ts';
import { listOf } from '../state/config-definition.ts';
import { TOPIC_CONFIGS } from '../state/topic-config-definitions.ts';
import { alterResources } from './change-configs.ts';
import { DYNAMIC_BROKER_CONFIGS } from './config-entries.ts';

type Change = RequestRead<typeof incrementalAlterConfigsApi>['resources'][number]['configs'][number];

const SET = 0;
const DELETE = 1;
const APPEND = 2;
const SUBTRACT = 3;

export const incrementalAlterConfigsHandler = serve(incrementalAlterConfigsApi, {
  handle: (request, context) => ({
    responses: alterResources(request, context, ({ configs }, present) => {
      if (new Set(configs.map(({ name }) => name)).size < configs.length) {
        return { code: ERRORS.INVALID_REQUEST, message: 'Error due to duplicate config keys' };
      }
      const entries = new Map(present);
      for (const change of configs) {
        const refusal = apply(entries, change);
        if (refusal !== undefined) return refusal;
      }
      return entries;
    }),
  }),
});

function apply(entries: Map<string, string>, change: Change): Refusal | undefined {
  const { name, configOperation: operation, value } = change;
  if (operation === DELETE) {
    entries.delete(name);
    return undefined;
  }
  if (value === null)
    return { code: ERRORS.INVALID_REQUEST, message: `Null value not supported for : ${name}` };
  if (operation === SET) {
    entries.set(name, value);
    return undefined;
  }
  if (operation !== APPEND && operation !== SUBTRACT) {
    return { code: ERRORS.UNKNOWN_SERVER_ERROR, message: `Unknown config operation ${operation}` };
  }
  const definition = TOPIC_CONFIGS.get(name) ?? DYNAMIC_BROKER_CONFIGS.get(name);
  if (definition !== undefined && definition.type !== 'LIST') {
    const verb = operation === APPEND ? 'APPEND' : 'SUBTRACT';
    const message = `Can't ${verb} to key ${name} because its type is not LIST.`;
    return { code: ERRORS.INVALID_CONFIG, message };
  }
  const given = listOf(value);
  const present = listOf(entries.get(name) ?? definition?.defaultValue ?? '');
  const changed =
    operation === APPEND
      ? [...present, ...given.filter((element) => !present.includes(element))]
      : present.filter((element) => !given.includes(element));
  entries.set(name, changed.join(','));
  return undefined;
}
