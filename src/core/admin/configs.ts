// Configurations of topics, brokers, loggers, groups and client metrics.

import type { KafkaError } from '../../errors.ts';
import { UsageError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import type { ResponseOf } from '../protocol/api.ts';
import { describeConfigsApi } from '../protocol/messages/32-describe-configs.ts';
import { incrementalAlterConfigsApi } from '../protocol/messages/44-incremental-alter-configs.ts';
import { list } from './checks.ts';
import type { Codes } from './codes.ts';
import { codeOf, nameOf } from './codes.ts';
import type { AdminOptions, Attempt, Outcomes } from './outcomes.ts';
import { settleAll } from './outcomes.ts';
import { append, askEach } from './routing.ts';

/** What has configurations. */
export type ConfigResourceType = 'TOPIC' | 'BROKER' | 'BROKER_LOGGER' | 'CLIENT_METRICS' | 'GROUP';

/** One thing that has configurations. A broker is named by its node id; '' stands for what all brokers share. */
export interface ConfigResource {
  readonly type: ConfigResourceType;
  readonly name: string;
}

/** Which configurations to describe. */
export interface ConfigQuery extends ConfigResource {
  /** Default all. */
  readonly configNames?: readonly string[] | undefined;
}

/** Where a value comes from. */
export type ConfigSource =
  | 'DYNAMIC_TOPIC_CONFIG'
  | 'DYNAMIC_BROKER_CONFIG'
  | 'DYNAMIC_DEFAULT_BROKER_CONFIG'
  | 'STATIC_BROKER_CONFIG'
  | 'DEFAULT_CONFIG'
  | 'DYNAMIC_BROKER_LOGGER_CONFIG'
  | 'CLIENT_METRICS_CONFIG'
  | 'GROUP_CONFIG';

/** One configuration. */
export interface ConfigEntry {
  readonly name: string;
  /** Null for what is not set, and for what is sensitive. */
  readonly value: string | null;
  readonly source: ConfigSource | 'UNKNOWN';
  readonly isReadOnly: boolean;
  readonly isSensitive: boolean;
  /** Where else it is set, what holds first; empty unless asked for. */
  readonly synonyms: readonly {
    readonly name: string;
    readonly value: string | null;
    readonly source: ConfigSource | 'UNKNOWN';
  }[];
  /** Null unless asked for. */
  readonly documentation: string | null;
}

/** The configurations of one thing. */
export interface ConfigDescription extends ConfigResource {
  readonly configEntries: readonly ConfigEntry[];
}

/** What `describeConfigs` says beside the values. */
export interface DescribeConfigsOptions extends AdminOptions {
  readonly includeSynonyms?: boolean | undefined;
  readonly includeDocumentation?: boolean | undefined;
}

/** One change. 'append' and 'subtract' are for lists; 'delete' goes back to the default. */
export interface ConfigChange {
  readonly name: string;
  /** Default 'set'. */
  readonly operation?: 'set' | 'delete' | 'append' | 'subtract' | undefined;
  /** Not for 'delete'. */
  readonly value?: string | undefined;
}

/** Changes of one thing; what they do not name stays as it is. */
export interface ConfigAlteration extends ConfigResource {
  readonly configEntries: readonly ConfigChange[];
}

/** Limits of `alterConfigs`. */
export interface AlterConfigsOptions extends AdminOptions {
  /** Check only, change nothing. */
  readonly validateOnly?: boolean | undefined;
}

const TYPES: Codes<ConfigResourceType> = {
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32,
};
const SOURCES: Codes<ConfigSource> = {
  DYNAMIC_TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
  CLIENT_METRICS_CONFIG: 7,
  GROUP_CONFIG: 8,
};
const OPERATIONS = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

export async function describeConfigs(
  cluster: Cluster,
  resources: readonly ConfigQuery[],
  options: DescribeConfigsOptions,
): Promise<ConfigDescription[]> {
  check(resources);
  const { includeSynonyms = false, includeDocumentation = false } = options;
  return settleAll<ConfigQuery, ConfigDescription>(
    cluster,
    `Describing the configurations of ${namesOf(resources)}`,
    resources,
    options,
    (attempt) =>
      onTheirBrokers(cluster, attempt, async (nodeId, some) => {
        const { timeoutMs, signal } = attempt;
        const request = {
          resources: some.map(({ type, name, configNames }) => ({
            resourceType: TYPES[type],
            resourceName: name,
            configurationKeys: configNames ?? null,
          })),
          includeSynonyms,
          includeDocumentation,
        };
        const { results } = await cluster.send(
          nodeId,
          describeConfigsApi,
          (version) => (version < 3 ? { ...request, includeDocumentation: false } : request),
          { timeoutMs, signal },
        );
        return rowsOf(some, results, describeConfigsApi.name, ({ type, name }, { configs }) => ({
          type,
          name,
          configEntries: configs.map(entry),
        }));
      }),
  );
}

export async function alterConfigs(
  cluster: Cluster,
  resources: readonly ConfigAlteration[],
  options: AlterConfigsOptions,
): Promise<void> {
  check(resources);
  resources.forEach(({ configEntries }, at) => {
    list(configEntries, `resources[${at}].configEntries`);
    configEntries.forEach((change, n) => {
      const { operation = 'set', value } = change;
      const option = `resources[${at}].configEntries[${n}]`;
      codeOf(OPERATIONS, operation, `${option}.operation`);
      if ((operation === 'delete') === (typeof value === 'string'))
        throw new UsageError(
          `${option}.value must be a string, and is left out to delete`,
          `${option}.value`,
        );
    });
  });
  await settleAll<ConfigAlteration, object>(
    cluster,
    `Changing the configurations of ${namesOf(resources)}`,
    resources,
    options,
    (attempt) =>
      onTheirBrokers(cluster, attempt, async (nodeId, some) => {
        const { timeoutMs, signal } = attempt;
        const request = {
          resources: some.map(({ type, name, configEntries }) => ({
            resourceType: TYPES[type],
            resourceName: name,
            configs: configEntries.map((change) => ({
              name: change.name,
              configOperation: OPERATIONS[change.operation ?? 'set'],
              value: change.value ?? null,
            })),
          })),
          validateOnly: options.validateOnly === true,
        };
        const api = incrementalAlterConfigsApi;
        const { responses } = await cluster.send(nodeId, api, request, { timeoutMs, signal });
        return rowsOf(some, responses, api.name, () => ({}));
      }),
  );
}

function check(resources: readonly ConfigResource[]): void {
  list(resources, 'resources');
  resources.forEach(({ type, name }, at) => {
    codeOf(TYPES, type, `resources[${at}].type`);
    const isBroker = type === 'BROKER' || type === 'BROKER_LOGGER';
    const isRight = isBroker ? /^\d*$/.test(name) : name !== '';
    if (typeof name !== 'string' || !isRight)
      throw new UsageError(
        `resources[${at}].name must be ${isBroker ? 'a node id' : 'a name'} in a string, not ${JSON.stringify(name)}`,
        `resources[${at}].name`,
      );
  });
}

/** A broker answers for itself; everything else any broker does. */
async function onTheirBrokers<I extends ConfigResource, V extends object>(
  cluster: Cluster,
  { pending, n, signal }: Attempt<I>,
  ask: (nodeId: number, items: readonly I[]) => Promise<Outcomes<I, V>>,
): Promise<Outcomes<I, V>> {
  if (n > 1 || cluster.nodeIds().length === 0) await cluster.refresh([], signal);
  const any = await cluster.anyNode();
  const byNode = new Map<number, I[]>();
  for (const item of pending) {
    const isBroker = item.type === 'BROKER' || item.type === 'BROKER_LOGGER';
    append(byNode, isBroker && item.name !== '' ? Number(item.name) : any, item);
  }
  const outcomes = new Map<I, V | KafkaError>();
  await askEach(byNode, ask, outcomes);
  return outcomes;
}

interface Row {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly resourceType: number;
  readonly resourceName: string;
}

function rowsOf<I extends ConfigResource, R extends Row, V extends object>(
  items: readonly I[],
  rows: readonly R[],
  api: string,
  read: (item: I, row: R) => V,
): Map<I, V | KafkaError> {
  const outcomes = new Map<I, V | KafkaError>();
  for (const item of items) {
    const row = rows.find(
      ({ resourceType, resourceName }) => resourceType === TYPES[item.type] && resourceName === item.name,
    );
    if (row === undefined) continue;
    const detail = row.errorMessage ?? `${item.type} ${item.name}`;
    outcomes.set(item, row.errorCode === 0 ? read(item, row) : brokerError(row.errorCode, { api, detail }));
  }
  return outcomes;
}

type Entry = ResponseOf<typeof describeConfigsApi>['results'][number]['configs'][number];

function entry(row: Entry): ConfigEntry {
  const { name, value, readOnly, isSensitive, configSource, synonyms, documentation } = row;
  return {
    name,
    value,
    source: nameOf(SOURCES, configSource),
    isReadOnly: readOnly,
    isSensitive,
    synonyms: synonyms.map(({ source, ...rest }) => ({ ...rest, source: nameOf(SOURCES, source) })),
    documentation: documentation === '' ? null : documentation,
  };
}

function namesOf(resources: readonly ConfigResource[]): string {
  return resources.map(({ type, name }) => `${type.toLowerCase()} ${name}`).join(', ');
}
