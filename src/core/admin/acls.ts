// Access control: who may do what.

import { KafkaError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import { describeAclsApi } from '../protocol/messages/29-describe-acls.ts';
import { createAclsApi } from '../protocol/messages/30-create-acls.ts';
import { deleteAclsApi } from '../protocol/messages/31-delete-acls.ts';
import type { AclOperation, AclPatternType, AclPermissionType, AclResourceType } from './acl-names.ts';
import { ACL_OPERATIONS, PATTERN_TYPES, PERMISSION_TYPES, RESOURCE_TYPES } from './acl-names.ts';
import { list, nonEmpty } from './checks.ts';
import { codeOf, nameOf } from './codes.ts';
import type { AdminOptions } from './outcomes.ts';
import { settleAll, settleOne } from './outcomes.ts';
import { controllerFor } from './routing.ts';

/** A rule of access control. */
export interface Acl {
  readonly resourceType: AclResourceType;
  readonly resourceName: string;
  /** Default 'LITERAL'. */
  readonly resourcePatternType?: AclPatternType | undefined;
  /** `User:name`; `User:*` for everybody. */
  readonly principal: string;
  /** Default '*': from anywhere. */
  readonly host?: string | undefined;
  readonly operation: AclOperation;
  /** Default 'ALLOW'. */
  readonly permissionType?: AclPermissionType | undefined;
}

/** Which rules; what is left out matches every one. */
export interface AclFilter {
  readonly resourceType?: AclResourceType | 'ANY' | undefined;
  readonly resourceName?: string | undefined;
  /** 'MATCH': every pattern that applies to `resourceName`. Default 'ANY'. */
  readonly resourcePatternType?: AclPatternType | 'ANY' | 'MATCH' | undefined;
  readonly principal?: string | undefined;
  readonly host?: string | undefined;
  readonly operation?: AclOperation | 'ANY' | undefined;
  readonly permissionType?: AclPermissionType | 'ANY' | undefined;
}

/** A rule as the cluster has it; words that a newer broker added are 'UNKNOWN'. */
export interface AclDescription {
  readonly resourceType: AclResourceType | 'ANY' | 'UNKNOWN';
  readonly resourceName: string;
  readonly resourcePatternType: AclPatternType | 'ANY' | 'MATCH' | 'UNKNOWN';
  readonly principal: string;
  readonly host: string;
  readonly operation: AclOperation | 'ANY' | 'UNKNOWN';
  readonly permissionType: AclPermissionType | 'ANY' | 'UNKNOWN';
}

export async function createAcls(
  cluster: Cluster,
  acls: readonly Acl[],
  options: AdminOptions,
): Promise<void> {
  list(acls, 'acls');
  const rows = new Map(acls.map((acl, at) => [acl, creation(acl, `acls[${at}]`)]));
  await settleAll<Acl, object>(cluster, 'Creating ACLs', acls, options, async (attempt) => {
    const { pending, timeoutMs, signal } = attempt;
    const nodeId = await controllerFor(cluster, attempt);
    const request = { creations: pending.map((acl) => rows.get(acl)!) };
    const { results } = await cluster.send(nodeId, createAclsApi, request, { timeoutMs, signal });
    const outcomes = new Map<Acl, object>();
    pending.forEach((acl, at) => {
      const row = results[at];
      if (row !== undefined) outcomes.set(acl, outcome(row, createAclsApi.name) ?? {});
    });
    return outcomes;
  });
}

export async function describeAcls(
  cluster: Cluster,
  filter: AclFilter,
  options: AdminOptions,
): Promise<AclDescription[]> {
  const request = criteria(filter, 'filter');
  return settleOne(cluster, 'Describing ACLs', options, async (attempt) => {
    const { timeoutMs, signal } = attempt;
    const nodeId = await controllerFor(cluster, attempt);
    const response = await cluster.send(nodeId, describeAclsApi, request, { timeoutMs, signal });
    const error = outcome(response, describeAclsApi.name);
    if (error !== undefined) throw error;
    return response.resources.flatMap(({ acls, ...resource }) =>
      acls.map((acl) => description({ ...resource, ...acl })),
    );
  });
}

/** Resolves with the rules that were deleted. */
export async function deleteAcls(
  cluster: Cluster,
  filters: readonly AclFilter[],
  options: AdminOptions,
): Promise<AclDescription[]> {
  list(filters, 'filters');
  const rows = new Map(filters.map((filter, at) => [filter, criteria(filter, `filters[${at}]`)]));
  const deleted = await settleAll<AclFilter, AclDescription[]>(
    cluster,
    'Deleting ACLs',
    filters,
    options,
    async (attempt) => {
      const { pending, timeoutMs, signal } = attempt;
      const nodeId = await controllerFor(cluster, attempt);
      const request = { filters: pending.map((filter) => rows.get(filter)!) };
      const { filterResults } = await cluster.send(nodeId, deleteAclsApi, request, { timeoutMs, signal });
      const outcomes = new Map<AclFilter, AclDescription[] | KafkaError>();
      pending.forEach((filter, at) => {
        const row = filterResults[at];
        if (row === undefined) return;
        const failed = [row, ...row.matchingAcls].map((one) => outcome(one, deleteAclsApi.name));
        const error = failed.find((one) => one instanceof KafkaError);
        outcomes.set(filter, error ?? row.matchingAcls.map(description));
      });
      return outcomes;
    },
  );
  return deleted.flat();
}

function creation(acl: Acl, option: string) {
  nonEmpty(acl.resourceName, `${option}.resourceName`);
  nonEmpty(acl.principal, `${option}.principal`);
  return {
    resourceType: codeOf(RESOURCE_TYPES, acl.resourceType, `${option}.resourceType`),
    resourceName: acl.resourceName,
    resourcePatternType: codeOf(
      PATTERN_TYPES,
      acl.resourcePatternType ?? 'LITERAL',
      `${option}.resourcePatternType`,
    ),
    principal: acl.principal,
    host: acl.host ?? '*',
    operation: codeOf(ACL_OPERATIONS, acl.operation, `${option}.operation`),
    permissionType: codeOf(PERMISSION_TYPES, acl.permissionType ?? 'ALLOW', `${option}.permissionType`),
  };
}

function criteria(filter: AclFilter, option: string) {
  const { resourceName, principal, host } = filter;
  return {
    resourceTypeFilter: codeOf(RESOURCE_TYPES, filter.resourceType ?? 'ANY', `${option}.resourceType`),
    resourceNameFilter: resourceName ?? null,
    patternTypeFilter: codeOf(
      PATTERN_TYPES,
      filter.resourcePatternType ?? 'ANY',
      `${option}.resourcePatternType`,
    ),
    principalFilter: principal ?? null,
    hostFilter: host ?? null,
    operation: codeOf(ACL_OPERATIONS, filter.operation ?? 'ANY', `${option}.operation`),
    permissionType: codeOf(PERMISSION_TYPES, filter.permissionType ?? 'ANY', `${option}.permissionType`),
  };
}

function description(row: {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly patternType: number;
  readonly principal: string;
  readonly host: string;
  readonly operation: number;
  readonly permissionType: number;
}): AclDescription {
  return {
    resourceType: nameOf(RESOURCE_TYPES, row.resourceType),
    resourceName: row.resourceName,
    resourcePatternType: nameOf(PATTERN_TYPES, row.patternType),
    principal: row.principal,
    host: row.host,
    operation: nameOf(ACL_OPERATIONS, row.operation),
    permissionType: nameOf(PERMISSION_TYPES, row.permissionType),
  };
}

function outcome(
  { errorCode, errorMessage: detail }: { readonly errorCode: number; readonly errorMessage: string | null },
  api: string,
): KafkaError | undefined {
  return errorCode === 0 ? undefined : brokerError(errorCode, { api, detail });
}
