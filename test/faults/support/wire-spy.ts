// What a client writes to its brokers, seen from beside the socket.
import { tcpTransport, type Transport } from '../../../src/core/network/transport.ts';
import { decodeRequestHeader } from '../../../src/core/protocol/frame.ts';
import { heartbeatApi } from '../../../src/core/protocol/messages/12-heartbeat.ts';
import { Reader } from '../../../src/core/protocol/reader.ts';

const LENGTH_BYTES = 4;

/** A request as it left, with milliseconds since 1970. */
export interface SeenRequest {
  readonly at: number;
  readonly apiKey: number;
  /** Of a heartbeat. */
  readonly generationId?: number;
}

/** A transport that tells `onRequest` of every request with one of these keys. A frame is written in pieces, the first of which has its header. */
export function spyTransport(
  keys: readonly number[],
  onRequest: (request: SeenRequest) => void,
  transport: Transport = tcpTransport,
): Transport {
  return {
    connect(address, events) {
      const wire = transport.connect(address, events);
      let restBytes = 0;
      return {
        write(bytes) {
          if (restBytes > 0) {
            restBytes -= bytes.length;
            return wire.write(bytes);
          }
          const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
          restBytes = LENGTH_BYTES + frame.readInt32BE(0) - bytes.length;
          const apiKey = frame.readInt16BE(LENGTH_BYTES);
          if (keys.includes(apiKey)) onRequest({ at: Date.now(), apiKey, ...bodyOf(apiKey, frame) });
          return wire.write(bytes);
        },
        destroy() {
          wire.destroy();
        },
      };
    },
  };
}

function bodyOf(apiKey: number, frame: Buffer): { generationId?: number } {
  if (apiKey !== heartbeatApi.key) return {};
  const reader = new Reader(frame, LENGTH_BYTES);
  const { apiVersion } = decodeRequestHeader(reader);
  return { generationId: heartbeatApi.request.decode(reader, apiVersion).generationId };
}

/** The longest time without one of these between `from` and `to`, the ends included. */
export function longestGap(times: readonly number[], from: number, to: number): number {
  let last = times.findLast((at) => at <= from) ?? from;
  let longest = 0;
  for (const at of times) {
    if (at <= from || at > to) continue;
    longest = Math.max(longest, at - last);
    last = at;
  }
  return Math.max(longest, to - last);
}
