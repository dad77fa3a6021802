import type { Admin } from 'kafkajs';
import type { GroupConsumerOptions } from '../core/group/options.ts';
import { BrokerError } from '../errors.ts';

/** Kafka's own. */
const INTERNAL: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
]);

/** The names to subscribe to; a pattern is matched against the topics that exist now. */
export async function topicNames(
  admin: Pick<Admin, 'listTopics'>,
  { topics, excludeTopics = [] }: GroupConsumerOptions,
): Promise<string[]> {
  const isExcluded = (topic: string): boolean =>
    excludeTopics instanceof RegExp ? matches(excludeTopics, topic) : excludeTopics.includes(topic);
  const all =
    topics instanceof RegExp
      ? (await admin.listTopics()).filter((topic) => !INTERNAL.has(topic) && matches(topics, topic))
      : topics;
  const names = all.filter((topic) => !isExcluded(topic));
  if (names.length > 0) return names;
  throw new BrokerError(
    'UNKNOWN_TOPIC_OR_PARTITION',
    `No topic matches ${String(topics)}: kafkajs looks once, when the group is joined`,
    { retriable: true, api: 'Metadata' },
  );
}

/** Whatever its flags, from the start. */
function matches(pattern: RegExp, topic: string): boolean {
  pattern.lastIndex = 0;
  return pattern.test(topic);
}
