import { describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import { ProtocolError } from '../../../src/errors.ts';
import { interpretDecode, interpretEncode } from '../../../src/core/protocol/interpret.ts';
import { Reader } from '../../../src/core/protocol/reader.ts';
import { Writer } from '../../../src/core/protocol/writer.ts';
import { anyValue, encoded, EVERY_VERSION, type AnyMessage } from './helpers.ts';

function interpreted(message: AnyMessage, version: number, value: Record<string, unknown>): Buffer {
  const writer = new Writer(8);
  interpretEncode(message.layout(version), writer, value);
  return writer.finish();
}

/** What a decoder makes of bytes: the value and where it stopped, or that it refused them. Anything but a ProtocolError is a failure. */
function outcome(decode: (reader: Reader) => unknown, bytes: Buffer): unknown {
  const reader = new Reader(bytes);
  try {
    return { value: decode(reader), end: reader.pos };
  } catch (error) {
    if (error instanceof ProtocolError) return 'refused';
    throw error;
  }
}

describe.each(EVERY_VERSION)('$name', ({ message, version }) => {
  const layout = message.layout(version);
  const compiled = (reader: Reader) => message.decode(reader, version);
  const slow = (reader: Reader) => interpretDecode(layout, reader);

  it('comes back as it went, and the interpreter agrees on every byte', () => {
    fc.assert(
      fc.property(anyValue(message.table, version), (value) => {
        const bytes = encoded(message, version, value);
        expect(interpreted(message, version, value).equals(bytes)).toBe(true);
        expect(outcome(compiled, bytes)).toEqual({ value, end: bytes.length });
        expect(outcome(slow, bytes)).toEqual({ value, end: bytes.length });
      }),
      { numRuns: 20 },
    );
  });

  it('is refused when cut off at any byte', () => {
    const [value] = fc.sample(anyValue(message.table, version), { numRuns: 1, seed: version });
    const bytes = encoded(message, version, value!);
    for (let length = 0; length < bytes.length; length++) {
      expect(outcome(compiled, bytes.subarray(0, length))).toBe('refused');
      expect(outcome(slow, bytes.subarray(0, length))).toBe('refused');
    }
  });

  it('is read or refused alike by both when bytes are damaged', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(anyValue(message.table, version), damage, (value, places) => {
        const bytes = Buffer.from(encoded(message, version, value));
        for (const [at, byte] of places) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        expect(outcome(compiled, bytes)).toEqual(outcome(slow, bytes));
      }),
      { numRuns: 20 },
    );
  });
});
