// Our side of the comparison with Confluent's serdes: the registry as a case wants it, and our serde for the case.
import { Buffer } from 'node:buffer';
import avsc from 'avsc';
import { headersFrom } from '../../../src/core/records/headers.ts';
import { avro, jsonSchema, schemaRegistry, type SchemaRegistry } from '../../../src/registry/index.ts';
import type { Serde, SerdeContext } from '../../../src/serdes/serde.ts';
import { RegistryServer } from '../../helpers/registry-server.ts';
import type { AvroCase, Registered } from './avro-cases.ts';
import type { JsonCase } from './json-cases.ts';

export const TOPIC = 'orders';
export const SUBJECT = 'orders-value';

/** What Confluent's serializer made of a case. */
export interface Recorded {
  readonly name: string;
  readonly schema: string;
  /** The number it has in the registry of the case, and its GUID there. */
  readonly id: number;
  readonly guid: string;
  /** In hex, with the number before the data; null for a value that it refuses. */
  readonly bytes: readonly (string | null)[];
  /** The header of one that has the GUID there, and the data alone. */
  readonly header: { readonly id: string; readonly data: string };
  /** By Confluent's strategies; an error's message where there is none. */
  readonly subjects: { readonly topic: string; readonly record: string; readonly topicRecord: string };
}

export interface Recording {
  readonly client: string;
  readonly avsc: string;
  readonly ajv: string;
  readonly avro: readonly Recorded[];
  readonly json: readonly Recorded[];
}

export function textOf(schema: object | string | boolean): string {
  return typeof schema === 'string' ? schema : JSON.stringify(schema);
}

interface Setting {
  readonly schema: object | string | boolean;
  readonly references?: { name: string; subject: string; version: number }[];
  readonly before?: readonly Registered[];
}

/** A registry with the schemas of a case, so that each has the number it had when Confluent's bytes were made. */
export async function registryOf(
  { schema, references = [], before = [] }: Setting,
  schemaType: 'AVRO' | 'JSON',
): Promise<{ server: RegistryServer; registry: SchemaRegistry; id: number }> {
  const server = await RegistryServer.start();
  for (const one of before)
    server.add(one.subject, one.schema, { schemaType, references: one.references ?? [] });
  const id = server.add(SUBJECT, textOf(schema), { schemaType, references });
  return { server, registry: schemaRegistry({ url: server.url, retry: { attempts: 1 } }), id };
}

export function ourAvro(
  registry: SchemaRegistry,
  { schema, references = [], library }: AvroCase,
): Serde<unknown> {
  const { longs, ...options } = library?.(avsc) ?? {};
  return avro(registry, {
    schema,
    references,
    ...options,
    ...(longs === undefined ? {} : { longs: 'bigint' }),
  });
}

/** As what it was written with, or as another schema. */
export function ourAvroReader(
  registry: SchemaRegistry,
  { library }: AvroCase,
  readerSchema?: object | string,
): Serde<unknown> {
  const { longs, ...options } = library?.(avsc) ?? {};
  return avro(registry, { readerSchema, ...options, ...(longs === undefined ? {} : { longs: 'bigint' }) });
}

export function ourJson(registry: SchemaRegistry, { schema, references = [] }: JsonCase): Serde<unknown> {
  return jsonSchema(registry, { schema: textOf(schema), references });
}

export function at(header?: Buffer): SerdeContext {
  return {
    topic: TOPIC,
    part: 'value',
    headers: headersFrom(header === undefined ? undefined : { __value_schema_id: header }),
  };
}

/** As a sink does. */
export async function write(serde: Serde<unknown>, value: unknown): Promise<Buffer> {
  await serde.prepareToSerialize?.(at());
  return Buffer.from(serde.serialize(value, at()) as Uint8Array);
}

/** As a source does. */
export async function read(serde: Serde<unknown>, data: Buffer, header?: Buffer): Promise<unknown> {
  await serde.prepare?.(data, at(header));
  return serde.deserialize(data, at(header));
}
