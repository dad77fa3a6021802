import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { topicNameProblem } from '../state/topic.ts';
import { describeConfigsApi } from '../../../core/protocol/messages/32-describe-configs.ts';
import { brokerConfigEntries, groupConfigEntries, RESOURCES, topicConfigEntries } from './config-entries.ts';
import type { ConfigEntry } from './config-entries.ts';

type Request = RequestRead<typeof describeConfigsApi>;
type Resource = Request['resources'][number];
type Result = ResponseInit<typeof describeConfigsApi>['results'][number];

export const describeConfigsHandler = serve(describeConfigsApi, {
  handle: (request, context) => ({
    results: request.resources.map((resource) => describe(resource, request.includeSynonyms, context)),
  }),
});

function describe(resource: Resource, withSynonyms: boolean, context: RequestContext): Result {
  const found = context.injected(resource.resourceName) || find(resource, context);
  const { resourceType, resourceName, configurationKeys: keys } = resource;
  const isWanted = ({ name }: ConfigEntry): boolean =>
    keys === null || keys.length === 0 || keys.includes(name);
  if (!Array.isArray(found)) {
    const refusal = typeof found === 'number' ? { code: found, message: '' } : found;
    const { code: errorCode, message: errorMessage } = refusal;
    return { errorCode, errorMessage, resourceType, resourceName, configs: [] };
  }
  const configs = found.filter(isWanted).map((entry) => ({
    ...entry,
    synonyms: withSynonyms ? entry.synonyms : [],
    documentation: null,
  }));
  return { errorCode: ERRORS.NONE, errorMessage: '', resourceType, resourceName, configs };
}

function find(
  resource: Resource,
  context: RequestContext,
): ConfigEntry[] | { readonly code: number; readonly message: string } {
  const { resourceType, resourceName: name } = resource;
  const { cluster } = context;
  if (resourceType === RESOURCES.TOPIC) {
    const problem = topicNameProblem(name);
    if (problem !== undefined) return { code: ERRORS.INVALID_TOPIC_EXCEPTION, message: problem };
    const topic = cluster.topics.get(name);
    if (topic === undefined) return { code: ERRORS.UNKNOWN_TOPIC_OR_PARTITION, message: '' };
    return topicConfigEntries(topic.config);
  }
  if (resourceType === RESOURCES.BROKER) {
    const { node } = context;
    if (name === '') return brokerConfigEntries(cluster, undefined);
    if (name === String(node.id)) return brokerConfigEntries(cluster, node);
    const message = `Unexpected broker id, expected ${node.id} or empty string, but received ${name}`;
    return { code: ERRORS.INVALID_REQUEST, message };
  }
  if (resourceType === RESOURCES.GROUP) return groupConfigEntries(cluster, name);
  return { code: ERRORS.INVALID_REQUEST, message: `Unknown resource type ${resourceType}` };
}
