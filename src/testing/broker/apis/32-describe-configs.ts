import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { describeConfigsApi } from '../tables/32-describe-configs.ts';

type Resource = RequestRead<typeof describeConfigsApi>['resources'][number];
type Result = ResponseInit<typeof describeConfigsApi>['results'][number];

const TOPIC = 2;
const BROKER = 4;
/** Where a value comes from. */
const DYNAMIC_TOPIC_CONFIG = 1;
const STATIC_BROKER_CONFIG = 4;
const DEFAULT_CONFIG = 5;

const TOPIC_DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['cleanup.policy', 'delete'],
  ['compression.type', 'producer'],
  ['max.message.bytes', '1048588'],
  ['message.timestamp.type', 'CreateTime'],
  ['min.insync.replicas', '1'],
  ['retention.bytes', '-1'],
  ['retention.ms', '-1'],
]);

export const describeConfigsHandler = serve(describeConfigsApi, {
  handle: (request, context) => ({
    results: request.resources.map((resource) => describe(resource, context)),
  }),
});

function describe(resource: Resource, context: RequestContext): Result {
  const injected = context.injected(resource.resourceName);
  if (injected !== ERRORS.NONE) return answer(resource, injected, null, []);
  if (resource.resourceType === TOPIC) return describeTopic(resource, context);
  if (resource.resourceType === BROKER) {
    const { settings } = context.cluster;
    const values = new Map([
      ['auto.create.topics.enable', String(settings.autoCreateTopics)],
      ['default.replication.factor', String(settings.defaultReplicationFactor)],
      ['num.partitions', String(settings.defaultPartitions)],
    ]);
    return answer(resource, ERRORS.NONE, null, configsOf(values, STATIC_BROKER_CONFIG));
  }
  return answer(resource, ERRORS.INVALID_REQUEST, `Unsupported resource type ${resource.resourceType}`, []);
}

function describeTopic(resource: Resource, context: RequestContext): Result {
  const topic = context.cluster.topics.get(resource.resourceName);
  if (topic === undefined) return answer(resource, ERRORS.UNKNOWN_TOPIC_OR_PARTITION, null, []);
  const { entries } = topic.config;
  const defaults = new Map([...TOPIC_DEFAULTS].filter(([name]) => !entries.has(name)));
  const configs = [...configsOf(entries, DYNAMIC_TOPIC_CONFIG), ...configsOf(defaults, DEFAULT_CONFIG)];
  return answer(resource, ERRORS.NONE, null, configs);
}

function configsOf(values: ReadonlyMap<string, string>, configSource: number): Result['configs'][number][] {
  return Array.from(values, ([name, value]) => ({
    name,
    value,
    readOnly: false,
    configSource,
    isSensitive: false,
    synonyms: [],
  }));
}

function answer(
  resource: Resource,
  errorCode: number,
  errorMessage: string | null,
  configs: readonly Result['configs'][number][],
): Result {
  const { resourceType, resourceName, configurationKeys: keys } = resource;
  const wanted = configs.filter(({ name }) => keys === null || keys.length === 0 || keys.includes(name));
  return { errorCode, errorMessage, resourceType, resourceName, configs: wanted };
}
