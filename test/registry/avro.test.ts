import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Buffer } from 'node:buffer';
import avsc from 'avsc';
import { headersFrom } from '../../src/core/records/headers.ts';
import {
  avro,
  recordName,
  RegistryError,
  schemaRegistry,
  topicRecordName,
  type AvroOptions,
  type SchemaRegistry,
} from '../../src/registry/index.ts';
import { SchemaError } from '../../src/serdes/json.ts';
import { nullable } from '../../src/serdes/nullable.ts';
import type { Serde, SerdeContext } from '../../src/serdes/serde.ts';
import { RegistryServer } from '../helpers/registry-server.ts';
import { rejection } from '../helpers/rejection.ts';

interface Order {
  id: string;
  total: number;
}

const orderSchema = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'total', type: 'int' },
  ],
};
const withNote = {
  ...orderSchema,
  fields: [...orderSchema.fields, { name: 'note', type: 'string', default: 'none' }],
};

let server: RegistryServer;
let registry: SchemaRegistry;

beforeEach(async () => {
  server = await RegistryServer.start();
  registry = schemaRegistry({ url: server.url, retry: { attempts: 3, minDelayMs: 1, maxDelayMs: 2 } });
});
afterEach(() => server.close());

const at = (more: Partial<SerdeContext> = {}): SerdeContext => ({
  topic: 'orders',
  part: 'value',
  headers: headersFrom(undefined),
  ...more,
});

/** As a sink does. */
async function write<T>(serde: Serde<T>, value: T, context = at()): Promise<Buffer> {
  await serde.prepareToSerialize?.(context);
  return Buffer.from(serde.serialize(value, context) as Uint8Array);
}

/** As a source does. */
async function read<T>(serde: Serde<T>, data: Buffer, context = at()): Promise<T> {
  await serde.prepare?.(data, context);
  return serde.deserialize(data, context);
}

const orders = (options: AvroOptions = {}): Serde<Order> =>
  avro<Order>(registry, { schema: orderSchema, ...options });

