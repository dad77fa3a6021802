// Values that Confluent's Avro serializer and ours write. What it makes of them is in test/golden/registry, by the names here.
import { Buffer } from 'node:buffer';
import type * as Avsc from 'avsc';

/** A schema that is in the registry before the value is written. */
export interface Registered {
  readonly subject: string;
  readonly schema: object | string;
  readonly references?: { name: string; subject: string; version: number }[];
}

/** Options that `avsc` takes; made of the library that each side has. */
export type LibraryOptions = (avsc: Pick<typeof Avsc, 'types'>) => {
  readonly logicalTypes?: Record<string, new (schema: Avsc.Schema, options?: any) => Avsc.types.LogicalType>;
  readonly wrapUnions?: boolean;
  readonly longs?: Avsc.Type;
};

export interface AvroCase {
  readonly name: string;
  readonly schema: object | string;
  readonly references?: { name: string; subject: string; version: number }[];
  readonly before?: readonly Registered[];
  readonly values: readonly unknown[];
  /** What is read, where that is not what was written. */
  readonly read?: readonly unknown[];
  readonly library?: LibraryOptions;
  /** A schema registered after it, and the values as read by that. */
  readonly evolved?: { readonly schema: object | string; readonly read: readonly unknown[] };
  /** Neither side may write these. */
  readonly refused?: readonly unknown[];
}

const record = (name: string, fields: object[], more: object = {}): object => ({
  type: 'record',
  name,
  namespace: 'shop',
  fields,
  ...more,
});
const field = (name: string, type: unknown, more: object = {}): object => ({ name, type, ...more });

const money = record('Money', [field('cents', 'long'), field('currency', 'string', { default: 'EUR' })], {
  namespace: 'bank',
});
const priced = record('Priced', [field('net', 'bank.Money'), field('tax', ['null', 'bank.Money'])]);

const dates: LibraryOptions = ({ types }) => {
  class Millis extends types.LogicalType {
    override _fromValue(value: number): Date {
      return new Date(value);
    }
    override _toValue(value: unknown): number | undefined {
      return value instanceof Date ? value.getTime() : undefined;
    }
  }
  class Day extends types.LogicalType {
    override _fromValue(value: number): string {
      return new Date(value * 86_400_000).toISOString().slice(0, 10);
    }
    override _toValue(value: unknown): number | undefined {
      return typeof value === 'string' ? Date.parse(`${value}T00:00:00Z`) / 86_400_000 : undefined;
    }
  }
  class Decimal extends types.LogicalType {
    override _fromValue(value: Buffer): bigint {
      return BigInt.asIntN(64, BigInt(`0x${value.toString('hex')}`));
    }
    override _toValue(value: unknown): Buffer | undefined {
      if (typeof value !== 'bigint') return undefined;
      const data = Buffer.alloc(8);
      data.writeBigInt64BE(value);
      return data;
    }
  }
  return { logicalTypes: { 'timestamp-millis': Millis, date: Day, decimal: Decimal } };
};

const bigints: LibraryOptions = ({ types }) => ({
  longs: types.LongType.__with({
    fromBuffer: (data: Buffer) => data.readBigInt64LE(),
    toBuffer: (value: bigint) => {
      const data = Buffer.alloc(8);
      data.writeBigInt64LE(value);
      return data;
    },
    fromJSON: BigInt,
    toJSON: String,
    isValid: (value: unknown) => typeof value === 'bigint',
    compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
  }),
});

const tree = record('Node', [
  field('name', 'string'),
  field('next', ['null', 'shop.Node'], { default: null }),
]);

const everything = record('Everything', [
  field('flag', 'boolean'),
  field('small', 'int'),
  field('large', 'long'),
  field('single', 'float'),
  field('precise', 'double'),
  field('text', 'string'),
  field('raw', 'bytes'),
  field('nothing', 'null'),
  field('hash', { type: 'fixed', name: 'Hash', size: 4 }),
  field('state', { type: 'enum', name: 'State', symbols: ['OPEN', 'PAID', 'SHIPPED'] }),
  field('lines', { type: 'array', items: record('Line', [field('item', 'string'), field('count', 'int')]) }),
  field('labels', { type: 'map', values: ['null', 'string'] }),
  field('note', ['null', 'string'], { default: null }),
  field('previous', ['null', 'shop.State'], { default: null }),
]);
const anything = {
  flag: true,
  small: -2_147_483_648,
  large: 9_007_199_254_740_990,
  single: 0.5,
  precise: -Math.PI,
  text: 'Grüße, 世界 🌍',
  raw: Buffer.from('00ff10', 'hex'),
  nothing: null,
  hash: Buffer.from('deadbeef', 'hex'),
  state: 'PAID',
  lines: [
    { item: 'a', count: 1 },
    { item: '', count: -1 },
  ],
  labels: { colour: 'red', size: null, '': 'empty' },
  note: 'n',
  previous: 'OPEN',
};

