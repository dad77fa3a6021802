import { Buffer } from 'node:buffer';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { headersFrom } from '../../src/core/records/headers.ts';
import { jsonSchema, recordName, schemaRegistry, type SchemaRegistry } from '../../src/registry/index.ts';
import { SchemaError } from '../../src/serdes/json.ts';
import type { Serde, SerdeContext } from '../../src/serdes/serde.ts';
import { RegistryServer } from '../helpers/registry-server.ts';
import { rejection } from '../helpers/rejection.ts';

interface Order {
  id: string;
  total: number;
}

const schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Order',
  type: 'object',
  properties: { id: { type: 'string' }, total: { type: 'number', minimum: 0 } },
  required: ['id', 'total'],
};

let server: RegistryServer;
let registry: SchemaRegistry;

beforeEach(async () => {
  server = await RegistryServer.start();
  registry = schemaRegistry({ url: server.url });
});
afterEach(() => server.close());

const at: SerdeContext = { topic: 'orders', part: 'value', headers: headersFrom(undefined) };

async function write<I, O>(serde: Serde<I, O>, value: I): Promise<Buffer> {
  await serde.prepareToSerialize?.(at);
  return Buffer.from(serde.serialize(value, at) as Uint8Array);
}

async function read<I, O>(serde: Serde<I, O>, data: Buffer): Promise<O> {
  await serde.prepare?.(data, at);
  return serde.deserialize(data, at);
}

