import type { ConsumerRecord } from '../../core/records/types.ts';
import type { DeadLetterRecord } from './types.ts';

/** Header names of KIP-1034. */
const PREFIX = '__streams.errors.';

/** A dead letter with what its headers say. */
export function deadLetterOf(record: ConsumerRecord): DeadLetterRecord {
  const text = (name: string): string => record.headers.text(PREFIX + name) ?? '';
  return {
    ...record,
    cause: { name: text('exception'), message: text('message'), stack: text('stacktrace') },
    from: {
      topic: text('topic'),
      partition: Number(text('partition')),
      offset: Number(text('offset')),
    },
  };
}