const order = record('Order', [field('id', 'string'), field('total', 'int'), field('gone', 'boolean')]);

export const AVRO_CASES: readonly AvroCase[] = [
  { name: 'boolean', schema: '"boolean"', values: [true, false], refused: ['true', 1] },
  {
    name: 'int',
    schema: '"int"',
    values: [0, -1, 1, 63, 64, -64, -65, 2_147_483_647, -2_147_483_648],
    refused: [2_147_483_648, 0.5, '1'],
  },
  {
    name: 'long',
    schema: { type: 'long' },
    // Below -2^52 the library writes another number, which Confluent's client takes over.
    values: [0, 2 ** 31, -(2 ** 40), -(2 ** 52), 9_007_199_254_740_990],
    refused: [2 ** 60, '1'],
  },
  {
    name: 'longs as bigint',
    schema: record('Longs', [field('n', 'long')]),
    values: [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 53n) + 1n].map((n) => ({ n })),
    refused: [{ n: 'x' }],
    library: bigints,
  },
  { name: 'float', schema: '"float"', values: [0, 1.5, -0.25, Infinity, NaN], refused: ['1'] },
  { name: 'double', schema: '"double"', values: [0, 0.1, -1e300, -Infinity, NaN], refused: [null, 'x'] },
  {
    name: 'string',
    schema: '"string"',
    values: ['', 'a', 'Grüße, 世界 🌍', 'x'.repeat(3_000)],
    refused: [5],
  },
  { name: 'bytes', schema: '"bytes"', values: [Buffer.alloc(0), Buffer.from('0001ff', 'hex')] },
  { name: 'bytes with a type', schema: { type: 'bytes' }, values: [Buffer.from('05', 'hex')] },
  {
    name: 'fixed',
    schema: { type: 'fixed', name: 'Hash', size: 3 },
    values: [Buffer.from('0001ff', 'hex')],
    refused: [Buffer.from('00', 'hex')],
  },
  {
    name: 'enum',
    schema: { type: 'enum', name: 'State', symbols: ['OPEN', 'PAID'] },
    values: ['OPEN', 'PAID'],
    refused: ['LOST', 0],
  },
  {
    name: 'array',
    schema: { type: 'array', items: 'int' },
    values: [[], [1], Array.from({ length: 300 }, (_, at) => at)],
    refused: [[1, 'x'], { 0: 1 }],
  },
  {
    name: 'map',
    schema: { type: 'map', values: 'double' },
    values: [{}, { a: 1, 'b c': 2.5 }],
    refused: [[1], { a: 'x' }],
  },
  { name: 'union with null', schema: ['null', 'string'], values: ['a', ''], refused: [5] },
  {
    name: 'union of many',
    schema: ['null', 'boolean', 'int', 'string', { type: 'array', items: 'string' }],
    values: [true, 7, 'a', ['a', 'b']],
    refused: [0.5],
  },
  {
    name: 'union of records, which are told apart by name',
    schema: record('Event', [
      field('what', [
        'null',
        record('Paid', [field('cents', 'int')]),
        record('Refunded', [field('cents', 'int')]),
      ]),
    ]),
    values: [
      { what: { 'shop.Refunded': { cents: 5 } } },
      { what: { 'shop.Paid': { cents: 5 } } },
      { what: null },
    ],
    refused: [{ what: { cents: 5 } }],
  },
  {
    name: 'unions wrapped throughout',
    schema: record('Wrapped', [field('note', ['null', 'string', 'int'])]),
    values: [{ note: { string: 'a' } }, { note: { int: 1 } }, { note: null }],
    library: () => ({ wrapUnions: true }),
    refused: [{ note: 'a' }],
  },
  { name: 'record of every type', schema: everything, values: [anything] },
  {
    name: 'defaults for what is not given',
    schema: everything,
    values: [{ ...anything, note: undefined, previous: undefined }],
    read: [{ ...anything, note: null, previous: null }],
    refused: [
      { ...anything, state: 'LOST' },
      { ...anything, small: undefined },
    ],
  },
  {
    name: 'record with itself in it',
    schema: tree,
    values: [{ name: 'a', next: { name: 'b', next: { name: 'c', next: null } } }],
  },
  { name: 'empty record', schema: record('Empty', []), values: [{}] },
  {
    name: 'names in other namespaces',
    schema: record('Outer', [
      field('inner', record('Inner', [field('n', 'int')], { namespace: 'elsewhere' })),
      field('again', 'elsewhere.Inner'),
      field('local', { type: 'enum', name: 'Local', symbols: ['X'] }),
      field('same', 'Local'),
    ]),
    values: [{ inner: { n: 1 }, again: { n: 2 }, local: 'X', same: 'X' }],
  },
  {
    name: 'logical types as what they are made of',
    schema: record('Logical', [
      field('at', { type: 'long', logicalType: 'timestamp-millis' }),
      field('micros', { type: 'long', logicalType: 'timestamp-micros' }),
      field('day', { type: 'int', logicalType: 'date' }),
      field('time', { type: 'int', logicalType: 'time-millis' }),
      field('price', { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }),
      field('exact', { type: 'fixed', name: 'D8', size: 8, logicalType: 'decimal', precision: 18, scale: 4 }),
      field('id', { type: 'string', logicalType: 'uuid' }),
    ]),
    values: [
      {
        at: 1_795_305_600_123,
        micros: 1_795_305_600_123_456,
        day: 20_778,
        time: 86_399_999,
        price: Buffer.from('ff38', 'hex'),
        exact: Buffer.from('00000000000004d2', 'hex'),
        id: '0b5e6f64-5717-4562-b3fc-2c963f66afa6',
      },
    ],
  },
  {
    name: 'logical types by classes of their own',
    schema: record('Dated', [
      field('at', { type: 'long', logicalType: 'timestamp-millis' }),
      field('day', ['null', { type: 'int', logicalType: 'date' }]),
      field('price', { type: 'bytes', logicalType: 'decimal', precision: 18, scale: 4 }),
      field('past', { type: 'array', items: { type: 'long', logicalType: 'timestamp-millis' } }),
    ]),
    values: [
      { at: new Date(1_795_305_600_123), day: '2026-11-21', price: -1_234n, past: [new Date(0)] },
      { at: new Date(-1), day: null, price: 2n ** 62n, past: [] },
    ],
    library: dates,
    refused: [{ at: 5, day: null, price: 1n, past: [] }],
  },
  {
    name: 'fields that come and go',
    schema: order,
    values: [{ id: 'a', total: 5, gone: true }],
    evolved: {
      schema: record('Order', [
        field('note', 'string', { default: 'none' }),
        field('id', 'string'),
        field('amount', 'long', { aliases: ['total'] }),
        field('tags', { type: 'array', items: 'string' }, { default: [] }),
        field('by', ['null', 'string'], { default: null }),
        field('limits', { type: 'map', values: 'int' }, { default: { low: 1 } }),
        field('from', record('From', [field('city', 'string')]), { default: { city: 'Bonn' } }),
      ]),
      read: [
        { note: 'none', id: 'a', amount: 5, tags: [], by: null, limits: { low: 1 }, from: { city: 'Bonn' } },
      ],
    },
  },
  {
    name: 'types that grow',
    schema: record('Grows', [
      field('int', 'int'),
      field('exact', 'int'),
      field('text', 'string'),
      field('raw', 'bytes'),
      field('maybe', 'string'),
      field('state', { type: 'enum', name: 'State', symbols: ['OPEN', 'PAID'] }),
      field('counts', { type: 'array', items: 'int' }),
    ]),
    values: [
      {
        int: 7,
        exact: -3,
        text: 'é',
        raw: Buffer.from('c3a9', 'hex'),
        maybe: 'm',
        state: 'PAID',
        counts: [1, 2],
      },
    ],
    evolved: {
      schema: record('Grows', [
        field('int', 'long'),
        field('exact', 'double'),
        field('text', 'bytes'),
        field('raw', 'string'),
        field('maybe', ['null', 'string']),
        field('state', { type: 'enum', name: 'State', symbols: ['NEW', 'PAID', 'OPEN'] }),
        field('counts', { type: 'array', items: 'long' }),
      ]),
      read: [
        {
          int: 7,
          exact: -3,
          text: Buffer.from('c3a9', 'hex'),
          raw: 'é',
          maybe: 'm',
          state: 'PAID',
          counts: [1, 2],
        },
      ],
    },
  },
  {
    name: 'a record by another name',
    schema: record('Before', [field('id', 'string')]),
    values: [{ id: 'a' }],
    evolved: {
      schema: record('After', [field('id', 'string'), field('n', 'int', { default: 5 })], {
        aliases: ['Before'],
      }),
      read: [{ id: 'a', n: 5 }],
    },
  },
  {
    name: 'references',
    before: [
      { subject: 'money', schema: money },
      {
        subject: 'priced',
        schema: priced,
        references: [{ name: 'bank.Money', subject: 'money', version: 1 }],
      },
    ],
    schema: record('Offer', [
      field('now', 'shop.Priced'),
      field('all', { type: 'array', items: 'shop.Priced' }),
    ]),
    // Confluent's client wants those that are used by others first, and by name.
    references: [
      { name: 'bank.Money', subject: 'money', version: 1 },
      { name: 'shop.Priced', subject: 'priced', version: 1 },
    ],
    values: [
      {
        now: { net: { cents: 5, currency: 'EUR' }, tax: null },
        all: [{ net: { cents: 1, currency: 'USD' }, tax: { cents: 2, currency: 'USD' } }],
      },
    ],
  },
  {
    name: 'a number of two bytes',
    before: Array.from({ length: 300 }, (_, at) => ({
      subject: `other-${at}`,
      schema: { type: 'enum', name: `Other${at}`, symbols: ['X'] },
    })),
    schema: order,
    values: [{ id: 'a', total: 5, gone: false }],
  },
];
