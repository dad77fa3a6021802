// Those who see records before they are sent.

import type { ProducerRecord } from '../records/types.ts';

/** Sees every record once, when it is taken. */
export interface ProducerInterceptor {
  /** Answers with the record to send: the same, or another one. */
  onSend(topic: string, record: ProducerRecord): ProducerRecord;
  /** What `onSend` threw; the record goes on as it was. Without this method it is thrown in a task of its own. */
  onError?(error: unknown, topic: string, record: ProducerRecord): void;
}

/** What the interceptors make of a record, one after another. */
export function intercepted(
  interceptors: readonly ProducerInterceptor[],
  topic: string,
  record: ProducerRecord,
): ProducerRecord {
  let current = record;
  for (const interceptor of interceptors) {
    try {
      current = interceptor.onSend(topic, current);
    } catch (error) {
      if (interceptor.onError !== undefined) interceptor.onError(error, topic, current);
      else
        queueMicrotask(() => {
          throw error;
        });
    }
  }
  return current;
}
