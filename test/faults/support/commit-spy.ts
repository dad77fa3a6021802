// The commits that a client sends, and the times it asks to join, seen from beside its sockets.
import { tcpTransport, type Transport } from '../../../src/core/index.ts';
import { decodeRequestHeader } from '../../../src/core/protocol/frame.ts';
import { offsetCommitApi } from '../../../src/core/protocol/messages/08-offset-commit.ts';
import { Reader } from '../../../src/core/protocol/reader.ts';

const LENGTH_BYTES = 4;
const JOIN_GROUP = 11;

/** An OffsetCommit request as it left; `points` are partition and next offset. */
export interface SentCommit {
  readonly memberId: string;
  /** The generation of a classic group, or the member's epoch. */
  readonly generation: number;
  readonly points: readonly (readonly [partition: number, offset: number])[];
}

export interface CommitSpy {
  onCommit(commit: SentCommit): void;
  onJoin?(): void;
}

/** TCP that tells of every commit, before its bytes leave. A frame may be written in pieces; these requests are the first piece whole. */
export function commitSpy({ onCommit, onJoin }: CommitSpy, transport: Transport = tcpTransport): Transport {
  return {
    connect(address, events) {
      const wire = transport.connect(address, events);
      let restBytes = 0;
      return {
        ...wire,
        write(bytes) {
          if (restBytes > 0) {
            restBytes -= bytes.length;
            return wire.write(bytes);
          }
          const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
          restBytes = LENGTH_BYTES + frame.readInt32BE(0) - bytes.length;
          const apiKey = frame.readInt16BE(LENGTH_BYTES);
          if (apiKey === JOIN_GROUP) onJoin?.();
          if (apiKey === offsetCommitApi.key) onCommit(commitIn(frame));
          return wire.write(bytes);
        },
      };
    },
  };
}

function commitIn(frame: Buffer): SentCommit {
  const reader = new Reader(frame, LENGTH_BYTES);
  const { apiVersion } = decodeRequestHeader(reader);
  const { memberId, generationIdOrMemberEpoch, topics } = offsetCommitApi.request.decode(reader, apiVersion);
  return {
    memberId,
    generation: generationIdOrMemberEpoch,
    points: topics.flatMap(({ partitions }) =>
      partitions.map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset] as const),
    ),
  };
}
