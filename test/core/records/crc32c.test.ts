import { describe, expect, it, jest } from '@jest/globals';
import { crc32c, prepareCrc32c } from '../../../src/core/records/crc32c.ts';

// RFC 3720 B.4.
const known: [string, Buffer, number][] = [
  ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
  ['32 bytes of ff', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['rising bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ['falling bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
  ['digits', Buffer.from('123456789'), 0xe3069283],
];

describe('crc32c', () => {
  it.each(known)('of %s', (_name, bytes, expected) => {
    expect(crc32c(bytes, 0, bytes.length)).toBe(expected);
    const inside = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]);
    expect(crc32c(inside, 6, 6 + bytes.length)).toBe(expected);
  });

  it('is the same in native code and in JavaScript, at every size around the switch', async () => {
    const bytes = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * i) >> 3));
    const sizes = [0, 1, 255, 256, 257, 1000, 4096];
    const script = sizes.map((size) => crc32c(bytes, 0, size));
    await prepareCrc32c();
    expect(sizes.map((size) => crc32c(bytes, 0, size))).toEqual(script);
    expect(prepareCrc32c()).toBe(prepareCrc32c());
  });

  it('works without the native package', async () => {
    await jest.isolateModulesAsync(async () => {
      jest.doMock('@node-rs/crc32', () => {
        throw new Error('Cannot find module');
      });
      const alone = await import('../../../src/core/records/crc32c.ts');
      await alone.prepareCrc32c();
      const bytes = Buffer.alloc(1000, 'x');
      expect(alone.crc32c(bytes, 0, 1000)).toBe(crc32c(bytes, 0, 1000));
    });
    jest.dontMock('@node-rs/crc32');
  });
});
