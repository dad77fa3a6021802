// Changes the batches in a Fetch answer on its way.
import { crc32c } from '../../../src/core/records/crc32c.ts';
import { HEADER, LENGTH_OVERHEAD } from '../../../src/core/records/batch-header.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import type { Answer, Tamper } from './tampering-proxy.ts';

/** Answers with the batch as it is to arrive; any length. */
export type Change = (batch: Buffer) => Buffer;

function changed(records: Buffer, from: number, change: Change): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; records.length - at > LENGTH_OVERHEAD;) {
    const end = at + LENGTH_OVERHEAD + records.readInt32BE(at + HEADER.batchLength);
    const batch = records.subarray(at, end);
    parts.push(Number(batch.readBigInt64BE(HEADER.baseOffset)) >= from ? change(Buffer.from(batch)) : batch);
    at = end;
  }
  return Buffer.concat(parts);
}

/** Changes every batch that begins at `from` or later. */
export function changingBatches(from: number, change: Change): Tamper {
  return (answer: Answer) => {
    const body = answer.bodyOf(fetchApi);
    if (body === undefined) return undefined;
    const responses = body.responses.map((topic) => ({
      ...topic,
      partitions: topic.partitions.map((partition) =>
        partition.records === null
          ? partition
          : { ...partition, records: changed(partition.records, from, change) },
      ),
    }));
    return answer.withBody(fetchApi, { ...body, responses });
  };
}

/** The batch after `change`, with the CRC of what it then is: a lie that only its content gives away. */
export function forging(change: (batch: Buffer) => Buffer | undefined): Change {
  return (batch) => {
    const lie = change(batch) ?? batch;
    lie.writeUInt32BE(crc32c(lie, HEADER.attributes, lie.length), HEADER.crc);
    return lie;
  };
}
