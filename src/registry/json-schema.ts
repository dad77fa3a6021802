import { Buffer } from 'node:buffer';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Bytes } from '../core/records/types.ts';
import { UsageError } from '../errors.ts';
import { checkedBy, describeIssues, parseJson, SchemaError, stringifyJson } from '../serdes/json.ts';
import type { Serde, SerdeContext } from '../serdes/serde.ts';
import { compileJsonSchema, titleOf, type Validate } from './json-schema-library.ts';
import {
  RegistrySerde,
  type ReadFormat,
  type RegistrySerdeOptions,
  type WriteFormat,
} from './registry-serde.ts';
import type { RegistrySchema, SchemaRegistry } from './schema-registry.ts';
import { PREFIX_BYTES, writePrefix } from './wire-format.ts';

/** Options of {@link jsonSchema}. */
export interface JsonSchemaOptions extends RegistrySerdeOptions {
  /** The JSON Schema, as text or parsed: what is registered and written, and what is read is checked against it. */
  readonly schema?: string | object | undefined;
  /** Whether values are checked against JSON Schemas, with `ajv`. Default true. */
  readonly validate?: boolean | undefined;
}

/** A Standard Schema that knows its JSON Schema (zod, arktype, ...). */
interface WithJsonSchema {
  readonly jsonSchema?: { input?(options: { readonly target: string }): unknown };
}

type Parse = (value: unknown, context: SerdeContext) => unknown;

class JsonWriter implements WriteFormat<unknown> {
  readonly recordName: string | undefined;
  private readonly validate: Validate | undefined;

  constructor(recordName: string | undefined, validate: Validate | undefined) {
    this.recordName = recordName;
    this.validate = validate;
  }

  write(value: unknown, id: number, context: SerdeContext): Bytes {
    const text = stringifyJson(value, context);
    // What is written is what must fit: a Date is text by then.
    const issues = this.validate?.(JSON.parse(text));
    if (issues !== undefined)
      throw new SchemaError(
        `the ${context.part} for topic '${context.topic}' does not fit its JSON Schema: ${describeIssues(issues)}`,
        issues,
      );
    const out = Buffer.allocUnsafe(PREFIX_BYTES + Buffer.byteLength(text));
    writePrefix(out, id);
    out.write(text, PREFIX_BYTES);
    return out;
  }
}

class JsonReader implements ReadFormat<unknown> {
  private readonly parse: Parse;
  private readonly validate: Validate | undefined;

  constructor(parse: Parse, validate: Validate | undefined) {
    this.parse = parse;
    this.validate = validate;
  }

  read(data: Buffer, start: number, context: SerdeContext): unknown {
    const value = parseJson(data.toString('utf8', start), context);
    const issues = this.validate?.(value);
    if (issues !== undefined)
      throw new SchemaError(
        `the ${context.part} of a record of topic '${context.topic}' does not fit its JSON Schema: ${describeIssues(issues)}`,
        issues,
      );
    return this.parse(value, context);
  }
}

class JsonSchemaSerde extends RegistrySerde<unknown, unknown> {
  private readonly validates: boolean;
  private readonly type: Parse | undefined;
  private ownReader: Promise<JsonReader> | undefined;

  constructor(
    registry: SchemaRegistry,
    own: string | undefined,
    type: Parse | undefined,
    options: JsonSchemaOptions,
  ) {
    super(registry, 'JSON', own, options);
    this.validates = options.validate ?? true;
    this.type = type;
  }

  // What is read is checked once: by the type where there is one, else by the schema given here, else by that it was written with.
  protected override readFormat(schema: RegistrySchema, id: number | string): Promise<JsonReader> {
    if (this.type !== undefined) return Promise.resolve(new JsonReader(this.type, undefined));
    const given = this.given();
    if (given === undefined) return this.reader(schema, `schema ${id}`);
    this.ownReader ??= this.reader(given, 'the schema to read as').catch((error: unknown) => {
      this.ownReader = undefined;
      throw error;
    });
    return this.ownReader;
  }

