// What Kafka's sticky assignors tell a leader in the user data of a subscription.

import { Reader } from '../../../protocol/reader.ts';
import { Writer } from '../../../protocol/writer.ts';
import type { Assignment, LastAssignment } from '../assignor.ts';

/** What a member of 'sticky' held last; a generation of -1 when it does not say. */
export interface Remembered {
  readonly partitions: Assignment;
  readonly generationId: number;
}

const NOTHING: Remembered = { partitions: new Map(), generationId: -1 };

/** Version 1 of Kafka's: topics with their partitions, then the generation. */
export function encodeRemembered({ assignment, generationId }: LastAssignment): Buffer {
  const writer = new Writer();
  writer.int32(assignment.size);
  for (const [topic, partitions] of assignment) {
    writer.string(topic);
    writer.int32(partitions.length);
    for (const partition of partitions) writer.int32(partition);
  }
  writer.int32(generationId);
  return writer.finish();
}

/** Version 0 ends before the generation. Bytes that are neither are no memory at all, as in Java's client. */
export function decodeRemembered(bytes: Buffer | null): Remembered {
  if (bytes === null || bytes.length === 0) return NOTHING;
  const reader = new Reader(bytes);
  const partitions = new Map<string, number[]>();
  try {
    for (let topics = readCount(reader); topics > 0; topics -= 1) {
      const topic = reader.string();
      const some = partitions.get(topic) ?? [];
      for (let left = readCount(reader); left > 0; left -= 1) some.push(reader.int32());
      partitions.set(topic, some);
    }
  } catch {
    return NOTHING;
  }
  return { partitions, generationId: readGeneration(reader) };
}

/** All that 'cooperative-sticky' has in its user data. */
export function encodeGeneration(generationId: number): Buffer {
  const writer = new Writer();
  writer.int32(generationId);
  return writer.finish();
}

/** -1 when there is none. */
export function decodeGeneration(bytes: Buffer | null): number {
  return bytes === null ? -1 : readGeneration(new Reader(bytes));
}

function readGeneration(reader: Reader): number {
  try {
    return reader.int32();
  } catch {
    return -1;
  }
}

function readCount(reader: Reader): number {
  const count = reader.int32();
  if (count < 0 || count > reader.remaining) reader.fail(`a list of ${count} elements`);
  return count;
}
