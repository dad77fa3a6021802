import type { ConsumerRecord } from '../../core/records/types.ts';
import { failureOf } from '../../flow/failure-headers.ts';
import type { DeadLetterRecord } from './types.ts';

/** A dead letter with what its headers say. */
export function deadLetterOf(record: ConsumerRecord): DeadLetterRecord {
  const { cause, topic = '', partition = NaN, offset = NaN } = failureOf(record) ?? {};
  return {
    ...record,
    cause: cause ?? { name: '', message: '', stack: '' },
    from: { topic, partition, offset },
  };
}
