// `avsc` as far as it is used, by its own shape: its types are not there for those who do not install it.
import { Buffer } from 'node:buffer';
import { UsageError } from '../errors.ts';

/** A compiled Avro schema. */
export interface AvroType {
  readonly typeName: string;
  readonly name: string | undefined;
  decode(data: Buffer, at: number, resolver?: unknown): { readonly value: unknown; readonly offset: number };
  encode(value: unknown, into: Buffer, at: number): number;
  isValid(
    value: unknown,
    options?: { errorHook?: (path: string[], value: unknown, type: AvroType) => void },
  ): boolean;
  createResolver(writer: AvroType): unknown;
  /** Whether data of the one is data of the other. */
  equals(other: AvroType): boolean;
}

/** The parts of a compiled schema, by its kind. */
export interface AvroParts extends AvroType {
  readonly itemsType: AvroType;
  readonly valuesType: AvroType;
  readonly types: readonly AvroType[];
  readonly underlyingType: AvroType;
  readonly fields: readonly { readonly type: AvroType }[];
  readonly size: number;
}

/** Options of a compilation. */
export interface AvroCompileOptions {
  readonly registry?: Record<string, AvroType>;
  /** Asked for each schema, and each part of one, before the library makes a type of it. */
  readonly typeHook?: (schema: unknown) => AvroType | undefined;
  readonly logicalTypes?: { readonly [name: string]: unknown };
  readonly wrapUnions?: boolean | 'auto' | undefined;
  readonly omitRecordMethods?: boolean;
}

/** What of the package is used. */
export interface AvroLibrary {
  readonly Type: { forSchema(schema: unknown, options?: AvroCompileOptions): AvroType };
  readonly types: {
    readonly LongType: { __with(methods: object): AvroType };
  };
}

/** Where the library is in some bytes. */
interface Tap {
  readonly buf: Buffer;
  pos: number;
  readLong(): number;
}

/** A type as it is inside: how one value is read and written. */
interface InnerType extends AvroType {
  _read(tap: Tap): number;
  _write(tap: Tap, value: unknown): void;
}

/** @throws UsageError that names the package when it is not installed */
export async function loadAvro(): Promise<AvroLibrary> {
  let loaded: unknown;
  try {
    loaded = await import('avsc');
  } catch (cause) {
    throw new UsageError('avro() needs the package avsc: npm install avsc', 'avro', { cause });
  }
  return (loaded as { default?: AvroLibrary }).default ?? (loaded as AvroLibrary);
}

/** As far as the library's own arithmetic goes: twice as much, and one, must be exact. */
const EXACT = 2 ** 52;
/** The least that it takes. */
const LEAST = -9_007_199_254_740_990;

/** A zigzag number at `at`: the sign is the lowest bit, which a number beyond 2^53 would lose with it. */
function longAt(data: Buffer, at: number): number {
  let byte = data[at] ?? 0;
  const isNegative = (byte & 1) === 1;
  let value = (byte & 0x7f) >> 1;
  let scale = 64;
  for (let next = at + 1; byte >= 0x80; next++) {
    byte = data[next] ?? 0;
    value += (byte & 0x7f) * scale;
    scale *= 128;
  }
  if (value > -LEAST)
    throw new RangeError("a 64-bit integer is beyond 2^53; read it with the option longs: 'bigint'");
  return isNegative ? -value - 1 : value;
}

function writeNegative(tap: Tap, value: number): void {
  const { buf } = tap;
  const rest = -(value + 1);
  let byte = (rest % 64) * 2 + 1;
  for (let left = Math.floor(rest / 64); left > 0; left = Math.floor(left / 128)) {
    buf[tap.pos++] = byte | 0x80;
    byte = left % 128;
  }
  buf[tap.pos++] = byte;
}

/** Longs as numbers. The library's own writes what is below -2^52 as another number, and reads such as positive ones. */
export function exactLongs({ Type }: AvroLibrary): AvroType {
  const own = Type.forSchema('long') as InnerType;
  const exact: Pick<InnerType, '_read' | '_write'> = {
    _read: (tap) => {
      const from = tap.pos;
      const value = tap.readLong();
      return value < EXACT && value > -EXACT ? value : longAt(tap.buf, from);
    },
    _write: (tap, value) => {
      if (typeof value === 'number' && value < -EXACT && value >= LEAST) writeNegative(tap, value);
      else own._write(tap, value);
    },
  };
  return Object.assign(Object.create(own) as AvroType, exact);
}

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

/** Longs as bigint. */
export function bigintLongs({ types }: AvroLibrary): AvroType {
  return types.LongType.__with({
    fromBuffer: (data: Buffer) => data.readBigInt64LE(),
    toBuffer: (value: bigint) => {
      const data = Buffer.alloc(8);
      data.writeBigInt64LE(value);
      return data;
    },
    fromJSON: (value: number | string) => BigInt(value),
    toJSON: (value: bigint) => value.toString(),
    isValid: (value: unknown) => typeof value === 'bigint' && value >= MIN && value <= MAX,
    compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
  });
}

/**
 * Has longs be of this type wherever they stand: as "long", as { type: 'long' }, and under the logical types that have classes. The library's registry of names would do
 * for the first alone.
 */
export function hookFor(
  long: AvroType,
  logicalTypes: { readonly [name: string]: unknown } = {},
): (schema: unknown) => AvroType | undefined {
  // A logical type comes twice: for its class, which asks again for what is under it.
  let outer: unknown;
  return (schema) => {
    if (schema === 'long') return long;
    if (typeof schema !== 'object' || schema === null) return undefined;
    const { type, logicalType } = schema as { type?: unknown; logicalType?: unknown };
    if (type !== 'long') return undefined;
    if (typeof logicalType !== 'string' || !Object.hasOwn(logicalTypes, logicalType)) return long;
    if (outer === schema) return long;
    outer = schema;
    return undefined;
  };
}
