// The words of a protocol table. A table is a plain object of field constructors in wire order; one text is the specification, the codec
// (compile.ts, interpret.ts), the types (In, Out) and, through the JSDoc on its fields, the documentation.

/** An inclusive range of API versions; `from > to` is the empty range. */
export interface VersionRange {
  readonly from: number;
  readonly to: number;
}

/** How a value lies on the wire. `offset` and `timestamp` are int64 carried as numbers. */
type ScalarType =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'offset'
  | 'timestamp'
  | 'float64'
  | 'string'
  | 'bytes'
  | 'records'
  | 'uuid';

/** What the codecs read of a field. */
export interface FieldSpec {
  readonly type: ScalarType | 'array' | 'struct';
  /** Versions that carry the field. */
  readonly versions: VersionRange;
  /** Versions in which null may be sent. */
  readonly nullable: VersionRange;
  /** The tag in the tagged section, or -1 for a field in its place. */
  readonly tag: number;
  /** The value in versions without the field and of an absent tag. Undefined for a struct: each of its fields has its own. */
  readonly default: unknown;
  /** True when a value other than the default may be dropped silently in versions without the field. */
  readonly ignorable: boolean;
  /** True when it may be left out of what is encoded, as `In` says. */
  readonly optional: boolean;
  readonly element: FieldSpec | undefined;
  readonly table: Table | undefined;
}

declare const types: unique symbol;

/** A field of a table: its specification, and at type level what it decodes to, what it takes, and whether it may be left out. */
export interface Field<out O, out I, out Optional extends boolean> {
  readonly spec: FieldSpec;
  readonly [types]?: { readonly out: O; readonly in: I; readonly optional: Optional };
}

export type AnyField = Field<unknown, unknown, boolean>;

/** Fields in wire order, by Kafka's names in camelCase. */
export interface Table {
  readonly [name: string]: AnyField;
}

type OutOf<E> = E extends Field<infer O, unknown, boolean> ? O : E extends Table ? Out<E> : never;
type InOf<E> = E extends Field<unknown, infer I, boolean> ? I : E extends Table ? In<E> : never;
type IsOptional<E> = E extends Field<unknown, unknown, infer Optional> ? Optional : false;
type Flat<T> = { [K in keyof T]: T[K] };

/** What a table decodes to: every field present, those outside the version at their default. */
export type Out<T> = { [K in keyof T]: OutOf<T[K]> };

/** What a table encodes: fields with a default (those not in every version, and those given one) may be left out. */
export type In<T> = Flat<
  { readonly [K in keyof T as IsOptional<T[K]> extends true ? never : K]: InOf<T[K]> } & {
    readonly [K in keyof T as IsOptional<T[K]> extends true ? K : never]?: InOf<T[K]> | undefined;
  }
>;

/** Options of every field. `versions` ('3+', '0-12', '5') is left out when the field is in all versions of its message. */
export interface FieldOptions<D> {
  readonly versions?: string;
  readonly default?: D;
  readonly tag?: number;
  readonly ignorable?: boolean;
}

/** Options of a nullable field; `nullable` is left out when null may be sent wherever the field is. */
export interface NullableOptions<D> extends FieldOptions<D | null> {
  readonly nullable?: string;
}

/** What an absent options object counts as: it has no keys. */
type NoOptions = object;
type Defaulted<P> = 'versions' extends keyof P
  ? true
  : 'default' extends keyof P
    ? true
    : 'tag' extends keyof P
      ? true
      : false;

/** Kafka's "no id", in the base64url text that Kafka prints. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

const EVERY: VersionRange = { from: 0, to: Infinity };
const NEVER: VersionRange = { from: 1, to: 0 };

/** Parses '3+', '0-12' or '5'. */
export function versionRange(text: string): VersionRange {
  if (text.endsWith('+')) return { from: Number(text.slice(0, -1)), to: Infinity };
  const dash = text.indexOf('-');
  if (dash < 0) return { from: Number(text), to: Number(text) };
  return { from: Number(text.slice(0, dash)), to: Number(text.slice(dash + 1)) };
}

export function inRange(range: VersionRange, version: number): boolean {
  return version >= range.from && version <= range.to;
}

interface Shape {
  readonly type: FieldSpec['type'];
  readonly zero: unknown;
  readonly nullable?: boolean;
  readonly element?: FieldSpec;
  readonly table?: Table;
}