describe('jsonSchema', () => {
  it('writes a zero, the number of the schema, and the JSON; registered as JSON', async () => {
    const serde = jsonSchema<Order>(registry, { schema });
    const data = await write(serde, { id: 'é', total: 1 });
    expect(data.toString('hex', 0, 5)).toBe('0000000001');
    expect(data.toString('utf8', 5)).toBe('{"id":"é","total":1}');
    expect(await read(serde, data)).toEqual({ id: 'é', total: 1 });
    expect(server.asked[0]).toMatchObject({
      path: '/subjects/orders-value/versions',
      body: { schema: JSON.stringify(schema), schemaType: 'JSON' },
    });
  });

  it('checks what is written and what is read, and says where it does not fit', async () => {
    const serde = jsonSchema<Order>(registry, { schema });
    const wrong = await rejection(write(serde, { id: 'a', total: -5 }));
    expect(wrong).toBeInstanceOf(SchemaError);
    expect(wrong).toMatchObject({ issues: [{ path: ['total'], message: 'must be >= 0' }] });
    const bad = Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), Buffer.from('{"id":5,"total":"secret"}')]);
    const error = await rejection(read(serde, bad));
    expect(error).toBeInstanceOf(SchemaError);
    expect(String(error)).not.toContain('secret');
    const noJson = Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), Buffer.from('{nope')]);
    expect(String(await rejection(read(serde, noJson)))).toMatch(/is not JSON/);
  });

  it('checks against the schema it was written with when none is given, or not at all', async () => {
    const data = await write(jsonSchema<Order>(registry, { schema }), { id: 'a', total: 1 });
    expect(await read(jsonSchema(registry), data)).toEqual({ id: 'a', total: 1 });
    const bad = Buffer.concat([data.subarray(0, 5), Buffer.from('{"id":5}')]);
    expect(await rejection(read(jsonSchema(registry), bad))).toBeInstanceOf(SchemaError);
    expect(await read(jsonSchema(registry, { validate: false }), bad)).toEqual({ id: 5 });
  });

  it('takes its type and its JSON Schema from a Standard Schema, transforms included', async () => {
    const Dated = z.object({ id: z.string(), at: z.iso.datetime().transform((text) => new Date(text)) });
    const serde = jsonSchema(registry, Dated);
    const data = await write(serde, { id: 'a', at: '2026-01-02T03:04:05Z' });
    expect(await read(serde, data)).toEqual({ id: 'a', at: new Date('2026-01-02T03:04:05Z') });
    const sent = JSON.parse((server.asked[0]!.body as { schema: string }).schema) as object;
    expect(sent).toMatchObject({ type: 'object', required: ['id', 'at'] });
    const bad = Buffer.concat([data.subarray(0, 5), Buffer.from('{"id":5}')]);
    expect(String(await rejection(read(serde, bad)))).toMatch(/does not fit its schema: id: /);
    expect(String(await rejection(write(serde, { id: 7 as never, at: 'x' })))).toMatch(/JSON Schema: id/);
  });

  it('takes a JSON Schema beside a type that has none of its own', async () => {
    const bare = {
      '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
    } as const;
    expect(String(await rejection(write(jsonSchema(registry, bare), {})))).toMatch(/no schema to write/);
    const data = await write(jsonSchema(registry, bare, { schema }), { id: 'a', total: 1 });
    expect(await read(jsonSchema(registry, bare), data)).toEqual({ id: 'a', total: 1 });
    expect(() => jsonSchema(registry, z.object({ f: z.date() }))).toThrow(/has no JSON Schema/);
  });

  it('reads with the schema given here what was written with another: its own rules hold', async () => {
    server.add('orders-value', { type: 'object' }, { schemaType: 'JSON' });
    const data = Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), Buffer.from('{"id":"a"}')]);
    expect(await read(jsonSchema(registry), data)).toEqual({ id: 'a' });
    expect(String(await rejection(read(jsonSchema(registry, { schema }), data)))).toMatch(
      /required property 'total'/,
    );
  });

  it('resolves references by the names the schema calls them', async () => {
    server.add('money', { type: 'integer', minimum: 1 }, { schemaType: 'JSON' });
    const priced = { type: 'object', properties: { price: { $ref: 'money.json' } } };
    const references = [{ name: 'money.json', subject: 'money', version: 1 }];
    const serde = jsonSchema(registry, { schema: priced, references });
    const data = await write(serde, { price: 5 });
    expect(await rejection(write(serde, { price: 0 }))).toBeInstanceOf(SchemaError);
    const bad = Buffer.concat([data.subarray(0, 5), Buffer.from('{"price":0}')]);
    expect(await rejection(read(jsonSchema(registry), bad))).toBeInstanceOf(SchemaError);
  });

  it('knows draft-07, 2019-09 and 2020-12, and says so of others', async () => {
    const tuple = (dialect: string) => ({
      $schema: dialect,
      type: 'array',
      prefixItems: [{ type: 'string' }],
    });
    const of = (dialect: string) =>
      jsonSchema(registry, { schema: tuple(dialect), subject: () => dialect.slice(-12) });
    expect(await rejection(write(of('https://json-schema.org/draft/2020-12/schema'), [5]))).toBeInstanceOf(
      SchemaError,
    );
    await write(of('https://json-schema.org/draft/2019-09/schema'), [5]);
    await write(of('http://json-schema.org/draft-07/schema#'), [5]);
    expect(String(await rejection(write(of('http://json-schema.org/draft-04/schema#'), [5])))).toMatch(
      /known are draft-06/,
    );
  });

  it('names subjects after the title, and writes with the latest', async () => {
    await write(jsonSchema(registry, { schema, subject: recordName }), { id: 'a', total: 1 });
    expect(server.paths).toEqual(['POST /subjects/Order/versions']);
    const untitled = jsonSchema(registry, { schema: { type: 'object' }, subject: recordName });
    expect(String(await rejection(write(untitled, {})))).toMatch(/has no name/);
    const id = server.add('orders-value', { type: 'string' }, { schemaType: 'JSON' });
    expect((await write(jsonSchema<string>(registry, { useLatest: true }), 'x')).readUInt32BE(1)).toBe(id);
  });

  it('refuses what is no schema and what has no JSON form', async () => {
    expect(() => jsonSchema(registry, { schema: '{' })).toThrow(/not JSON/);
    expect(String(await rejection(write(jsonSchema(registry, { schema: '5' }), 1)))).toMatch(
      /no JSON Schema/,
    );
    expect(String(await rejection(write(jsonSchema(registry, { schema: { $ref: 'nowhere' } }), 1)))).toMatch(
      /can be used/,
    );
    expect(String(await rejection(write(jsonSchema(registry, { schema: true as never }), () => 1)))).toMatch(
      /no JSON form/,
    );
  });
});