describe('avro', () => {
  it('writes a zero, the number of the schema, and the data; and reads it back', async () => {
    server.add('other', { type: 'string' });
    const serde = orders();
    const data = await write(serde, { id: 'a', total: 150 });
    // By Avro's specification: text is its length (zigzag 2) and its bytes; 150 is the zigzag number 300, in groups of seven bits.
    expect(data.toString('hex')).toBe('0000000002' + '0261' + 'ac02');
    expect(await read(serde, data)).toEqual({ id: 'a', total: 150 });
    expect(server.paths).toEqual(['POST /subjects/orders-value/versions', 'GET /schemas/ids/2']);
    expect(server.asked[0]!.body).toEqual({ schema: JSON.stringify(orderSchema) });
  });

  it('asks once for what many records need at the same time, and then not again', async () => {
    const serde = orders();
    const context = at();
    const places = [1, 2, 3].map(async () => serde.prepareToSerialize!(context));
    await Promise.all(places);
    expect(serde.prepareToSerialize!(context)).toBeUndefined();
    const data = await write(serde, { id: 'a', total: 1 });
    const other = orders();
    await Promise.all([1, 2, 3].map(async () => other.prepare!(data, context)));
    expect(other.prepare!(data, context)).toBeUndefined();
    expect(server.paths).toEqual(['POST /subjects/orders-value/versions', 'GET /schemas/ids/1']);
    // A second topic has its own subject.
    await write(serde, { id: 'a', total: 1 }, at({ topic: 'more', part: 'key' }));
    expect(server.paths.at(-1)).toBe('POST /subjects/more-key/versions');
  });

  it('reads what was written with another version as its own: fields come and go by Avro rules', async () => {
    const old = await write(orders(), { id: 'a', total: 1 });
    const fresh = avro<Order & { note: string }>(registry, { schema: withNote });
    const data = await write(fresh, { id: 'b', total: 2, note: 'new' });
    expect(data.readUInt32BE(1)).toBe(2);
    expect(await read(fresh, old)).toEqual({ id: 'a', total: 1, note: 'none' });
    expect(await read(orders(), data)).toEqual({ id: 'b', total: 2 });
    expect(await read(avro(registry), data)).toEqual({ id: 'b', total: 2, note: 'new' });
    const onlyId = { ...orderSchema, fields: [orderSchema.fields[0]!] };
    expect(await read(avro(registry, { readerSchema: onlyId }), data)).toEqual({ id: 'b' });
  });

  it('refuses a record that cannot be read as wanted, naming the schema', async () => {
    const data = await write(orders(), { id: 'a', total: 1 });
    const other = avro(registry, {
      readerSchema: { type: 'record', name: 'shop.Order', fields: [{ name: 'x', type: 'int' }] },
    });
    const error = await rejection(read(other, data));
    expect(error).toBeInstanceOf(SchemaError);
    expect(String(error)).toMatch(/written with schema 1 cannot be read as the reader's schema/);
  });

  it('registers, looks up, or takes the latest', async () => {
    const lookup = orders({ autoRegister: false });
    const missing = await rejection(write(lookup, { id: 'a', total: 1 }));
    expect(missing).toMatchObject({ code: 'REGISTRY', status: 404, registryCode: 40401, retriable: false });
    expect(String(missing)).toMatch(/subject 'orders-value'.*not registered, and autoRegister is off/);
    const id = server.add('orders-value', orderSchema);
    expect((await write(lookup, { id: 'a', total: 1 })).readUInt32BE(1)).toBe(id);
    const latestId = server.add('orders-value', withNote);
    const latest = avro<Order & { note: string }>(registry, { useLatest: true });
    const data = await write(latest, { id: 'a', total: 1, note: 'x' });
    expect(data.readUInt32BE(1)).toBe(latestId);
    expect(await read(latest, data)).toEqual({ id: 'a', total: 1, note: 'x' });
  });

  it('names subjects after the topic, the record, or both', async () => {
    await write(orders({ subject: recordName }), { id: 'a', total: 1 });
    await write(orders({ subject: topicRecordName }), { id: 'a', total: 1 });
    await write(orders({ subject: ({ topic, recordName: name }) => `${name}@${topic}` }), {
      id: 'a',
      total: 1,
    });
    expect(server.paths).toEqual([
      'POST /subjects/shop.Order/versions',
      'POST /subjects/orders-shop.Order/versions',
      'POST /subjects/shop.Order%40orders/versions',
    ]);
  });

  it('says what is not compatible, and with what', async () => {
    server.add('orders-value', orderSchema);
    const other = avro(registry, {
      schema: { type: 'record', name: 'shop.Order', fields: [{ name: 'x', type: 'int' }] },
    });
    const error = await rejection(write(other, { x: 1 }));
    expect(error).toMatchObject({ code: 'REGISTRY', status: 409, subject: 'orders-value', retriable: false });
    expect(String(error)).toMatch(/not compatible with earlier ones of subject 'orders-value'/);
  });

  it('resolves schemas that use others, to any depth, and once each', async () => {
    const money = {
      type: 'record',
      name: 'Money',
      namespace: 'bank',
      fields: [{ name: 'cents', type: 'long' }],
    };
    const price = {
      type: 'record',
      name: 'Price',
      namespace: 'shop',
      fields: [{ name: 'net', type: 'bank.Money' }],
    };
    const offer = {
      type: 'record',
      name: 'Offer',
      namespace: 'shop',
      fields: [
        { name: 'now', type: 'shop.Price' },
        { name: 'was', type: 'bank.Money' },
      ],
    };
    server.add('money', money);
    server.add('price', price, { references: [{ name: 'bank.Money', subject: 'money', version: 1 }] });
    const references = [
      { name: 'shop.Price', subject: 'price', version: 1 },
      { name: 'bank.Money', subject: 'money', version: 1 },
    ];
    const value = { now: { net: { cents: 5 } }, was: { cents: 9 } };
    const data = await write(avro(registry, { schema: offer, references }), value);
    expect(server.asked.at(-1)!.body).toMatchObject({ references });
    const asked = server.asked.length;
    expect(await read(avro(registry), data)).toEqual(value);
    expect(server.paths.slice(asked)).toEqual(['GET /schemas/ids/3']);
    expect(server.paths.filter((path) => path.includes('/money/'))).toHaveLength(1);
  });

  it('stops at schemas that use each other', async () => {
    server.add('a', { type: 'string' }, { references: [{ name: 'b', subject: 'b', version: 1 }] });
    server.add('b', { type: 'int' }, { references: [{ name: 'a', subject: 'a', version: 1 }] });
    const loop = avro(registry, {
      schema: orderSchema,
      references: [{ name: 'a', subject: 'a', version: 1 }],
    });
    expect(String(await rejection(write(loop, {})))).toMatch(/refers to itself/);
  });

  it('reads a schema GUID or number from the headers, with the data alone', async () => {
    const id = server.add('orders-value', orderSchema);
    const data = Buffer.from('0261ac02', 'hex');
    const guid = Buffer.concat([Buffer.from([1]), Buffer.from(server.guidOf(id).replaceAll('-', ''), 'hex')]);
    const number = Buffer.from([0, 0, 0, 0, id]);
    for (const header of [guid, number]) {
      const context = at({ headers: headersFrom({ __value_schema_id: header }) });
      expect(await read(orders(), data, context)).toEqual({ id: 'a', total: 150 });
    }
    const key = at({ part: 'key', headers: headersFrom({ __key_schema_id: guid }) });
    expect(await read(orders(), data, key)).toEqual({ id: 'a', total: 150 });
    expect(server.paths).toContain(`GET /schemas/guids/${server.guidOf(id)}`);
  });

  it('writes a schema that is just bytes without a length, as Confluent does', async () => {
    const raw = avro<Uint8Array>(registry, { schema: '"bytes"' });
    const data = await write(raw, Buffer.from([7, 8]));
    expect(data.toString('hex')).toBe('00000000010708');
    expect(await read(raw, data)).toEqual(Buffer.from([7, 8]));
    expect(() => raw.serialize('x' as never, at())).toThrow(SchemaError);
  });

  it('takes values larger than its buffer, again and again', async () => {
    const serde = orders();
    for (const length of [10, 5_000, 20, 100_000]) {
      const value = { id: 'x'.repeat(length), total: length };
      expect(await read(serde, await write(serde, value))).toEqual(value);
    }
  });

  it('reads longs as numbers where they are exact, or as bigint', async () => {
    const schema = { type: 'record', name: 'L', fields: [{ name: 'n', type: 'long' }] };
    const big = avro<{ n: bigint }>(registry, { schema, longs: 'bigint' });
    const data = await write(big, { n: 2n ** 60n });
    expect(await read(big, data)).toEqual({ n: 2n ** 60n });
    expect(await rejection(read(avro(registry, { schema }), data))).toBeInstanceOf(SchemaError);
    expect(await read(avro(registry, { schema }), await write(big, { n: -5n }))).toEqual({ n: -5 });
  });

  it('writes and reads every safe integer exactly, below -2^52 too', async () => {
    const schema = { type: 'record', name: 'L', fields: [{ name: 'n', type: 'long' }] };
    const numbers = avro<{ n: number }>(registry, { schema });
    const big = avro<{ n: bigint }>(registry, { schema, longs: 'bigint' });
    // The first is zigzag 2^53 + 1, in groups of seven bits: an odd number that no double is.
    expect((await write(numbers, { n: -(2 ** 52) - 1 })).toString('hex', 5)).toBe('8180808080808010');
    for (const n of [
      -(2 ** 52) - 1,
      -(2 ** 52) - 2,
      -(2 ** 52),
      2 ** 52 + 1,
      -9_007_199_254_740_990,
      2 ** 53 - 2,
    ]) {
      const data = await write(numbers, { n });
      expect(data).toEqual(await write(big, { n: BigInt(n) }));
      expect(await read(numbers, data)).toEqual({ n });
      expect(await read(avro(registry), data)).toEqual({ n });
    }
    for (const n of [-(2n ** 53n), 2n ** 53n, -(2n ** 63n), 2n ** 63n - 1n]) {
      const error = await rejection(read(numbers, await write(big, { n })));
      expect(error).toBeInstanceOf(SchemaError);
      expect(String(error)).toMatch(/beyond 2\^53; read it with the option longs: 'bigint'/);
    }
    for (const n of [-(2 ** 53), 0.5, NaN, '1'])
      expect(await rejection(write(numbers, { n: n as number }))).toBeInstanceOf(SchemaError);
    const long = await write(numbers, { n: -(2 ** 52) - 1 });
    expect(String(await rejection(read(numbers, long.subarray(0, 10))))).toMatch(/ends too early/);
    const roomy = avro<number[]>(registry, {
      schema: { type: 'array', items: 'long' },
      subject: () => 'many',
    });
    const many = Array.from({ length: 1_000 }, (_, index) => -(2 ** 52) - index);
    expect(await read(roomy, await write(roomy, many))).toEqual(many);
  });

  it('makes longs bigint however the schema spells them, under logical types too', async () => {
    const schema = {
      type: 'record',
      name: 'Spelt',
      fields: [
        { name: 'plain', type: { type: 'long' } },
        { name: 'micros', type: { type: 'long', logicalType: 'timestamp-micros' } },
        { name: 'nanos', type: ['null', { type: 'long', logicalType: 'timestamp-nanos' }] },
        { name: 'all', type: { type: 'array', items: { type: 'long' } } },
      ],
    };
    class Nanos extends avsc.types.LogicalType {
      override _fromValue(value: bigint): string {
        return `${value} ns`;
      }
      override _toValue(value: unknown): bigint | undefined {
        return typeof value === 'string' ? BigInt(value.slice(0, -3)) : undefined;
      }
    }
    const serde = avro(registry, { schema, longs: 'bigint', logicalTypes: { 'timestamp-nanos': Nanos } });
    const value = { plain: 2n ** 62n, micros: -5n, nanos: '1795305600123456789 ns', all: [1n, -(2n ** 63n)] };
    expect(await read(serde, await write(serde, value))).toEqual(value);
  });

  it('says which field does not fit, and never its value', async () => {
    const error = await rejection(write(orders(), { id: 'a', total: 'hunter2' as never }));
    expect(error).toBeInstanceOf(SchemaError);
    expect(error).toMatchObject({ issues: [{ path: ['total'], message: 'expected int' }] });
    expect(String(error) + String(error.cause)).not.toContain('hunter2');
  });

  it('refuses bytes that no registry has to do with, and asks nobody', async () => {
    const serde = orders();
    for (const data of ['', '00000001', '7b7d303030303030']) {
      expect(await rejection(read(serde, Buffer.from(data, 'hex')))).toBeInstanceOf(SchemaError);
    }
    expect(server.asked).toEqual([]);
  });

  it('refuses data that ends too early, goes on too long, or lies about counts, at once', async () => {
    const id = server.add('lists-value', { type: 'array', items: { type: 'map', values: 'null' } });
    const rows = avro(registry);
    const bytes = (hex: string): Buffer => Buffer.from(`00${id.toString(16).padStart(8, '0')}${hex}`, 'hex');
    expect(await read(rows, bytes('02020261' + '00' + '00'))).toEqual([{ a: null }]);
    for (const hex of [
      '02',
      '020202',
      'ffffffffffffffff7f',
      'feffffffffff7f',
      '01feffffffffff7f',
      '02feffffffff7f',
      '0000',
      'ffffffffffffffffffffffff',
    ])
      expect(await rejection(read(rows, bytes(hex)))).toBeInstanceOf(SchemaError);
    const one = await write(orders(), { id: 'a', total: 1 });
    expect(String(await rejection(read(orders(), Buffer.concat([one, one]))))).toMatch(/more data/);
    expect(String(await rejection(read(orders(), one.subarray(0, 6))))).toMatch(/ends too early/);
    const nulls = server.add('nulls-value', { type: 'array', items: 'null' });
    const bomb = Buffer.from(`00${nulls.toString(16).padStart(8, '0')}feffffffff0f00`, 'hex');
    expect(String(await rejection(read(avro(registry), bomb)))).toMatch(/more items/);
  });

  it('refuses a schema of another kind, or that is none', async () => {
    const json = server.add('orders-value', { type: 'object' }, { schemaType: 'JSON' });
    const data = (id: number): Buffer => Buffer.from([0, 0, 0, 0, id, 0]);
    expect(String(await rejection(read(orders(), data(json))))).toMatch(/of type JSON.*read as AVRO/);
    server.add('x', { type: 'string' }, { references: [{ name: 'y', subject: 'money', version: 1 }] });
    expect(String(await rejection(read(avro(registry), data(2))))).toMatch(
      /could not give version 1 of subject 'money'/,
    );
    expect(() => avro(registry, { schema: '{' })).toThrow(/not JSON/);
    expect(await rejection(write(avro(registry, { schema: '"nonsense"' }), 1))).toBeInstanceOf(RegistryError);
    expect(String(await rejection(write(avro(registry), 1)))).toMatch(/no schema to write/);
    expect(() => avro(registry, { longs: 'x' as never })).toThrow(/longs/);
  });

  it('lets null through when it is nullable, and stays prepared', async () => {
    const serde = nullable(orders());
    const data = await write(serde, { id: 'a', total: 1 });
    expect(serde.nullable).toBe(true);
    expect(await read(serde, data)).toEqual({ id: 'a', total: 1 });
  });

  it('tells what to do when it is used unprepared', () => {
    expect(() => orders().serialize({ id: 'a', total: 1 }, at())).toThrow(/await prepareToSerialize/);
    expect(() => orders().deserialize(Buffer.from('0000000001', 'hex'), at())).toThrow(RegistryError);
  });

  it('tries again after a failure', async () => {
    server.faults = [400];
    const serde = orders();
    expect(await rejection(write(serde, { id: 'a', total: 1 }))).toMatchObject({ status: 400 });
    expect(await read(serde, await write(serde, { id: 'a', total: 1 }))).toEqual({ id: 'a', total: 1 });
  });
});