function field<O, I, Optional extends boolean>(
  shape: Shape,
  options: NullableOptions<unknown> = {},
): Field<O, I, Optional> {
  const versions = options.versions === undefined ? EVERY : versionRange(options.versions);
  const nullable = options.nullable === undefined ? versions : versionRange(options.nullable);
  return {
    spec: {
      type: shape.type,
      versions,
      nullable: shape.nullable === true ? nullable : NEVER,
      tag: options.tag ?? -1,
      default: options.default === undefined ? shape.zero : options.default,
      ignorable: options.ignorable ?? false,
      optional: 'versions' in options || 'default' in options || 'tag' in options,
      element: shape.element,
      table: shape.table,
    },
  };
}

type Scalar<T, I = T> = <P extends FieldOptions<T> = NoOptions>(options?: P) => Field<T, I, Defaulted<P>>;
type NullableScalar<T, I = T> = <P extends NullableOptions<T> = NoOptions>(
  options?: P,
) => Field<T | null, I | null, Defaulted<P>>;

function scalar<T, I = T>(type: ScalarType, zero: unknown): Scalar<T, I> {
  return (options) => field({ type, zero }, options);
}

function nullableScalar<T, I = T>(type: ScalarType, zero: unknown): NullableScalar<T, I> {
  return (options) => field({ type, zero, nullable: true }, options);
}

const NO_BYTES = Buffer.alloc(0);

export const bool = scalar<boolean>('bool', false);
export const int8 = scalar<number>('int8', 0);
export const int16 = scalar<number>('int16', 0);
export const uint16 = scalar<number>('uint16', 0);
export const int32 = scalar<number>('int32', 0);
export const uint32 = scalar<number>('uint32', 0);
/** An exact int64, as a bigint. */
export const int64 = scalar<bigint>('int64', 0n);
/** An int64 that counts (offsets, producer ids, epochs), as a number; past 2^53-1 a ProtocolError on reading, a UsageError on writing. */
export const offset = scalar<number>('offset', 0);
/** An int64 of milliseconds, as the nearest number; never an error. */
export const timestamp = scalar<number>('timestamp', 0);
export const float64 = scalar<number>('float64', 0);
export const string = scalar<string>('string', '');
export const nullableString = nullableScalar<string>('string', '');
/** Bytes; decoded as a view of the frame, not a copy. */
export const bytes = scalar<Buffer, Uint8Array>('bytes', NO_BYTES);
export const nullableBytes = nullableScalar<Buffer, Uint8Array>('bytes', NO_BYTES);
/** Record batches; decoded as a view of the frame, not a copy. */
export const records = nullableScalar<Buffer, Uint8Array>('records', NO_BYTES);
/** A uuid in Kafka's base64url text, 22 characters. */
export const uuid = scalar<string>('uuid', ZERO_UUID);

const NO_ELEMENTS: readonly never[] = Object.freeze([]);

function isField(element: Table | AnyField): element is AnyField {
  return typeof (element as AnyField).spec.type === 'string';
}

function elementOf(element: Table | AnyField): FieldSpec {
  if ('spec' in element && isField(element)) return element.spec;
  return field({ type: 'struct', zero: undefined, table: element }).spec;
}

/** A list of scalars (`array(int32())`) or of structs (`array({ ... })`). */
export function array<E extends Table | AnyField, P extends FieldOptions<readonly never[]> = NoOptions>(
  element: E,
  options?: P,
): Field<OutOf<E>[], readonly InOf<E>[], Defaulted<P>> {
  return field({ type: 'array', zero: NO_ELEMENTS, element: elementOf(element) }, options);
}

/** As {@link array}, and null where `nullable` allows it. */
export function nullableArray<
  E extends Table | AnyField,
  P extends NullableOptions<readonly never[]> = NoOptions,
>(element: E, options?: P): Field<OutOf<E>[] | null, readonly InOf<E>[] | null, Defaulted<P>> {
  return field({ type: 'array', zero: NO_ELEMENTS, nullable: true, element: elementOf(element) }, options);
}

export function struct<T extends Table, P extends Omit<FieldOptions<never>, 'default'> = NoOptions>(
  table: T,
  options?: P,
): Field<Out<T>, In<T>, Defaulted<P>> {
  return field({ type: 'struct', zero: undefined, table }, options);
}

/** A struct that may be null. Its default is the struct of defaults, or null where `default: null` says so. */
export function nullableStruct<T extends Table, P extends NullableOptions<never> = NoOptions>(
  table: T,
  options?: P,
): Field<Out<T> | null, In<T> | null, Defaulted<P>> {
  return field({ type: 'struct', zero: undefined, nullable: true, table }, options);
}
