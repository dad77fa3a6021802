// Partitions as requests list them: by topic; and their rows in answers.

import type { KafkaError } from '../../errors.ts';
import type { TopicPartition } from './routing.ts';

/** The items of each topic. */
export function byTopic<I extends { readonly topic: string }>(items: readonly I[]): Map<string, I[]> {
  const topics = new Map<string, I[]>();
  for (const item of items) {
    const some = topics.get(item.topic);
    if (some === undefined) topics.set(item.topic, [item]);
    else some.push(item);
  }
  return topics;
}

/** The row of each item, in the shape most of Kafka's answers have. */
export function answers<
  I extends TopicPartition,
  R extends { readonly partitionIndex: number },
  V extends object,
>(
  items: readonly I[],
  topics: readonly { readonly name: string; readonly partitions: readonly R[] }[],
  read: (row: R, item: I) => V | KafkaError,
): Map<I, V | KafkaError> {
  const outcomes = new Map<I, V | KafkaError>();
  for (const item of items) {
    const topic = topics.find(({ name }) => name === item.topic);
    const row = topic?.partitions.find(({ partitionIndex }) => partitionIndex === item.partition);
    if (row !== undefined) outcomes.set(item, read(row, item));
  }
  return outcomes;
}
