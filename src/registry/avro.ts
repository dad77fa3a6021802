import { Buffer } from 'node:buffer';
import type { Bytes } from '../core/records/types.ts';
import { UsageError } from '../errors.ts';
import { SchemaError } from '../serdes/json.ts';
import type { Serde, SerdeContext } from '../serdes/serde.ts';
import {
  bigintLongs,
  exactLongs,
  hookFor,
  loadAvro,
  type AvroCompileOptions,
  type AvroLibrary,
  type AvroType,
} from './avro-library.ts';
import { walkOf } from './avro-walk.ts';
import { RegistryError } from './registry-error.ts';
import {
  RegistrySerde,
  type ReadFormat,
  type RegistrySerdeOptions,
  type WriteFormat,
} from './registry-serde.ts';
import type { RegistrySchema, SchemaReference, SchemaRegistry } from './schema-registry.ts';
import { PREFIX_BYTES, writePrefix } from './wire-format.ts';

/** Options of {@link avro}. */
export interface AvroOptions extends RegistrySerdeOptions {
  /** The Avro schema, as JSON text or parsed: what is written, and what is read unless `readerSchema` says otherwise. Without it, values are read as they were written. */
  readonly schema?: string | object | undefined;
  /** What to read values as, whatever schema they were written with, by Avro's rules of schema resolution. Default: `schema`. */
  readonly readerSchema?: string | object | undefined;
  /** Schemas under other subjects that `readerSchema` uses. Default: `references`. */
  readonly readerReferences?: readonly SchemaReference[] | undefined;
  /** How 64-bit integers come: 'number' refuses what is beyond 2^53, 'bigint' makes each of them one, those that classes of `logicalTypes` are given too. Default 'number'. */
  readonly longs?: 'number' | 'bigint' | undefined;
  /** Classes for logical types by their names, as avsc takes them. Default: logical types are read as what they are made of. */
  readonly logicalTypes?: { readonly [name: string]: unknown } | undefined;
  /** avsc's `wrapUnions`: whether a union's value is `{ string: 'a' }` or `'a'`. Default 'auto': wrapped only where it could not be told otherwise. */
  readonly wrapUnions?: boolean | 'auto' | undefined;
}

const FIRST_BYTES = 1_024;
const MAX_ISSUES = 20;

function textOf(schema: string | object | undefined, option: string): string | undefined {
  if (schema === undefined) return undefined;
  try {
    const parsed: unknown = typeof schema === 'string' ? JSON.parse(schema) : schema;
    return typeof schema === 'string' ? schema : JSON.stringify(parsed);
  } catch (cause) {
    throw new UsageError(`avro: ${option} is not JSON`, option, { cause });
  }
}

/** Confluent's serializers write a schema that is just "bytes" without Avro's length. */
function isBareBytes(type: AvroType): boolean {
  return type.typeName === 'bytes';
}

function nameOf(type: AvroType): string | undefined {
  return type.name ?? (type.typeName.includes(':') ? undefined : type.typeName);
}

/** What does not fit, by its path; never the value itself. */
function misfit(type: AvroType, value: unknown, context: SerdeContext, cause: unknown): SchemaError {
  const issues: { message: string; path: string[] }[] = [];
  try {
    type.isValid(value, {
      errorHook: (path, _value, expected) => {
        if (issues.length < MAX_ISSUES)
          issues.push({ message: `expected ${expected.name ?? expected.typeName}`, path: [...path] });
      },
    });
  } catch {
    // What it threw while writing is said anyway.
  }
  const where = issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  return new SchemaError(
    `the ${context.part} for topic '${context.topic}' does not fit its Avro schema${where.length === 0 ? '' : `: ${where.join('; ')}`}`,
    issues,
    issues.length === 0 ? { cause } : {},
  );
}

class AvroWriter implements WriteFormat<unknown> {
  readonly recordName: string | undefined;
  private readonly type: AvroType;
  private scratch = Buffer.allocUnsafeSlow(FIRST_BYTES);

  constructor(type: AvroType) {
    this.type = type;
    this.recordName = nameOf(type);
  }

  write(value: unknown, id: number, context: SerdeContext): Bytes {
    if (isBareBytes(this.type)) return this.bare(value, id, context);
    let end: number;
    try {
      end = this.type.encode(value, this.scratch, PREFIX_BYTES);
      if (end < 0) {
        // It says how much is missing.
        this.scratch = Buffer.allocUnsafeSlow((this.scratch.length - end) * 2);
        end = this.type.encode(value, this.scratch, PREFIX_BYTES);
      }
    } catch (cause) {
      throw misfit(this.type, value, context, cause);
    }
    writePrefix(this.scratch, id);
    return Buffer.from(this.scratch.subarray(0, end));
  }

  private bare(value: unknown, id: number, context: SerdeContext): Bytes {
    if (!(value instanceof Uint8Array)) throw misfit(this.type, value, context, undefined);
    const out = Buffer.allocUnsafe(PREFIX_BYTES + value.length);
    writePrefix(out, id);
    out.set(value, PREFIX_BYTES);
    return out;
  }
}

class AvroReader implements ReadFormat<unknown> {
  private readonly type: AvroType;
  private readonly resolver: unknown;
  private readonly walk: ((data: Buffer, at: number) => void) | undefined;
  private readonly isBare: boolean;
  private readonly id: number | string;

  constructor(writer: AvroType, reader: AvroType, resolver: unknown, id: number | string) {
    this.type = reader;
    this.resolver = resolver;
    this.walk = walkOf(writer);
    this.isBare = isBareBytes(writer) && isBareBytes(reader);
    this.id = id;
  }

