// Cuts a byte stream into Kafka frames: a 4-byte length, then that many bytes. Pure; whoever owns the socket pushes what arrives.

import { ProtocolError } from '../../errors.ts';

const LENGTH_BYTES = 4;
/** Up to here the buffer of a frame is taken at once; beyond, it grows with what has arrived, so that a lying length costs no memory. */
const PREALLOCATED_BYTES = 4 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);
/**
 * Takes what may be the beginning of any frame. One for all connections: whoever reads into it hands it over in the same turn, and nothing of it is
 * kept.
 */
const landing = Buffer.allocUnsafeSlow(64 * 1024);

/** The frames of one connection. After an error it is of no further use. */
export class FrameSplitter {
  private readonly maxFrameBytes: number;
  /** The length of the frame being collected, or -1 while its length is. */
  private frameBytes = -1;
  /** What has arrived of the length field. */
  private lengthBytes = 0;
  private lengthValue = 0;
  private partial: Buffer = EMPTY;
  private filled = 0;

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes;
  }

  /** Bytes of a frame that is not complete yet, its length included; 0 between frames. */
  get pendingBytes(): number {
    return this.frameBytes < 0 ? this.lengthBytes : LENGTH_BYTES + this.filled;
  }

  /**
   * Where the next bytes are best read into: what is not there yet of the frame being collected, so that a large one is never copied. Never empty.
   * Whoever reads into it says so by `fill`, and asks again.
   */
  room(): Buffer {
    if (this.frameBytes < 0) return landing;
    if (this.filled === this.partial.length) this.grow(this.filled + 1);
    return this.partial.subarray(this.filled);
  }

  /** As `push`, for so many bytes at the beginning of what `room` last answered. */
  fill(bytes: number, onFrame: (frame: Buffer) => void): void {
    if (this.frameBytes < 0) {
      this.take(landing.subarray(0, bytes), onFrame, true);
      return;
    }
    this.filled += bytes;
    this.passIfWhole(onFrame);
  }

  /**
   * Calls `onFrame` with each frame that `chunk` completes, without its length. A frame that lies whole in the chunk is a view of it, any
   * other is copied once. Throws ProtocolError at a negative or oversized length.
   */
  push(chunk: Buffer, onFrame: (frame: Buffer) => void): void {
    this.take(chunk, onFrame, false);
  }

  private take(chunk: Buffer, onFrame: (frame: Buffer) => void, isLent: boolean): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.frameBytes < 0) {
        at = this.takeLength(chunk, at);
        if (this.frameBytes < 0) return;
        if (chunk.length - at >= this.frameBytes) {
          const end = at + this.frameBytes;
          this.frameBytes = -1;
          const frame = chunk.subarray(at, end);
          onFrame(isLent ? Buffer.from(frame) : frame);
          at = end;
          continue;
        }
        this.partial = Buffer.allocUnsafe(Math.min(this.frameBytes, PREALLOCATED_BYTES));
        this.filled = 0;
      }
      at = this.collect(chunk, at);
      this.passIfWhole(onFrame);
    }
  }

  private passIfWhole(onFrame: (frame: Buffer) => void): void {
    if (this.filled !== this.frameBytes) return;
    const frame = this.partial;
    this.partial = EMPTY;
    this.frameBytes = -1;
    this.filled = 0;
    onFrame(frame);
  }

  private takeLength(chunk: Buffer, from: number): number {
    let at = from;
    if (this.lengthBytes === 0 && chunk.length - at >= LENGTH_BYTES) {
      this.lengthValue = chunk.readInt32BE(at);
      at += LENGTH_BYTES;
    } else {
      while (this.lengthBytes < LENGTH_BYTES && at < chunk.length) {
        this.lengthValue = (this.lengthValue << 8) | chunk[at]!;
        this.lengthBytes += 1;
        at += 1;
      }
      if (this.lengthBytes < LENGTH_BYTES) return at;
    }
    const length = this.lengthValue;
    this.lengthBytes = 0;
    this.lengthValue = 0;
    if (length < 0 || length > this.maxFrameBytes) throw notAFrame(length, this.maxFrameBytes);
    this.frameBytes = length;
    return at;
  }

  private collect(chunk: Buffer, from: number): number {
    const taken = Math.min(chunk.length - from, this.frameBytes - this.filled);
    const needed = this.filled + taken;
    if (needed > this.partial.length) this.grow(needed);
    chunk.copy(this.partial, this.filled, from, from + taken);
    this.filled = needed;
    return from + taken;
  }

  private grow(needed: number): void {
    const grown = Buffer.allocUnsafe(Math.min(this.frameBytes, Math.max(needed, this.partial.length * 2)));
    this.partial.copy(grown, 0, 0, this.filled);
    this.partial = grown;
  }
}

const HTTP = 0x48_54_54_50;
const TLS_RECORD = 0x03;
const TLS_ALERT = 0x15;
const TLS_HANDSHAKE = 0x16;

/** What the first four bytes of an answer say about a peer that does not speak Kafka. */
function notAFrame(length: number, maxFrameBytes: number): ProtocolError {
  if (length === HTTP) {
    return new ProtocolError(
      'The peer answered in HTTP: this is the port of a web server, not of a Kafka broker',
    );
  }
  const first = length >>> 24;
  if ((first === TLS_ALERT || first === TLS_HANDSHAKE) && ((length >>> 16) & 0xff) === TLS_RECORD) {
    return new ProtocolError(
      'The peer answered in TLS: this port wants an encrypted connection, and this client speaks plaintext; set the option `ssl`',
    );
  }
  const text = Buffer.alloc(LENGTH_BYTES);
  text.writeInt32BE(length);
  if (text.every((byte) => byte >= 0x20 && byte < 0x7f)) {
    return new ProtocolError(
      `The peer does not speak Kafka: its answer begins with the text ${JSON.stringify(text.toString('latin1'))}`,
    );
  }
  const limit =
    length < 0 ? 'a length cannot be negative' : `at most ${maxFrameBytes} are accepted (maxResponseBytes)`;
  return new ProtocolError(`The peer announced a frame of ${length} bytes; ${limit}`);
}
