// Batches of one record, a value of zeros, that a broker takes and that are far larger than they look.
import { constants, deflateRawSync } from 'node:zlib';
import * as zlib from 'node:zlib';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { writeVarint } from '../../../src/core/records/varint.ts';
import type { Kafka } from '../../../src/index.ts';
import { batchOf } from '../../core/records/forge.ts';

const MIB = 1024 * 1024;
const ZSTD_BLOCK_BYTES = 128 * 1024;
const NO_ID = '00000000-0000-0000-0000-000000000000';

/** What comes before the value of a record without a key. The zeros behind it are the value and, the last of them, the number of headers. */
function headOf(zeros: number): Buffer {
  const body = Buffer.alloc(16);
  const end = writeVarint(body, writeVarint(body, 3, -1), zeros - 1);
  const head = Buffer.alloc(32);
  const at = writeVarint(head, 0, end + zeros);
  return Buffer.concat([head.subarray(0, at), body.subarray(0, end)]);
}

function zstd(blocks: number): Buffer {
  const head = headOf(blocks * ZSTD_BLOCK_BYTES);
  const raw = Buffer.alloc(3);
  raw.writeUIntLE(head.length << 3, 0, 3);
  const block = Buffer.alloc(4);
  block.writeUIntLE((ZSTD_BLOCK_BYTES << 3) | 2, 0, 3);
  const zeros = Buffer.alloc(blocks * 4, block);
  zeros[zeros.length - 4]! |= 1;
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]), raw, head, zeros]);
}

/** Of Node 20.15 and later; the types here are older. */
const { crc32 } = zlib as unknown as { crc32: (data: Buffer, start: number) => number };

function gzip(mebibytes: number): Buffer {
  const head = headOf(mebibytes * MIB);
  const zeros = Buffer.alloc(MIB);
  // A full flush ends on a byte and forgets what came before, so that the piece can be repeated.
  const flushed = { level: 9, finishFlush: constants.Z_FULL_FLUSH };
  const piece = deflateRawSync(zeros, flushed);
  let crc = crc32(head, 0);
  for (let left = mebibytes; left > 0; left--) crc = crc32(zeros, crc);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(head.length + mebibytes * MIB, 4);
  return Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
    deflateRawSync(head, flushed),
    ...Array<Buffer>(mebibytes).fill(piece),
    Buffer.from([3, 0]),
    trailer,
  ]);
}

function lz4(blocks: number): Buffer {
  // One literal, a match of 65,299 and five literals.
  const block = Buffer.concat([
    Buffer.from([0x1f, 0, 1, 0]),
    Buffer.alloc(256, 0xff),
    Buffer.from([0, 0x50, 0, 0, 0, 0, 0]),
  ]);
  const sized = (bytes: Buffer, stored: number): Buffer => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bytes.length + stored);
    return Buffer.concat([size, bytes]);
  };
  const packed = sized(block, 0);
  return Buffer.concat([
    Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]),
    sized(headOf(blocks * (1 + 65_299 + 5)), 0x8000_0000),
    Buffer.alloc(packed.length * blocks, packed),
    Buffer.alloc(4),
  ]);
}

/** Of 10 KB, 300 KB and 1.2 MB, and of 300 MB and more. */
export const BOMBS: readonly (readonly [codec: string, batch: () => Buffer])[] = [
  ['zstd', () => batchOf(zstd(2_500), 1, 4)],
  ['gzip', () => batchOf(gzip(300), 1, 1)],
  ['lz4', () => batchOf(lz4(4_600), 1, 3)],
];

/** Sends a batch as it is to partition 0. */
export async function sendBatch({ cluster }: Kafka, topic: string, records: Buffer): Promise<void> {
  await cluster.refresh([topic]);
  const { nodeId } = cluster.metadata.leader(topic, 0)!;
  const partitionData = [{ index: 0, records }];
  const { responses } = await cluster.send(
    nodeId,
    produceApi,
    {
      transactionalId: null,
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: topic, topicId: NO_ID, partitionData }],
    },
    { maxVersion: 12 },
  );
  const code = responses[0]!.partitionResponses[0]!.errorCode;
  if (code !== 0) throw new Error(`the broker answers ${code}`);
}
