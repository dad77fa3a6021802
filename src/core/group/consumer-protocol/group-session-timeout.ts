// How long the coordinator waits for a member, which only its configuration says.

import type { Cluster } from '../../cluster/cluster.ts';
import { describeConfigsApi } from '../../protocol/messages/32-describe-configs.ts';

/** Kafka's resource type of groups. */
const GROUP_RESOURCE = 32;
const SESSION_TIMEOUT = 'consumer.session.timeout.ms';

/**
 * The group's `consumer.session.timeout.ms`, which is the broker's where the group has none of its own. Undefined where nobody says: the broker
 * knows no configurations of groups, or the principal may not see them (DESCRIBE_CONFIGS on the group).
 */
export async function groupSessionTimeoutMs(
  cluster: Cluster,
  nodeId: number,
  groupId: string,
): Promise<number | undefined> {
  const resources = [
    { resourceType: GROUP_RESOURCE, resourceName: groupId, configurationKeys: [SESSION_TIMEOUT] },
  ];
  try {
    const { results } = await cluster.send(nodeId, describeConfigsApi, { resources });
    const value = results[0]?.configs.find(({ name }) => name === SESSION_TIMEOUT)?.value;
    const ms = Number(value ?? Number.NaN);
    return Number.isInteger(ms) && ms > 0 ? ms : undefined;
  } catch {
    return undefined;
  }
}
