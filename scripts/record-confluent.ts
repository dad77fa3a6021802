// Has Confluent's JavaScript client write the values of test/registry/confluent, and read ours; what it wrote goes to test/golden/registry/confluent.json.
//   npx tsx scripts/record-confluent.ts
// The client (MIT) is installed into .cache/confluent, without its packages' scripts; nothing else of this repository uses it.
import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { AVRO_CASES, type AvroCase } from '../test/registry/confluent/avro-cases.ts';
import { JSON_CASES, type JsonCase } from '../test/registry/confluent/json-cases.ts';
import {
  ourAvro,
  ourJson,
  registryOf,
  SUBJECT,
  textOf,
  TOPIC,
  write,
  type Recorded,
  type Recording,
} from '../test/registry/confluent/ours.ts';
import type { RegistryServer } from '../test/helpers/registry-server.ts';

const CLIENT = '@confluentinc/schemaregistry';
const VERSION = '1.10.1';
const FILE = path.join('test', 'golden', 'registry', 'confluent.json');

function installed(): NodeJS.Require {
  const folder = path.resolve('.cache', 'confluent');
  const own = createRequire(path.join(folder, 'package.json'));
  const manifest = path.join(folder, 'node_modules', ...CLIENT.split('/'), 'package.json');
  if (!existsSync(manifest) || own(manifest).version !== VERSION) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    execFileSync(
      'npm',
      ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', `${CLIENT}@${VERSION}`],
      { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
    );
  }
  return own;
}

const theirs = installed();
const confluent = theirs(CLIENT);
const { VALUE } = confluent.SerdeType;

/** Records of theirs are of classes of their own. */
function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value) || value instanceof Date || typeof value !== 'object' || value === null)
    return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
}

function same(what: string, found: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(plain(found), plain(wanted))) {
    console.error(found, wanted);
    throw new Error(`${what}: Confluent's client read something else`);
  }
}

const clientOf = (server: RegistryServer): any =>
  new confluent.SchemaRegistryClient({ baseURLs: [server.url], maxRetries: 0 });

async function subjectsOf(make: (type: string) => any, info: object): Promise<Recorded['subjects']> {
  const name = async (type: string): Promise<string> => make(type).subjectName(TOPIC, info);
  return {
    topic: await name('TOPIC'),
    record: await name('RECORD'),
    topicRecord: await name('TOPIC_RECORD'),
  };
}

async function attempt(work: () => Promise<Buffer>): Promise<string | null> {
  try {
    return (await work()).toString('hex');
  } catch {
    return null;
  }
}

interface Sides {
  readonly serializer: (conf?: object) => any;
  readonly deserializer: (conf?: object) => any;
}

/** What stands in a header, and the data beside it; read back. */
async function inHeader(
  { serializer, deserializer }: Sides,
  value: unknown,
  wanted: unknown,
  name: string,
): Promise<Recorded['header']> {
  const headers: Record<string, Buffer> = {};
  const data: Buffer = await serializer({ schemaIdSerializer: confluent.HeaderSchemaIdSerializer }).serialize(
    TOPIC,
    value,
    headers,
  );
  same(
    `${name}, by a GUID before it`,
    await deserializer().deserialize(TOPIC, Buffer.concat([headers['__value_schema_id']!, data])),
    wanted,
  );
  // Data of no bytes is null for it, whatever the schema.
  if (data.length > 0)
    same(`${name}, by header`, await deserializer().deserialize(TOPIC, data, headers), wanted);
  return { id: headers['__value_schema_id']!.toString('hex'), data: data.toString('hex') };
}

