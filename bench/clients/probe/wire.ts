// A socket that hands over whole frames.
import net from 'node:net';

const READ_BYTES = 1024 * 1024;
const LENGTH_BYTES = 4;
const KEPT_BYTES = 16 * 1024;
const CLIENT_ID = 'bench';

export class ProbeWire {
  onFrame: (frame: Buffer) => void = () => undefined;
  onError: (error: Error) => void = () => undefined;
  private readonly socket: net.Socket;
  private frame = Buffer.allocUnsafeSlow(KEPT_BYTES);
  private filled = 0;

  constructor(broker: string) {
    const [host, port] = broker.split(':') as [string, string];
    this.socket = net.connect({
      host,
      port: Number(port),
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (bytes, buffer) => {
          this.take(buffer as Buffer, bytes);
          return true;
        },
      },
    });
    this.socket.on('error', (error) => this.onError(error));
    this.socket.on('end', () => this.onError(new Error('the broker closed the connection')));
  }

  write(request: Uint8Array): void {
    this.socket.write(request);
  }

  /** The socket's bytes that are not yet with the kernel. */
  get queuedBytes(): number {
    return this.socket.writableLength;
  }

  close(): void {
    this.socket.destroy();
  }

  private take(chunk: Buffer, bytes: number): void {
    let at = 0;
    while (at < bytes) {
      const wanted = this.filled < LENGTH_BYTES ? LENGTH_BYTES : LENGTH_BYTES + this.frame.readInt32BE(0);
      if (wanted > this.frame.length) this.grow(wanted);
      const taken = Math.min(wanted - this.filled, bytes - at);
      chunk.copy(this.frame, this.filled, at, at + taken);
      this.filled += taken;
      at += taken;
      if (this.filled === wanted && wanted > LENGTH_BYTES) {
        this.filled = 0;
        const whole = this.frame.subarray(LENGTH_BYTES, wanted);
        // Records may be held for as long as anyone likes, so the memory they are in is not used twice.
        if (wanted > KEPT_BYTES) this.frame = Buffer.allocUnsafeSlow(KEPT_BYTES);
        this.onFrame(whole);
      }
    }
  }

  private grow(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(bytes);
    this.frame.copy(larger, 0, 0, this.filled);
    this.frame = larger;
  }
}

/** Writes the length, the header and a topic's name where requests of this probe have them. */
export class RequestWriter {
  at = LENGTH_BYTES;
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  int16(value: number): this {
    this.at = this.bytes.writeInt16BE(value, this.at);
    return this;
  }

  int32(value: number): this {
    this.at = this.bytes.writeInt32BE(value, this.at);
    return this;
  }

  int8(value: number): this {
    this.at = this.bytes.writeInt8(value, this.at);
    return this;
  }

  offset(value: number): this {
    return this.int32(Math.floor(value / 2 ** 32)).int32(value | 0);
  }

  text(value: string): this {
    this.int16(value.length);
    this.at += this.bytes.write(value, this.at, 'latin1');
    return this;
  }

  header(apiKey: number, version: number, correlationId: number): this {
    return this.int16(apiKey).int16(version).int32(correlationId).text(CLIENT_ID);
  }

  /** The finished request. */
  end(): Buffer {
    this.bytes.writeInt32BE(this.at - LENGTH_BYTES, 0);
    return this.bytes.subarray(0, this.at);
  }
}
