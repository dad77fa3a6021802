import { CONFIG_TYPES } from '../state/config-definition.ts';
import type { ConfigDefinition } from '../state/config-definition.ts';
import type { ClusterState, NodeState } from '../state/cluster-state.ts';
import { TOPIC_CONFIGS } from '../state/topic-config-definitions.ts';
import type { TopicConfig } from '../state/topic-config.ts';

/** What a configuration belongs to. */
export const RESOURCES = { TOPIC: 2, BROKER: 4, GROUP: 32 } as const;

/** Where a value comes from. */
const SOURCES = {
  TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
  DYNAMIC_GROUP: 8,
} as const;

/** One configuration as DescribeConfigs and CreateTopics show it. */
export interface ConfigEntry {
  readonly name: string;
  readonly value: string;
  readonly readOnly: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
  readonly configType: number;
  readonly synonyms: readonly { readonly name: string; readonly value: string; readonly source: number }[];
}

/** Broker configurations that may be changed while it runs: the defaults of its topics. */
export const DYNAMIC_BROKER_CONFIGS: ReadonlyMap<string, ConfigDefinition> = new Map(
  Array.from(TOPIC_CONFIGS.values()).flatMap((definition) =>
    definition.synonym === undefined ? [] : [[definition.synonym, definition] as const],
  ),
);

/** Every configuration of a topic. */
export function topicConfigEntries(config: TopicConfig): ConfigEntry[] {
  return Array.from(TOPIC_CONFIGS, ([name, definition]) => {
    const { defaultValue, synonym } = definition;
    const own = config.entries.get(name);
    const synonyms = own === undefined ? [] : [{ name, value: own, source: SOURCES.TOPIC }];
    if (synonym !== undefined) {
      synonyms.push({ name: synonym, value: defaultValue, source: SOURCES.DEFAULT as never });
    }
    return {
      name,
      value: own ?? defaultValue,
      readOnly: false,
      configSource: own === undefined ? SOURCES.DEFAULT : SOURCES.TOPIC,
      isSensitive: false,
      configType: CONFIG_TYPES[definition.type],
      synonyms,
    };
  });
}

/** Every configuration of a node, or with no node only what was set for all of them. */
export function brokerConfigEntries(cluster: ClusterState, node: NodeState | undefined): ConfigEntry[] {
  const forAll = cluster.brokerConfigs.get('') ?? new Map<string, string>();
  if (node === undefined) {
    return Array.from(forAll, ([name, value]) =>
      dynamicEntry(name, value, SOURCES.DYNAMIC_DEFAULT_BROKER, DYNAMIC_BROKER_CONFIGS.get(name)!),
    );
  }
  const own = cluster.brokerConfigs.get(String(node.id));
  const dynamic = Array.from(DYNAMIC_BROKER_CONFIGS, ([name, definition]) => {
    const ownValue = own?.get(name);
    if (ownValue !== undefined) return dynamicEntry(name, ownValue, SOURCES.DYNAMIC_BROKER, definition);
    const value = forAll.get(name);
    if (value !== undefined) return dynamicEntry(name, value, SOURCES.DYNAMIC_DEFAULT_BROKER, definition);
    return dynamicEntry(name, definition.defaultValue, SOURCES.DEFAULT, definition);
  });
  return [...staticEntries(cluster, node), ...dynamic];
}

/** What a group of the consumer protocol goes by. */
export function groupConfigEntries({ groupConfigs }: ClusterState, groupId: string): ConfigEntry[] {
  const own = groupConfigs.of(groupId);
  return Array.from(groupConfigs.definitions(), ([name, { type, defaultValue }]) => {
    const value = own.get(name);
    return {
      name,
      value: value ?? defaultValue,
      readOnly: false,
      configSource: value === undefined ? SOURCES.DEFAULT : SOURCES.DYNAMIC_GROUP,
      isSensitive: false,
      configType: CONFIG_TYPES[type],
      synonyms: [
        ...(value === undefined ? [] : [{ name, value, source: SOURCES.DYNAMIC_GROUP }]),
        { name: `group.${name}`, value: defaultValue, source: SOURCES.DEFAULT },
      ],
    };
  });
}

function dynamicEntry(
  name: string,
  value: string,
  source: number,
  definition: ConfigDefinition,
): ConfigEntry {
  return {
    name,
    value,
    readOnly: false,
    configSource: source,
    isSensitive: false,
    configType: CONFIG_TYPES[definition.type],
    synonyms: [{ name, value, source }],
  };
}

function staticEntries(cluster: ClusterState, node: NodeState): ConfigEntry[] {
  const { settings } = cluster;
  const numbers: [string, number][] = [
    ['node.id', node.id],
    ['default.replication.factor', settings.defaultReplicationFactor],
    ['group.initial.rebalance.delay.ms', settings.group.initialRebalanceDelayMs],
    ['group.max.session.timeout.ms', settings.group.maxSessionTimeoutMs],
    ['group.min.session.timeout.ms', settings.group.minSessionTimeoutMs],
    ['num.partitions', settings.defaultPartitions],
    ['socket.request.max.bytes', settings.maxRequestBytes],
  ];
  const entry = (name: string, value: string, configType: number): ConfigEntry => ({
    name,
    value,
    readOnly: true,
    configSource: SOURCES.STATIC_BROKER,
    isSensitive: false,
    configType,
    synonyms: [{ name, value, source: SOURCES.STATIC_BROKER }],
  });
  return [
    ...numbers.map(([name, value]) => entry(name, String(value), CONFIG_TYPES.INT)),
    entry('auto.create.topics.enable', String(settings.autoCreateTopics), CONFIG_TYPES.BOOLEAN),
  ];
}
