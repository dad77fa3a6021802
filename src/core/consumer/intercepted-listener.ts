// Those who see records before they are handed over.

import type { KafkaError } from '../../errors.ts';
import type { FetchedRecord } from '../records/fetched-record.ts';
import type { ReaderListener } from './partition-reader.ts';

/** Sees every record once before it is handed over: for traces, counts and checks. To change values, map them. */
export interface RecordInterceptor {
  onRecord(record: FetchedRecord): void;
  /** What `onRecord` threw; the record is handed over all the same. Without this method it is thrown in a task of its own. */
  onError?(error: unknown, record: FetchedRecord): void;
}

/** A listener behind interceptors. */
export class InterceptedListener implements ReaderListener {
  private readonly interceptors: readonly RecordInterceptor[];
  private readonly listener: ReaderListener;

  constructor(interceptors: readonly RecordInterceptor[], listener: ReaderListener) {
    this.interceptors = interceptors;
    this.listener = listener;
  }

  onRecord(record: FetchedRecord, sequence: number): void {
    for (const interceptor of this.interceptors) show(interceptor, record);
    this.listener.onRecord(record, sequence);
  }

  onPressure(): void {
    this.listener.onPressure();
  }

  onEnd(): void {
    this.listener.onEnd();
  }

  onError(error: KafkaError): void {
    this.listener.onError(error);
  }
}

function show(interceptor: RecordInterceptor, record: FetchedRecord): void {
  try {
    interceptor.onRecord(record);
  } catch (error) {
    if (interceptor.onError !== undefined) interceptor.onError(error, record);
    else
      queueMicrotask(() => {
        throw error;
      });
  }
}
