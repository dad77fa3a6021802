import { describe, expect, it } from '@jest/globals';
import { expectTypeOf } from 'expect-type';
import { fc } from '../../helpers/fast-check.ts';
import { ProtocolError, UnsupportedVersionError, UsageError } from '../../../src/errors.ts';
import {
  Message,
  type RequestOf,
  type RequestRead,
  type ResponseInit,
  type ResponseOf,
} from '../../../src/core/protocol/api.ts';
import { interpretDecode, interpretEncode } from '../../../src/core/protocol/interpret.ts';
import { metadataApi } from '../../../src/core/protocol/messages/03-metadata.ts';
import type { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { Reader } from '../../../src/core/protocol/reader.ts';
import {
  array,
  bool,
  bytes,
  float64,
  int16,
  int32,
  int64,
  int8,
  nullableArray,
  nullableString,
  nullableStruct,
  records,
  string,
  struct,
  timestamp,
  uint16,
  uint32,
  uuid,
  ZERO_UUID,
  type In,
  type Out,
} from '../../../src/core/protocol/schema.ts';
import { Writer } from '../../../src/core/protocol/writer.ts';
import { anyValue, encoded, type AnyMessage } from './helpers.ts';

const table = {
  name: string(),
  count: int32({ versions: '1+', default: -1 }),
  dropped: int8({ versions: '1+', default: 3, ignorable: true }),
  flags: struct({ on: bool(), level: uint16({ default: 7 }) }, { versions: '2+', tag: 0 }),
  label: nullableString({ nullable: '1+', default: null }),
  numbers: nullableArray(uint32(), { versions: '2+', default: null, tag: 1 }),
  inner: nullableStruct({ at: timestamp(), exact: int64() }, { versions: '1+', default: null }),
  weight: float64(),
};
const sample = new Message({ name: 'Sample request', versions: '0-2', flexible: '2+' }, table);
const any = sample as unknown as AnyMessage;

/** Both codecs on the same value: what they write, or the kind and words of what they throw. */
function written(value: unknown, version: number): readonly unknown[] {
  const attempt = (encode: (writer: Writer) => void) => {
    const writer = new Writer();
    try {
      encode(writer);
      return writer.finish().toString('hex');
    } catch (error) {
      return (error as Error).name;
    }
  };
  return [
    attempt((writer) => any.encode(writer, value as Record<string, unknown>, version)),
    attempt((writer) => interpretEncode(any.layout(version), writer, value as Record<string, unknown>)),
  ];
}

describe('a message', () => {
  it('takes defaults for what is left out and gives them for what a version does not carry', () => {
    const bytesOf = (version: number) => encoded(any, version, { name: 'n', label: 'l', weight: 1 });
    expect(any.decode(new Reader(bytesOf(0)), 0)).toEqual({
      name: 'n',
      count: -1,
      dropped: 3,
      flags: { on: false, level: 7 },
      label: 'l',
      numbers: null,
      inner: null,
      weight: 1,
    });
    expect(any.decode(new Reader(bytesOf(2)), 2)).toEqual(any.decode(new Reader(bytesOf(0)), 0));
  });

  it('gives every decoded value defaults of its own', () => {
    const bytesOf = encoded(any, 0, { name: 'n', label: 'l', weight: 1 });
    const [a, b] = [any.decode(new Reader(bytesOf), 0), any.decode(new Reader(bytesOf), 0)];
    expect(a['flags']).not.toBe(b['flags']);
  });

  it('writes a tagged field only when it is not the default', () => {
    const tail = (flags: unknown, numbers: unknown) =>
      encoded(any, 2, { name: '', inner: null, weight: 0, flags, numbers }).subarray(-12).toString('hex');
    expect(tail({ on: false, level: 7 }, null)).toMatch(/00$/);
    expect(tail({ on: false }, undefined)).toMatch(/00$/);
    expect(tail({ on: true }, null)).toMatch(/01000401000700$/);
    expect(tail(undefined, [])).toMatch(/01010101$/);
  });

  it.each([
    [
      'a value the version cannot carry',
      { name: 'n', label: 'l', weight: 1, count: 5 },
      0,
      'UnsupportedVersionError',
    ],
    [
      'a tagged struct it cannot carry',
      { name: 'n', label: 'l', weight: 1, flags: { on: true } },
      1,
      'UnsupportedVersionError',
    ],
    ['null where the version has no null', { name: 'n', label: null, weight: 1 }, 0, 'UsageError'],
    ['null for a plain string', { name: null, weight: 1 }, 1, 'UsageError'],
    ['a missing field', { weight: 1 }, 1, 'UsageError'],
    ['a number too large', { name: 'n', weight: 1, count: 2 ** 31 }, 1, 'UsageError'],
    ['an object for an array', { name: 'n', weight: 1, numbers: {} }, 2, 'UsageError'],
    ['a number for a struct', { name: 'n', weight: 1, inner: 5 }, 1, 'UsageError'],
  ])('refuses %s, compiled and interpreted', (_, value, version, error) => {
    expect(written(value, version)).toEqual([error, error]);
  });

  it('drops an ignorable value that the version cannot carry', () => {
    const [compiled, interpreted] = written({ name: 'n', label: 'l', weight: 1, dropped: 9 }, 0);
    expect(compiled).toBe(written({ name: 'n', label: 'l', weight: 1 }, 0)[0]);
    expect(interpreted).toBe(compiled);
  });

  it('says which message, version and field a mistake is in', () => {
    const encode = (value: unknown) => () => sample.encode(new Writer(), value as In<typeof table>, 1);
    expect(encode({ name: 'n', weight: 1, count: 0.5 })).toThrow(
      'Sample request v1: count: 0.5 is not an int32',
    );
    expect(encode({ name: null, weight: 1 })).toThrow(
      'Sample request v1: name: null is not allowed in this version',
    );
    expect(encode({ name: null, weight: 1 })).toThrow(UsageError);
    expect(encode({ name: 'n', weight: 1, inner: { at: 0 } })).toThrow(
      'inner.exact: undefined is not an int64',
    );
    expect(encode({ name: 'n', weight: 1, numbers: [1] })).toThrow('v1: numbers: this version cannot carry');
    const topics = [{ name: 'a' }, { name: undefined as unknown as string }];
    expect(() => metadataApi.request.encode(new Writer(), { topics }, 9)).toThrow(
      'Metadata request v9: topics[1].name: undefined is not a string',
    );
    const cut = encoded(any, 1, { name: 'n', weight: 1 }).subarray(0, 1);
    expect(() => sample.decode(new Reader(cut), 1)).toThrow(/^Sample request v1: 2 bytes wanted at byte 0/);
  });

  it('does not know other versions', () => {
    expect(() => sample.encode(new Writer(), { name: 'n', weight: 1 }, 3)).toThrow(UnsupportedVersionError);
    expect(() => sample.decode(new Reader(Buffer.alloc(100)), -1)).toThrow(
      'version -1: only 0 to 2 are known here',
    );
  });

  it('shows generated code under its own name in stack traces', () => {
    let stack = '';
    const value = {
      get name(): string {
        stack = new Error('where').stack ?? '';
        return 'n';
      },
      weight: 1,
    };
    sample.encode(new Writer(), value, 1);
    expect(stack).toContain('kafka:Sample/request/1/encode');
  });

  it('refuses a tag whose content is not as long as announced', () => {
    const good = encoded(any, 2, { name: '', weight: 0, flags: { on: true } });
    const at = good.indexOf(Buffer.from('010004', 'hex'));
    expect(at).toBeGreaterThan(0);
    const bad = Buffer.concat([
      good.subarray(0, at + 2),
      Buffer.from([5]),
      good.subarray(at + 3),
      Buffer.alloc(1),
    ]);
    for (const decode of [
      () => any.decode(new Reader(bad), 2),
      () => interpretDecode(any.layout(2), new Reader(bad)),
    ]) {
      expect(decode).toThrow(ProtocolError);
      expect(decode).toThrow(/tag 0 announced 5 bytes and took 4/);
    }
  });

  it('allocates nothing on the word of a hostile array count', () => {
    const message = new Message(
      { name: 'Hostile', versions: '0' },
      { list: array({ a: int32(), b: int32() }) },
    );
    // A count whose elements would just fit 64 MB that are not there, and one that is a lie by a factor of millions.
    for (const count of [0x7fffffff, 8_000_000]) {
      const frame = Buffer.alloc(4 + 16);
      frame.writeInt32BE(count);
      expect(() => message.decode(new Reader(frame), 0)).toThrow(
        `an array of ${count} elements where 16 bytes are left`,
      );
    }
  });
});

describe('lists of lists', () => {
  it('come back as they went, whatever their fields are called', () => {
    const lists = {
      element: array(array(int16())),
      e: nullableArray(array(nullableString())),
      i: array({ i: array(array({ i: int32() })) }),
    };
    const message = new Message(
      { name: 'Lists', versions: '0-1', flexible: '1+' },
      lists,
    ) as unknown as AnyMessage;
    for (const version of [0, 1]) {
      fc.assert(
        fc.property(anyValue(lists, version), (value) => {
          const frame = encoded(message, version, value);
          expect(message.decode(new Reader(frame), version)).toEqual(value);
          expect(interpretDecode(message.layout(version), new Reader(frame))).toEqual(value);
        }),
      );
    }
  });
});

describe('the types of a message', () => {
  it('are inferred from the table', () => {
    expectTypeOf<Out<typeof table>>().toEqualTypeOf<{
      name: string;
      count: number;
      dropped: number;
      flags: { on: boolean; level: number };
      label: string | null;
      numbers: number[] | null;
      inner: { at: number; exact: bigint } | null;
      weight: number;
    }>();
    expectTypeOf<{ name: string; weight: number }>().toExtend<In<typeof table>>();
    expectTypeOf<{ name: string }>().not.toExtend<In<typeof table>>();
    expectTypeOf<{ weight: number; name: null }>().not.toExtend<In<typeof table>>();
    expectTypeOf<In<typeof table>['flags']>().toEqualTypeOf<
      { readonly on: boolean; readonly level?: number | undefined } | undefined
    >();
    const _plain = { a: bytes(), b: records(), c: uuid(), d: array(array(int16())) };
    expectTypeOf<Out<typeof _plain>>().toEqualTypeOf<{
      a: Buffer;
      b: Buffer | null;
      c: string;
      d: number[][];
    }>();
    expectTypeOf<In<typeof _plain>>().toEqualTypeOf<{
      readonly a: Uint8Array;
      readonly b: Uint8Array | null;
      readonly c: string;
      readonly d: readonly (readonly number[])[];
    }>();
    expect(ZERO_UUID).toHaveLength(22);
  });

  it('reach through an API in all four places', () => {
    expectTypeOf<{ topics: null }>().toExtend<RequestOf<typeof metadataApi>>();
    expectTypeOf<RequestRead<typeof metadataApi>['allowAutoTopicCreation']>().toEqualTypeOf<boolean>();
    expectTypeOf<ResponseOf<typeof metadataApi>['topics'][number]['name']>().toEqualTypeOf<string | null>();
    expectTypeOf<ResponseInit<typeof metadataApi>['controllerId']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<ResponseOf<typeof produceApi>>().toExtend<ResponseInit<typeof produceApi>>();
    expect(metadataApi.request.name).toBe('Metadata request');
  });
});
