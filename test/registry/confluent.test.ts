// Confluent's own JavaScript client wrote these values, and read what ours wrote of them (scripts/record-confluent.ts): ours must read its bytes, and write
// the same ones, and refuse what it refuses.
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  avro,
  jsonSchema,
  recordName,
  topicName,
  topicRecordName,
  type SubjectName,
} from '../../src/registry/index.ts';
import { SchemaError } from '../../src/serdes/json.ts';
import type { Serde } from '../../src/serdes/serde.ts';
import { rejection } from '../helpers/rejection.ts';
import { AVRO_CASES } from './confluent/avro-cases.ts';
import { JSON_CASES } from './confluent/json-cases.ts';
import {
  at,
  ourAvro,
  ourAvroReader,
  ourJson,
  read,
  registryOf,
  SUBJECT,
  textOf,
  TOPIC,
  write,
  type Recorded,
  type Recording,
} from './confluent/ours.ts';

const recording = JSON.parse(
  readFileSync(path.resolve(__dirname, '../golden/registry/confluent.json'), 'utf8'),
) as Recording;

function recordedOf(all: readonly Recorded[], name: string): Recorded {
  const found = all.find((one) => one.name === name);
  if (found === undefined) throw new Error(`'${name}' is not recorded: npx tsx scripts/record-confluent.ts`);
  return found;
}

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

/** The subjects that are asked for when a value is written. */
async function subjectsOf(serdeOf: (subject: SubjectName) => Serde<unknown>): Promise<Recorded['subjects']> {
  const asked = async (subject: SubjectName): Promise<string> => {
    let name = '';
    const spied: SubjectName = (of) => (name = subject(of));
    await serdeOf(spied).prepareToSerialize!({ topic: TOPIC, part: 'value' });
    return name;
  };
  return {
    topic: await asked(topicName),
    record: await asked(recordName),
    topicRecord: await asked(topicRecordName),
  };
}

it('has a recording of every case, and of no other', () => {
  expect(recording.avro.map(({ name }) => name)).toEqual(AVRO_CASES.map(({ name }) => name));
  expect(recording.json.map(({ name }) => name)).toEqual(JSON_CASES.map(({ name }) => name));
});

describe("Confluent's Avro serializer and ours", () => {
  it.each(AVRO_CASES)('$name', async (one) => {
    const { schema, values, read: wanted = values, refused = [], evolved } = one;
    const recorded = recordedOf(recording.avro, one.name);
    expect(recorded.schema).toBe(textOf(schema));
    const { server, registry, id } = await registryOf(one, 'AVRO');
    try {
      expect(id).toBe(recorded.id);
      expect(server.guidOf(id)).toBe(recorded.guid);
      const serde = ourAvro(registry, one);
      const asWritten = ourAvroReader(registry, one);
      for (const [index, value] of values.entries()) {
        const theirs = recorded.bytes[index]!;
        expect((await write(serde, value)).toString('hex')).toBe(theirs);
        expect(await read(asWritten, bytes(theirs))).toEqual(wanted[index]);
        expect(await read(serde, bytes(theirs))).toEqual(wanted[index]);
      }
      expect(recorded.bytes).toHaveLength(values.length);
      const { id: header, data } = recorded.header;
      expect(await read(asWritten, bytes(data), bytes(header))).toEqual(wanted.at(-1));
      expect(await read(asWritten, bytes(header + data))).toEqual(wanted.at(-1));
      for (const value of refused) expect(() => serde.serialize(value, at())).toThrow(SchemaError);
      if (evolved === undefined) return;
      server.add(SUBJECT, textOf(evolved.schema));
      const newer = ourAvroReader(registry, one, evolved.schema);
      for (const [index, theirs] of recorded.bytes.entries())
        expect(await read(newer, bytes(theirs!))).toEqual(evolved.read[index]);
    } finally {
      await server.close();
    }
  });

  it('call the subjects of records alike', async () => {
    for (const name of ['record of every type', 'references']) {
      const one = AVRO_CASES.find((each) => each.name === name)!;
      const { server, registry } = await registryOf(one, 'AVRO');
      const { schema, references = [] } = one;
      const serdeOf = (subject: SubjectName): Serde<unknown> =>
        avro(registry, { schema, references, subject });
      const { subjects } = recordedOf(recording.avro, name);
      expect(await subjectsOf(serdeOf)).toEqual(subjects);
      await server.close();
    }
  });
});

describe("Confluent's JSON serializer and ours", () => {
  it.each(JSON_CASES)('$name', async (one) => {
    const { schema, values } = one;
    const recorded = recordedOf(recording.json, one.name);
    expect(recorded.schema).toBe(textOf(schema));
    const { server, registry, id } = await registryOf(one, 'JSON');
    try {
      expect(id).toBe(recorded.id);
      expect(server.guidOf(id)).toBe(recorded.guid);
      const serde = ourJson(registry, one);
      const asWritten = jsonSchema(registry);
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(id, 1);
      for (const [index, value] of values.entries()) {
        const theirs = recorded.bytes[index]!;
        if (theirs === null) {
          expect(await rejection(write(serde, value))).toBeInstanceOf(SchemaError);
          const unchecked = Buffer.concat([prefix, Buffer.from(JSON.stringify(value))]);
          expect(await rejection(read(asWritten, unchecked))).toBeInstanceOf(SchemaError);
          continue;
        }
        expect((await write(serde, value)).toString('hex')).toBe(theirs);
        expect(await read(asWritten, bytes(theirs))).toEqual(JSON.parse(JSON.stringify(value)));
      }
      expect(recorded.bytes).toHaveLength(values.length);
      const { id: header, data } = recorded.header;
      const fits: unknown = JSON.parse(bytes(data).toString());
      expect(await read(asWritten, bytes(data), bytes(header))).toEqual(fits);
      expect(await read(asWritten, bytes(header + data))).toEqual(fits);
    } finally {
      await server.close();
    }
  });

  it('call the subjects of titled schemas alike', async () => {
    const one = JSON_CASES.find(({ name }) => name === 'draft-07')!;
    const { server, registry } = await registryOf(one, 'JSON');
    const serdeOf = (subject: SubjectName): Serde<unknown> =>
      jsonSchema(registry, { schema: textOf(one.schema), subject });
    const { subjects } = recordedOf(recording.json, one.name);
    expect(await subjectsOf(serdeOf)).toEqual(subjects);
    await server.close();
  });
});