async function avroCase(one: AvroCase): Promise<Recorded> {
  const { name, schema, values, read: wanted = values, refused = [], library, evolved } = one;
  const { server, registry, id } = await registryOf(one, 'AVRO');
  try {
    const { longs, ...options } = library?.(theirs('avsc')) ?? {};
    // It puts the names of its schemas into the object, so each has one of its own.
    const conf = (): object => ({
      ...options,
      ...(longs === undefined ? {} : { registry: { long: longs } }),
    });
    const sides: Sides = {
      serializer: (more = {}) =>
        new confluent.AvroSerializer(clientOf(server), VALUE, { useLatestVersion: true, ...conf(), ...more }),
      deserializer: (more = {}) =>
        new confluent.AvroDeserializer(clientOf(server), VALUE, { ...conf(), ...more }),
    };
    const serializer = sides.serializer();
    const deserializer = sides.deserializer();
    const bytes: string[] = [];
    for (const [at, value] of values.entries()) {
      const data: Buffer = await serializer.serialize(TOPIC, value);
      bytes.push(data.toString('hex'));
      same(`${name}, its own`, await deserializer.deserialize(TOPIC, data), wanted[at]);
      same(
        `${name}, ours`,
        await deserializer.deserialize(TOPIC, await write(ourAvro(registry, one), value)),
        wanted[at],
      );
    }
    const refusals = await Promise.all(
      refused.map((value) => attempt(() => serializer.serialize(TOPIC, value))),
    );
    if (refusals.some((data) => data !== null))
      throw new Error(`${name}: Confluent's client wrote ${refusals.join(', ')}`);
    const header = await inHeader(sides, values.at(-1), wanted.at(-1), name);
    const info = {
      schema: textOf(schema),
      ...(one.references === undefined ? {} : { references: one.references }),
    };
    const subjects = await subjectsOf((type) => sides.serializer({ subjectNameStrategyType: type }), info);
    if (evolved !== undefined) {
      server.add(SUBJECT, textOf(evolved.schema));
      for (const [at, data] of bytes.entries())
        same(
          `${name}, by the newer schema`,
          await sides.deserializer({ useLatestVersion: true }).deserialize(TOPIC, Buffer.from(data, 'hex')),
          evolved.read[at],
        );
    }
    return { name, schema: textOf(schema), id, guid: server.guidOf(id), bytes, header, subjects };
  } finally {
    await server.close();
  }
}

async function jsonCase(one: JsonCase): Promise<Recorded> {
  const { name, schema, values, ajv = {} } = one;
  const { server, registry, id } = await registryOf(one, 'JSON');
  try {
    const conf = { validate: true, ...ajv };
    const sides: Sides = {
      serializer: (more = {}) =>
        new confluent.JsonSerializer(clientOf(server), VALUE, { useLatestVersion: true, ...conf, ...more }),
      deserializer: (more = {}) =>
        new confluent.JsonDeserializer(clientOf(server), VALUE, { ...conf, ...more }),
    };
    const serializer = sides.serializer();
    const deserializer = sides.deserializer();
    const bytes: (string | null)[] = [];
    const ours = ourJson(registry, one);
    for (const value of values) {
      const data = await attempt(() => serializer.serialize(TOPIC, value));
      bytes.push(data);
      if (data === null) continue;
      const wanted: unknown = JSON.parse(JSON.stringify(value));
      same(`${name}, its own`, await deserializer.deserialize(TOPIC, Buffer.from(data, 'hex')), wanted);
      same(`${name}, ours`, await deserializer.deserialize(TOPIC, await write(ours, value)), wanted);
    }
    if (bytes.every((data) => data === null))
      throw new Error(`${name}: Confluent's client writes none of it`);
    const fits = values[bytes.findIndex((data) => data !== null)];
    const header = await inHeader(sides, fits, JSON.parse(JSON.stringify(fits)), name);
    const info = {
      schema: textOf(schema),
      schemaType: 'JSON',
      ...(one.references === undefined ? {} : { references: one.references }),
    };
    const subjects = await subjectsOf((type) => sides.serializer({ subjectNameStrategyType: type }), info);
    return { name, schema: textOf(schema), id, guid: server.guidOf(id), bytes, header, subjects };
  } finally {
    await server.close();
  }
}

const avro: Recorded[] = [];
for (const one of AVRO_CASES) avro.push(await avroCase(one));
const json: Recorded[] = [];
for (const one of JSON_CASES) json.push(await jsonCase(one));
const recording: Recording = {
  client: `${CLIENT} ${VERSION}`,
  avsc: theirs('avsc/package.json').version,
  ajv: theirs('ajv/package.json').version,
  avro,
  json,
};
mkdirSync(path.dirname(FILE), { recursive: true });
writeFileSync(FILE, `${JSON.stringify(recording, null, 1)}\n`);
console.log(
  `${avro.length} Avro schemas, ${json.length} JSON Schemas, ${[...avro, ...json].flatMap(({ bytes }) => bytes).length} values`,
);
