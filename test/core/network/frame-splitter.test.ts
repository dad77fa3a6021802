import { describe, expect, it } from '@jest/globals';
import { FrameSplitter } from '../../../src/core/network/frame-splitter.ts';
import { ProtocolError } from '../../../src/errors.ts';

const MAX = 256 * 1024 * 1024;

function framed(...payloads: readonly Buffer[]): Buffer {
  return Buffer.concat(
    payloads.flatMap((payload) => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(payload.length);
      return [length, payload];
    }),
  );
}

function split(chunks: readonly Buffer[], max = MAX): Buffer[] {
  const splitter = new FrameSplitter(max);
  const frames: Buffer[] = [];
  for (const chunk of chunks) splitter.push(chunk, (frame) => frames.push(Buffer.from(frame)));
  expect(splitter.pendingBytes).toBe(0);
  return frames;
}

function length(bytes: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(bytes);
  return buffer;
}

const payloads = [Buffer.from('first'), Buffer.alloc(0), Buffer.from('x'), Buffer.from('the last of them')];
const stream = framed(...payloads);

describe('frames out of a stream', () => {
  it('finds them whole, in one chunk, as views of it', () => {
    const frames: Buffer[] = [];
    new FrameSplitter(MAX).push(stream, (frame) => frames.push(frame));
    expect(frames).toEqual(payloads);
    expect(frames[0]!.buffer).toBe(stream.buffer);
  });

  it('finds them at every two split points', () => {
    for (let a = 0; a <= stream.length; a += 1) {
      for (let b = a; b <= stream.length; b += 1) {
        expect(split([stream.subarray(0, a), stream.subarray(a, b), stream.subarray(b)])).toEqual(payloads);
      }
    }
  });

  it('finds them byte by byte', () => {
    expect(split([...stream].map((byte) => Buffer.from([byte])))).toEqual(payloads);
  });

  it('collects a frame larger than what it allocates at once', () => {
    const payload = Buffer.alloc(9 * 1024 * 1024 + 7);
    for (let at = 0; at < payload.length; at += 4096) payload[at] = at / 4096;
    const whole = framed(payload, Buffer.from('next'));
    const chunks: Buffer[] = [];
    for (let at = 0; at < whole.length; at += 65_521) chunks.push(whole.subarray(at, at + 65_521));
    const [first, second] = split(chunks);
    expect(first!.equals(payload)).toBe(true);
    expect(second!.toString()).toBe('next');
  });

  it('says how much of a frame is there', () => {
    const splitter = new FrameSplitter(MAX);
    splitter.push(stream.subarray(0, 2), () => undefined);
    expect(splitter.pendingBytes).toBe(2);
    splitter.push(stream.subarray(2, 7), () => undefined);
    expect(splitter.pendingBytes).toBe(7);
  });

  it('does not take memory on the word of a length', () => {
    const before = process.memoryUsage().arrayBuffers;
    const splitters = Array.from({ length: 8 }, () => new FrameSplitter(MAX));
    for (const splitter of splitters) {
      splitter.push(Buffer.concat([length(MAX), Buffer.from('ten bytes!')]), () => undefined);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(splitters.length * 5 * 1024 * 1024);
  });
});

/** Reads `from` as a socket does: into the room there is, at most `most` bytes at a time. Frames are kept as they come. */
function read(from: Buffer, most: number): { readonly frames: Buffer[]; readonly rooms: Buffer[] } {
  const splitter = new FrameSplitter(MAX);
  const [frames, rooms]: [Buffer[], Buffer[]] = [[], []];
  for (let at = 0; at < from.length;) {
    const room = splitter.room();
    const bytes = from.copy(room, 0, at, Math.min(from.length, at + Math.min(most, room.length)));
    expect(bytes).toBeGreaterThan(0);
    rooms.push(room);
    splitter.fill(bytes, (frame) => frames.push(frame));
    at += bytes;
  }
  expect(splitter.pendingBytes).toBe(0);
  return { frames, rooms };
}

describe('frames that are read into the room there is for them', () => {
  it('are found whatever a read gives, and stay as they are while others are read', () => {
    for (let most = 1; most <= stream.length; most += 1)
      expect(read(Buffer.concat([stream, stream]), most).frames).toEqual([...payloads, ...payloads]);
  });

  it('are read into their own memory when they are large, and into no other frame', () => {
    const large = [1, 2, 3].map((byte) => Buffer.alloc(300_000, byte));
    const { frames, rooms } = read(framed(...large), MAX);
    expect(frames.map((frame, at) => frame.equals(large[at]!))).toEqual([true, true, true]);
    for (const frame of frames)
      expect(rooms.some((room) => room.buffer === frame.buffer && room.length > 200_000)).toBe(true);
  });

  it('are collected when they are larger than what is allocated at once', () => {
    const payload = Buffer.alloc(9 * 1024 * 1024 + 7, 'some text');
    const { frames } = read(framed(payload, Buffer.from('next')), MAX);
    expect(frames[0]!.equals(payload)).toBe(true);
    expect(frames[1]!.toString()).toBe('next');
  });

  it('take no memory on the word of a length', () => {
    const before = process.memoryUsage().arrayBuffers;
    const splitters = Array.from({ length: 8 }, () => new FrameSplitter(MAX));
    for (const splitter of splitters) {
      length(MAX).copy(splitter.room());
      splitter.fill(4, () => undefined);
      expect(splitter.room().length).toBeLessThan(5 * 1024 * 1024);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(splitters.length * 5 * 1024 * 1024);
  });

  it('are refused as such where there are none', () => {
    const splitter = new FrameSplitter(MAX);
    Buffer.from('HTTP').copy(splitter.room());
    expect(() => {
      splitter.fill(4, () => undefined);
    }).toThrow(/answered in HTTP/);
  });
});

describe('what is no frame', () => {
  const push = (bytes: Buffer, max = MAX) => {
    return () => {
      new FrameSplitter(max).push(bytes, () => undefined);
    };
  };

  it.each([
    ['a negative length', length(-1), /-1 bytes; a length cannot be negative/],
    ['the most negative length', length(-(2 ** 31)), /-2147483648 bytes/],
    ['2 GB', length(2 ** 31 - 1), /2147483647 bytes; at most 268435456 are accepted \(maxResponseBytes\)/],
    ['one byte too many', length(MAX + 1), /268435457 bytes/],
    ['a web server', Buffer.from('HTTP/1.1 400 Bad Request\r\n'), /answered in HTTP/],
    ['a TLS alert', Buffer.from([0x15, 3, 3, 0, 2, 2, 0x46]), /answered in TLS/],
    ['an old TLS alert', Buffer.from([0x15, 3, 1, 0, 2, 2, 10]), /answered in TLS/],
    ['another text protocol', Buffer.from('SSH-2.0-OpenSSH_9'), /begins with the text "SSH-"/],
  ])('%s', (_name, bytes, message) => {
    expect(push(bytes)).toThrow(ProtocolError);
    expect(push(bytes)).toThrow(message);
  });

  it('is found also when it comes byte by byte', () => {
    const splitter = new FrameSplitter(MAX);
    const bytes = [...Buffer.from('HTTP')].map((byte) => Buffer.from([byte]));
    for (const byte of bytes.slice(0, 3)) splitter.push(byte, () => undefined);
    expect(() => {
      splitter.push(bytes[3]!, () => undefined);
    }).toThrow(/HTTP/);
  });

  it('does not hide the frames before it', () => {
    const frames: string[] = [];
    expect(() => {
      new FrameSplitter(16).push(Buffer.concat([framed(Buffer.from('good')), length(17)]), (frame) =>
        frames.push(frame.toString()),
      );
    }).toThrow(/17 bytes/);
    expect(frames).toEqual(['good']);
  });

  it('takes a length of exactly the limit', () => {
    expect(split([framed(Buffer.alloc(16, 7))], 16)).toEqual([Buffer.alloc(16, 7)]);
  });
});
