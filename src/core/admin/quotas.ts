// Quotas of users, client ids and addresses.

import type { KafkaError } from '../../errors.ts';
import { UsageError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import { describeClientQuotasApi } from '../protocol/messages/48-describe-client-quotas.ts';
import { alterClientQuotasApi } from '../protocol/messages/49-alter-client-quotas.ts';
import { list } from './checks.ts';
import { codeOf } from './codes.ts';
import type { AdminOptions } from './outcomes.ts';
import { settleAll, settleOne } from './outcomes.ts';
import { controllerFor } from './routing.ts';

export type QuotaEntityType = 'user' | 'client-id' | 'ip';

/** Whose quota it is, by type; null is the default of that type. */
export type QuotaEntity = { readonly [type in QuotaEntityType]?: string | null | undefined };

/** Values by Kafka's names: `producer_byte_rate`, `consumer_byte_rate`, `request_percentage`, `controller_mutation_rate`, ... */
export interface ClientQuota {
  readonly entity: QuotaEntity;
  readonly quotas: { readonly [name: string]: number };
}

/** Values to set; null removes one. */
export interface QuotaAlteration {
  readonly entity: QuotaEntity;
  readonly quotas: { readonly [name: string]: number | null };
}

/** One part of an entity to look for. */
export interface QuotaFilter {
  readonly entityType: QuotaEntityType;
  /** 'EXACT': the one of `name`; 'DEFAULT': the default; 'ANY': each one that has a name, and the default. */
  readonly matchType: 'EXACT' | 'DEFAULT' | 'ANY';
  /** With 'EXACT'. */
  readonly name?: string | undefined;
}

/** How `describeClientQuotas` looks. */
export interface DescribeQuotasOptions extends AdminOptions {
  /** Leave out entities that have parts of other types too; default false. */
  readonly strict?: boolean | undefined;
}

/** Limits of `alterClientQuotas`. */
export interface AlterQuotasOptions extends AdminOptions {
  /** Check only, change nothing. */
  readonly validateOnly?: boolean | undefined;
}

const MATCH_TYPES = { EXACT: 0, DEFAULT: 1, ANY: 2 } as const;
const ENTITY_TYPES = ['user', 'client-id', 'ip'];

export async function describeClientQuotas(
  cluster: Cluster,
  filters: readonly QuotaFilter[],
  options: DescribeQuotasOptions,
): Promise<ClientQuota[]> {
  list(filters, 'filters');
  const components = filters.map(({ entityType, matchType, name }, at) => ({
    entityType,
    matchType: codeOf(MATCH_TYPES, matchType, `filters[${at}].matchType`),
    match: matchType === 'EXACT' ? (name ?? '') : null,
  }));
  const api = describeClientQuotasApi;
  return settleOne(cluster, 'Describing quotas', options, async (attempt) => {
    const { timeoutMs, signal } = attempt;
    const nodeId = await controllerFor(cluster, attempt);
    const request = { components, strict: options.strict === true };
    const response = await cluster.send(nodeId, api, request, { timeoutMs, signal });
    const { errorCode, errorMessage: detail, entries } = response;
    if (errorCode !== 0) throw brokerError(errorCode, { api: api.name, detail });
    return (entries ?? []).map(({ entity, values }) => ({
      entity: Object.fromEntries(entity.map(({ entityType, entityName }) => [entityType, entityName])),
      quotas: Object.fromEntries(values.map(({ key, value }) => [key, value])),
    }));
  });
}

export async function alterClientQuotas(
  cluster: Cluster,
  alterations: readonly QuotaAlteration[],
  options: AlterQuotasOptions,
): Promise<void> {
  list(alterations, 'alterations');
  alterations.forEach(({ entity, quotas }, at) => {
    const option = `alterations[${at}]`;
    const types = Object.keys(entity);
    if (types.length === 0 || types.some((type) => !ENTITY_TYPES.includes(type)))
      throw new UsageError(`${option}.entity must have some of user, client-id and ip`, `${option}.entity`);
    for (const [name, value] of Object.entries(quotas))
      if (value !== null && !(typeof value === 'number' && value > 0))
        throw new UsageError(
          `${option}.quotas.${name} must be a number above 0, or null, not ${String(value)}`,
          `${option}.quotas.${name}`,
        );
  });
  const api = alterClientQuotasApi;
  await settleAll<QuotaAlteration, object>(
    cluster,
    'Changing quotas',
    alterations,
    options,
    async (attempt) => {
      const { pending, timeoutMs, signal } = attempt;
      const nodeId = await controllerFor(cluster, attempt);
      const request = { entries: pending.map(entry), validateOnly: options.validateOnly === true };
      const { entries } = await cluster.send(nodeId, api, request, { timeoutMs, signal });
      const outcomes = new Map<QuotaAlteration, object | KafkaError>();
      for (const alteration of pending) {
        const { length } = Object.keys(alteration.entity);
        const row = entries.find(
          ({ entity }) =>
            entity.length === length && entity.every((part) => isPartOf(alteration.entity, part)),
        );
        if (row === undefined) continue;
        const { errorCode, errorMessage: detail } = row;
        outcomes.set(alteration, errorCode === 0 ? {} : brokerError(errorCode, { api: api.name, detail }));
      }
      return outcomes;
    },
  );
}

function entry({ entity, quotas }: QuotaAlteration) {
  return {
    entity: Object.entries(entity).map(([entityType, name]) => ({ entityType, entityName: name ?? null })),
    ops: Object.entries(quotas).map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
  };
}

function isPartOf(
  entity: QuotaEntity,
  { entityType, entityName }: { readonly entityType: string; readonly entityName: string | null },
): boolean {
  return Object.hasOwn(entity, entityType) && (entity[entityType as QuotaEntityType] ?? null) === entityName;
}
