import { BatchCursor } from './batch-cursor.ts';
import type { RecordBatch } from './record-batch.ts';

/** What a control record says: how a transaction ended, or something only brokers care about. */
export type ControlType = 'abort' | 'commit' | 'other';

/** The marker in a control batch, read from the key of its one record: int16 version, int16 type; undefined when compaction removed it. */
export function controlType(batch: RecordBatch): ControlType | undefined {
  const cursor = new BatchCursor(batch, batch.topic, batch.partition, batch.baseOffset, true);
  const key = cursor.next()?.key;
  if (key === undefined || key === null || key.length < 4) return undefined;
  const type = key.readInt16BE(2);
  if (type === 0) return 'abort';
  return type === 1 ? 'commit' : 'other';
}
