// A producer as the program around it sees it, apart from the class: what a test puts in its place has to offer this much.

import type { ProducerRecord } from '../records/types.ts';
import type { Receipt, Sent } from './receipt.ts';

/** What a program that sends needs of a {@link Producer}. Type your own code against it, so that a double can be injected. */
export interface RecordProducer {
  /** Takes a record; what becomes of it is told to `receipt`, with `tag` (default 0). False: taken, but no more should come before `onReady`. */
  send(topic: string, record: ProducerRecord, receipt: Receipt, tag?: number): boolean;
  /** As `send`, with a promise of where the record ended up. */
  sendAsync(topic: string, record: ProducerRecord): Promise<Sent>;
  /** Whether `send` would return true. */
  hasRoom(topic?: string): boolean;
  /** Calls `callback` each time room came back; the function returned ends that. */
  onReady(callback: () => void): () => void;
  /** Resolves when everything taken before has its result, good or bad. */
  flush(): Promise<void>;
  /** Takes no more records, and resolves when all have their result. */
  close(options?: { readonly timeoutMs?: number | undefined }): Promise<void>;
}
