import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { RequestContext } from '../handler.ts';
import type { Refusal } from '../log/check-batch.ts';
import { configProblem } from '../state/config-definition.ts';
import { TopicConfig } from '../state/topic-config.ts';
import { DYNAMIC_BROKER_CONFIGS, RESOURCES } from './config-entries.ts';

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
}

interface Response extends Resource {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

type Entries = ReadonlyMap<string, string>;

/** What can be changed of one resource. */
interface Target {
  readonly entries: Entries;
  /** What is wrong with these values. */
  problem(entries: Entries): Refusal | undefined;
  put(entries: Entries): void;
}

/** Puts what `change` makes of the present entries in force, resource by resource. */
export function alterResources<R extends Resource>(
  request: { readonly resources: readonly R[]; readonly validateOnly: boolean },
  context: RequestContext,
  change: (resource: R, present: Entries) => Entries | Refusal,
): Response[] {
  const { resources, validateOnly } = request;
  return resources.map((resource, at) => {
    const { resourceType, resourceName } = resource;
    const refusal = alter(resource, at);
    return {
      errorCode: refusal?.code ?? ERRORS.NONE,
      errorMessage: refusal?.message ?? null,
      resourceType,
      resourceName,
    };
  });

  function alter(resource: R, at: number): Refusal | undefined {
    const injected = context.injected(resource.resourceName);
    if (injected !== ERRORS.NONE) return { code: injected, message: 'injected' };
    const isSame = (other: R): boolean =>
      other.resourceType === resource.resourceType && other.resourceName === resource.resourceName;
    if (resources.some((other, place) => place !== at && isSame(other))) {
      return { code: ERRORS.INVALID_REQUEST, message: 'Each resource must appear at most once.' };
    }
    const target = targetOf(resource, context);
    if ('code' in target) return target;
    const changed = change(resource, target.entries);
    if ('code' in changed) return changed;
    const refusal = target.problem(changed);
    if (refusal === undefined && !validateOnly) target.put(changed);
    return refusal;
  }
}

function targetOf(resource: Resource, context: RequestContext): Target | Refusal {
  const { resourceType, resourceName: name } = resource;
  if (resourceType === RESOURCES.TOPIC) return topicTarget(name, context);
  if (resourceType === RESOURCES.BROKER) return brokerTarget(name, context);
  if (resourceType === RESOURCES.GROUP) return groupTarget(name, context);
  return { code: ERRORS.INVALID_REQUEST, message: `Unknown resource type ${resourceType}` };
}

function topicTarget(name: string, context: RequestContext): Target | Refusal {
  if (name === '')
    return { code: ERRORS.INVALID_REQUEST, message: 'Default topic resources are not allowed.' };
  const topic = context.cluster.topics.get(name);
  if (topic === undefined) {
    return { code: ERRORS.UNKNOWN_TOPIC_OR_PARTITION, message: `The topic '${name}' does not exist.` };
  }
  return {
    entries: topic.config.entries,
    problem(entries) {
      const message = TopicConfig.problem(entries);
      return message === undefined ? undefined : { code: ERRORS.INVALID_CONFIG, message };
    },
    put(entries) {
      topic.config = new TopicConfig(entries);
    },
  };
}

function groupTarget(name: string, { cluster }: RequestContext): Target | Refusal {
  if (name === '')
    return { code: ERRORS.INVALID_REQUEST, message: 'Default group resources are not allowed.' };
  const { groupConfigs } = cluster;
  return {
    entries: groupConfigs.of(name),
    problem(entries) {
      const message = groupConfigs.problem(entries);
      return message === undefined ? undefined : { code: ERRORS.INVALID_CONFIG, message };
    },
    put: (entries) => groupConfigs.put(name, entries),
  };
}

/** The defaults of topics: kept and shown, so that tools work; topics here keep their own. */
function brokerTarget(name: string, context: RequestContext): Target | Refusal {
  const { cluster, node } = context;
  if (name !== '' && name !== String(node.id)) {
    const message = `Unexpected broker id, expected ${node.id}, but received ${name}`;
    return { code: ERRORS.INVALID_REQUEST, message };
  }
  return {
    entries: cluster.brokerConfigs.get(name) ?? new Map<string, string>(),
    problem(entries) {
      const fixed = [...entries.keys()].filter((config) => !DYNAMIC_BROKER_CONFIGS.has(config));
      if (fixed.length > 0) {
        const message = `Cannot update these configs dynamically: [${fixed.join(', ')}]`;
        return { code: ERRORS.INVALID_REQUEST, message };
      }
      for (const [config, value] of entries) {
        const message = configProblem(config, value, DYNAMIC_BROKER_CONFIGS.get(config)!);
        if (message !== undefined) return { code: ERRORS.INVALID_CONFIG, message };
      }
      return undefined;
    },
    put: (entries) => cluster.brokerConfigs.set(name, entries),
  };
}
