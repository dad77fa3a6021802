import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { z } from 'zod';
import { emptyHeaders } from '../../src/core/records/headers.ts';
import { UsageError } from '../../src/errors.ts';
import { bytes } from '../../src/serdes/bytes.ts';
import { json, SchemaError, uncheckedJson } from '../../src/serdes/json.ts';
import { nullable } from '../../src/serdes/nullable.ts';
import type { SerdeContext } from '../../src/serdes/serde.ts';
import { text } from '../../src/serdes/text.ts';

const context: SerdeContext = { topic: 'orders', part: 'value', headers: emptyHeaders };

describe('text', () => {
  it('reads and writes UTF-8, the empty string too', () => {
    for (const value of ['', 'plain', 'žluťoučký 键 🎉', 'x'.repeat(1000)]) {
      expect(text().deserialize(Buffer.from(text().serialize(value, context) as string), context)).toBe(
        value,
      );
    }
  });

  it('reads malformed bytes as replacement characters', () => {
    expect(text().deserialize(Buffer.from([0x61, 0xff]), context)).toBe('a\ufffd');
  });
});

describe('bytes', () => {
  it('passes bytes through without a copy', () => {
    const data = Buffer.from('abc');
    expect(bytes().deserialize(data, context)).toBe(data);
    expect(bytes().serialize(data, context)).toBe(data);
  });
});

describe('json', () => {
  const Order = z.object({ id: z.string(), at: z.coerce.date() });

  it('answers with the output of a zod schema', () => {
    const order = json(Order).deserialize(Buffer.from('{"id":"1","at":"2026-01-01T00:00:00Z"}'), context);
    expect(order).toEqual({ id: '1', at: new Date('2026-01-01T00:00:00Z') });
  });

  it('takes any Standard Schema', () => {
    const User = v.object({ name: v.string() });
    expect(json(User).deserialize(Buffer.from('{"name":"n"}'), context)).toEqual({ name: 'n' });
  });

  it('names the paths that do not fit, and not the content', () => {
    const read = () =>
      json(Order).deserialize(Buffer.from('{"id":7,"at":"2026-01-01","secret":"s3cr3t"}'), context);
    expect(read).toThrow(SchemaError);
    expect(read).toThrow(/value of a record of topic 'orders' does not fit its schema: id: /);
    expect(read).not.toThrow(/s3cr3t/);
  });

  it('refuses what is not JSON, without quoting it', () => {
    const read = () => json().deserialize(Buffer.from('s3cr3t{'), context);
    expect(read).toThrow("the value of a record of topic 'orders' is not JSON");
    expect(read).not.toThrow(/s3cr3t/);
  });

  it('refuses a value that has no JSON form', () => {
    expect(() => json().serialize(undefined, context)).toThrow(UsageError);
    expect(() => uncheckedJson<() => void>().serialize(() => undefined, context)).toThrow(/no JSON form/);
  });

  it('refuses a schema that validates asynchronously, and what is no schema', () => {
    const slow = z.string().refine(async () => true);
    expect(() => json(slow).deserialize(Buffer.from('"a"'), context)).toThrow(/asynchronously/);
    expect(() => json({} as never)).toThrow(/Standard Schema/);
  });

  it('takes uncheckedJson at its word', () => {
    expect(uncheckedJson<{ a: number }>().deserialize(Buffer.from('{"a":1}'), context).a).toBe(1);
  });
});

describe('nullable', () => {
  it('lets null through and keeps preparing', async () => {
    const prepared: string[] = [];
    const serde = nullable({
      ...text(),
      prepare: async (data: Buffer) => {
        prepared.push(data.toString());
      },
    });
    expect(serde.nullable).toBe(true);
    await serde.prepare?.(Buffer.from('x'), context);
    expect(prepared).toEqual(['x']);
  });
});

describe('deserializeText', () => {
  it('answers as deserialize does, and goes through nullable', () => {
    const Order = z.object({ id: z.string().transform((id) => id.length) });
    for (const serde of [text(), json(), json(Order), uncheckedJson(), nullable(json(Order))])
      for (const value of ['{"id":"abc"}', '"ü"', '', 'no json', '{"id":5}']) {
        const by = (read: () => unknown): unknown => {
          try {
            return { value: read() };
          } catch (error) {
            return (error as Error).message;
          }
        };
        expect(by(() => serde.deserializeText!(value, context))).toEqual(
          by(() => serde.deserialize(Buffer.from(value), context)),
        );
      }
    expect(bytes().deserializeText).toBeUndefined();
    expect(nullable(bytes()).deserializeText).toBeUndefined();
  });
});