  protected override async writeFormat(schema: RegistrySchema): Promise<JsonWriter> {
    return new JsonWriter(titleOf(schema.schema), await this.validator(schema, 'the schema to write with'));
  }

  private async reader(schema: RegistrySchema, what: string): Promise<JsonReader> {
    return new JsonReader((value) => value, await this.validator(schema, what));
  }

  private async validator(schema: RegistrySchema, what: string): Promise<Validate | undefined> {
    if (!this.validates) return undefined;
    return compileJsonSchema(schema.schema, await this.registry.referencesOf(schema), what);
  }
}

function textOf(schema: unknown): string | undefined {
  if (schema === undefined) return undefined;
  if (typeof schema !== 'string') return JSON.stringify(schema);
  try {
    JSON.parse(schema);
    return schema;
  } catch (cause) {
    throw new UsageError('jsonSchema: schema is not JSON', 'schema', { cause });
  }
}

/** Undefined where the schema does not say; then it is given, or `useLatest`, or nothing is written. */
function jsonSchemaOf(type: StandardSchemaV1): unknown {
  const { jsonSchema } = type['~standard'] as WithJsonSchema;
  try {
    return jsonSchema?.input?.({ target: 'draft-07' });
  } catch (cause) {
    throw new UsageError(
      `jsonSchema: the type has no JSON Schema (${cause instanceof Error ? cause.message : String(cause)}); give schema beside it`,
      'schema',
      { cause },
    );
  }
}

/**
 * JSON with a schema registry, in Confluent's wire format, typed by a Standard Schema (zod, valibot, arktype, ...): what is read is the schema's output, what is written its
 * input. Its JSON Schema, which is registered, is asked of the type itself where that can say it (zod 4.2, arktype), and given as `schema` where it cannot. What is
 * written is checked against the JSON Schema, what is read against the type.
 *
 * @example
 * ```ts
 * const Order = z.object({ id: z.string(), total: z.number() });
 * fromGroup({ groupId: 'g', topics: ['orders'], value: jsonSchema(registry, Order) });
 * ```
 */
export function jsonSchema<S extends StandardSchemaV1>(
  registry: SchemaRegistry,
  type: S,
  options?: JsonSchemaOptions,
): Serde<StandardSchemaV1.InferInput<S>, StandardSchemaV1.InferOutput<S>>;
/**
 * JSON with a schema registry, in Confluent's wire format. The type is your assertion; values are checked against `schema`, or, without one, against what they were written
 * with. `format` is not checked.
 *
 * Checking needs the package `ajv` (an optional peer), which is loaded at first use. The source waits, in order, for a schema that it does not know; the sink waits for the number of its
 * schema. A registry that cannot be reached is a {@link RegistryError} of the record.
 *
 * @example
 * ```ts
 * fromGroup({ groupId: 'g', topics: ['orders'], value: jsonSchema<Order>(registry, { schema: orderSchema }) });
 * ```
 * @throws UsageError for options that make no sense
 */
export function jsonSchema<T = unknown>(registry: SchemaRegistry, options?: JsonSchemaOptions): Serde<T>;
export function jsonSchema(
  registry: SchemaRegistry,
  typeOrOptions: StandardSchemaV1 | JsonSchemaOptions = {},
  more: JsonSchemaOptions = {},
): Serde<unknown> {
  if (!isStandard(typeOrOptions))
    return new JsonSchemaSerde(registry, textOf(typeOrOptions.schema), undefined, typeOrOptions);
  const own = more.schema ?? (more.useLatest === true ? undefined : jsonSchemaOf(typeOrOptions));
  return new JsonSchemaSerde(registry, textOf(own), checkedBy(typeOrOptions), more);
}

function isStandard(value: StandardSchemaV1 | JsonSchemaOptions): value is StandardSchemaV1 {
  return '~standard' in value;
}
