// Bytes that Kafka's own Java classes wrote (test/golden/GenerateProtocol.java), with the values as Kafka's own JSON converters print them.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { defaultOf, specs } from '../../../src/core/protocol/defaults.ts';
import { Reader } from '../../../src/core/protocol/reader.ts';
import type { FieldSpec, Table } from '../../../src/core/protocol/schema.ts';
import { encoded, EVERY_VERSION, MESSAGES } from './helpers.ts';

interface GoldenCase {
  readonly message: string;
  readonly version: number;
  readonly case: 'defaults' | 'full' | 'nulls' | 'unknownTags';
  readonly hex: string;
  readonly value: Record<string, unknown>;
}

const folder = 'test/golden/protocol';
const cases = readdirSync(folder)
  .filter((name) => /^\d|^consumer/.test(name))
  .flatMap((name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as GoldenCase[]);
const messages = new Map(MESSAGES.map((message) => [kafkaName(message.name), message]));

/** 'Fetch request' is Kafka's FetchRequest. */
function kafkaName(name: string): string {
  return name.replace(' r', 'R');
}

/** A decoded struct as Kafka's JSON converters would print it: no absent tags, no fields of other versions. */
function asKafkaJson(table: Table, value: Record<string, unknown>, kafka: Record<string, unknown>): unknown {
  const json: Record<string, unknown> = {};
  for (const [name, spec] of specs(table)) {
    if (name in kafka) json[name] = fieldJson(spec, value[name], kafka[name]);
    else expect({ [name]: value[name] }).toEqual({ [name]: defaultOf(spec) });
  }
  return json;
}

function fieldJson(spec: FieldSpec, value: unknown, kafka: unknown): unknown {
  if (value === null || kafka === null) return value;
  switch (spec.type) {
    case 'bytes':
      return (value as Buffer).toString('base64');
    case 'records':
      return ''; // Kafka prints no records; the comparison of bytes covers them.
    case 'array':
      return (value as unknown[]).map((element, i) =>
        fieldJson(spec.element!, element, (kafka as unknown[])[i] ?? {}),
      );
    case 'struct':
      return asKafkaJson(spec.table!, value as Record<string, unknown>, kafka as Record<string, unknown>);
    case 'int64':
      return Number(value); // Kafka prints numbers; those of these cases are exact.
    default:
      return value;
  }
}

describe('messages serialized by Kafka', () => {
  it('are there for every message and version', () => {
    const covered = new Set(cases.filter((c) => c.case === 'full').map((c) => `${c.message} v${c.version}`));
    expect(EVERY_VERSION.map(({ name }) => kafkaName(name)).filter((name) => !covered.has(name))).toEqual([]);
  });

  it.each(cases)('$message v$version $case', (golden) => {
    const message = messages.get(golden.message)!;
    const bytes = Buffer.from(golden.hex, 'hex');
    const reader = new Reader(bytes);
    const value = message.decode(reader, golden.version);
    expect(reader.remaining).toBe(0);
    expect(asKafkaJson(message.table, value, golden.value)).toEqual(golden.value);
    if (golden.case === 'unknownTags') {
      expect(message.decode(new Reader(encoded(message, golden.version, value)), golden.version)).toEqual(
        value,
      );
    } else {
      expect(encoded(message, golden.version, value).toString('hex')).toBe(golden.hex);
    }
  });
});