  read(data: Buffer, start: number, context: SerdeContext): unknown {
    if (this.isBare) return data.subarray(start);
    let decoded: { readonly value: unknown; readonly offset: number };
    try {
      this.walk?.(data, start);
      decoded = this.type.decode(data, start, this.resolver);
    } catch (cause) {
      throw this.unreadable(context, cause);
    }
    if (decoded.offset === data.length) return decoded.value;
    const what = decoded.offset < 0 ? 'the data ends too early' : 'there is more data than the schema says';
    throw this.unreadable(context, new RangeError(what));
  }

  private unreadable({ part, topic }: SerdeContext, cause: unknown): SchemaError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new SchemaError(
      `the ${part} of a record of topic '${topic}' is not what its schema ${this.id} says: ${why}`,
      [],
      { cause },
    );
  }
}

class AvroSerde extends RegistrySerde<unknown, unknown> {
  private readonly avro: AvroOptions;
  private readonly readAs: string | undefined;
  private library: AvroLibrary | undefined;
  private reader: Promise<AvroType> | undefined;

  constructor(registry: SchemaRegistry, options: AvroOptions) {
    const own = textOf(options.schema, 'schema');
    super(registry, 'AVRO', own, options);
    this.avro = options;
    this.readAs = textOf(options.readerSchema, 'readerSchema') ?? own;
  }

  protected override async readFormat(schema: RegistrySchema, id: number | string): Promise<AvroReader> {
    const writer = await this.compile(schema, `schema ${id}`);
    const reader = await this.readerType();
    // Where there is nothing to resolve, classes of logical types need not know how.
    if (reader === undefined || reader.equals(writer))
      return new AvroReader(writer, reader ?? writer, undefined, id);
    let resolver: unknown;
    try {
      resolver = reader.createResolver(writer);
    } catch (cause) {
      throw new SchemaError(
        `what was written with schema ${id} cannot be read as the reader's schema: ${cause instanceof Error ? cause.message : String(cause)}`,
        [],
        { cause },
      );
    }
    return new AvroReader(writer, reader, resolver, id);
  }

  protected override async writeFormat(schema: RegistrySchema): Promise<AvroWriter> {
    return new AvroWriter(await this.compile(schema, 'the schema to write with'));
  }

  /** Undefined: what is read is read as it was written. */
  private readerType(): Promise<AvroType> | undefined {
    if (this.readAs === undefined) return undefined;
    const { readerSchema, readerReferences, references = [] } = this.avro;
    const given: RegistrySchema = {
      schema: this.readAs,
      schemaType: 'AVRO',
      references: readerSchema === undefined ? references : (readerReferences ?? references),
    };
    // One that fails is compiled again: what it refers to may come.
    this.reader ??= this.compile(given, "the reader's schema").catch((error: unknown) => {
      this.reader = undefined;
      throw error;
    });
    return this.reader;
  }

  private async compile(schema: RegistrySchema, what: string): Promise<AvroType> {
    this.library ??= await loadAvro();
    const used = await this.registry.referencesOf(schema);
    const { logicalTypes, wrapUnions, longs } = this.avro;
    const long = longs === 'bigint' ? bigintLongs(this.library) : exactLongs(this.library);
    const options: AvroCompileOptions = {
      registry: {},
      typeHook: hookFor(long, logicalTypes),
      omitRecordMethods: true,
      ...(logicalTypes === undefined ? {} : { logicalTypes }),
      ...(wrapUnions === undefined ? {} : { wrapUnions }),
    };
    try {
      // The library remembers what has a name, for those that come after.
      for (const one of used.values()) this.library.Type.forSchema(JSON.parse(one.schema), options);
      return this.library.Type.forSchema(JSON.parse(schema.schema), options);
    } catch (cause) {
      throw new RegistryError(
        `${what} is no Avro schema: ${cause instanceof Error ? cause.message : String(cause)}`,
        { retriable: false, cause },
      );
    }
  }
}

/**
 * Avro with a schema registry, in Confluent's wire format. Values are written with `schema`, registered at the first record (`autoRegister`), or with the latest one
 * of the subject (`useLatest`). They are read with the schema that they were written with, and turned into `readerSchema` where one is given: fields that it lacks
 * are dropped, fields that it adds have their defaults. The type is your assertion; what does not fit the schema is a SchemaError of the record.
 *
 * It needs the package `avsc` (an optional peer), which is loaded at first use. The source waits, in order, for a schema that it does not know; the sink waits for the number of
 * its schema. A registry that cannot be reached is a {@link RegistryError} of the record, by `onDecodeError` or the sink's `onError`.
 *
 * @example
 * ```ts
 * const registry = schemaRegistry({ url: 'http://localhost:8081' });
 * const orders = avro<Order>(registry, { schema: orderSchema, autoRegister: false });
 * fromGroup({ groupId: 'g', topics: ['orders'], value: orders }).pipe(toTopic('copy', (order) => ({ value: order.value }), { value: orders }));
 * ```
 * @throws UsageError for options that make no sense
 */
export function avro<T = unknown>(registry: SchemaRegistry, options: AvroOptions = {}): Serde<T> {
  const { longs = 'number', schema, useLatest = false } = options;
  if (longs !== 'number' && longs !== 'bigint')
    throw new UsageError(`avro: longs is 'number' or 'bigint', not ${String(longs)}`, 'longs');
  if (useLatest && options.autoRegister === true && schema !== undefined)
    throw new UsageError('avro: useLatest writes with the latest schema, and registers none', 'useLatest');
  return new AvroSerde(registry, options) as Serde<unknown> as Serde<T>;
}
