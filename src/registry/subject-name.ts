import { UsageError } from '../errors.ts';

/** What a subject is named after. */
export interface SubjectOf {
  readonly topic: string;
  readonly part: 'key' | 'value';
  /** The full name of an Avro schema, the title of a JSON Schema; undefined for one without. */
  readonly recordName: string | undefined;
}

/** Names the subject under which the schemas of a topic are registered. */
export type SubjectName = (of: SubjectOf) => string;

function named({ recordName, topic }: SubjectOf): string {
  if (recordName !== undefined) return recordName;
  throw new UsageError(
    `topic '${topic}': subjects are named after the record, and the schema has no name (a title, in JSON Schema)`,
    'subject',
  );
}

/** Confluent's TopicNameStrategy, the default: `orders-value`. One schema, and its versions, for each topic. */
export const topicName: SubjectName = ({ topic, part }) => `${topic}-${part}`;

/** Confluent's RecordNameStrategy: `shop.Order`, whatever the topic. Several kinds of records in one topic. */
export const recordName: SubjectName = (of) => named(of);

/** Confluent's TopicRecordNameStrategy: `orders-shop.Order`. Several kinds of records in one topic, each with its own versions there. */
export const topicRecordName: SubjectName = (of) => `${of.topic}-${named(of)}`;
