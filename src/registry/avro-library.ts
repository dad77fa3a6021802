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
