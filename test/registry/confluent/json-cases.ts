// JSON Schemas, what fits them and what does not: Confluent's JSON serializer and ours are asked about the same values.
import type { Registered } from './avro-cases.ts';

export interface JsonCase {
  readonly name: string;
  readonly schema: object | boolean;
  readonly references?: { name: string; subject: string; version: number }[];
  readonly before?: readonly Registered[];
  /** Some fit and some do not; which, Confluent's serializer says. */
  readonly values: readonly unknown[];
  /** Options of ajv that Confluent's serializer needs. */
  readonly ajv?: object;
}

const DRAFT_06 = 'http://json-schema.org/draft-06/schema#';
const DRAFT_07 = 'http://json-schema.org/draft-07/schema#';
const DRAFT_2019 = 'https://json-schema.org/draft/2019-09/schema';
const DRAFT_2020 = 'https://json-schema.org/draft/2020-12/schema';

const properties = {
  id: { type: 'string', minLength: 1 },
  total: { type: 'number', minimum: 0 },
  tags: { type: 'array', items: { type: 'string' }, uniqueItems: true },
  state: { enum: ['open', 'paid'] },
};
const order = { title: 'Order', type: 'object', properties, required: ['id', 'total'] };

const ORDERS: readonly unknown[] = [
  { id: 'a', total: 1 },
  {
    id: 'Grüße, 世界 🌍 "\\\u2028',
    total: 1e21,
    tags: ['x', 'y'],
    state: 'paid',
    more: [null, { deep: true }],
  },
  { id: 'a', total: -1 },
  { id: '', total: 1 },
  { id: 'a' },
  { id: 5, total: 1 },
  { id: 'a', total: 1, tags: ['x', 'x'] },
  { id: 'a', total: 1, state: 'lost' },
  [],
  'order',
  7,
];

export const JSON_CASES: readonly JsonCase[] = [
  { name: 'draft-06', schema: { $schema: DRAFT_06, ...order }, values: ORDERS },
  { name: 'draft-07', schema: { $schema: DRAFT_07, ...order }, values: ORDERS },
  { name: '2019-09', schema: { $schema: DRAFT_2019, ...order }, values: ORDERS },
  { name: '2020-12', schema: { $schema: DRAFT_2020, ...order }, values: ORDERS },
  { name: 'no dialect', schema: order, values: ORDERS },
  {
    name: 'no dialect, with words of 2019-09',
    schema: {
      type: 'object',
      properties: {
        a: { type: 'integer' },
        b: { type: 'integer' },
        list: { type: 'array', contains: { const: 1 }, minContains: 2 },
      },
      dependentRequired: { a: ['b'] },
      unevaluatedProperties: false,
    },
    values: [{ a: 1, b: 2 }, { a: 1 }, { b: 2 }, { c: 3 }, { list: [1, 1] }, { list: [1] }, {}],
    ajv: { strict: false },
  },
  {
    name: 'no dialect, with words of draft-07',
    schema: {
      type: 'object',
      definitions: { n: { type: 'integer', exclusiveMinimum: 0 } },
      properties: {
        n: { $ref: '#/definitions/n' },
        pair: { type: 'array', items: [{ type: 'string' }, { type: 'integer' }], additionalItems: false },
      },
      dependencies: { n: ['pair'] },
    },
    values: [
      { n: 1, pair: ['a', 1] },
      { n: 1 },
      { n: 0, pair: [] },
      { pair: ['a', 1, 2] },
      { pair: [1] },
      {},
    ],
    ajv: { strict: false },
  },
  {
    name: 'tuples of 2020-12',
    schema: {
      $schema: DRAFT_2020,
      type: 'array',
      prefixItems: [{ type: 'string' }, { type: 'integer' }],
      items: false,
    },
    values: [['a', 1], ['a'], ['a', 1, 2], [1], []],
    ajv: { strict: false },
  },
  {
    name: 'choices',
    schema: {
      $schema: DRAFT_07,
      oneOf: [
        {
          type: 'object',
          properties: { kind: { const: 'paid' }, cents: { type: 'integer' } },
          required: ['kind', 'cents'],
          additionalProperties: false,
        },
        {
          type: 'object',
          properties: { kind: { const: 'lost' } },
          required: ['kind'],
          additionalProperties: false,
        },
        { type: 'null' },
      ],
    },
    values: [
      { kind: 'paid', cents: 5 },
      { kind: 'lost' },
      { kind: 'paid' },
      { kind: 'lost', cents: 5 },
      { kind: 'x' },
      {},
    ],
  },
  {
    name: 'if, then, else',
    schema: {
      $schema: DRAFT_07,
      type: 'object',
      if: { properties: { country: { const: 'DE' } }, required: ['country'] },
      then: { properties: { zip: { type: 'string', pattern: '^[0-9]{5}$' } } },
      else: { properties: { zip: { type: 'string', maxLength: 10 } } },
    },
    values: [
      { country: 'DE', zip: '53111' },
      { country: 'DE', zip: '5311' },
      { country: 'UK', zip: 'SW1A 1AA' },
      { zip: 'x'.repeat(11) },
    ],
    ajv: { strict: false },
  },
  { name: 'text', schema: { type: 'string' }, values: ['', 'a', 5, { a: 1 }] },
  {
    name: 'numbers',
    schema: { type: 'array', items: { type: 'integer' } },
    values: [[1, -0, 1e3], [0.5], ['1']],
  },
  { name: 'anything', schema: {}, values: [{ a: [1] }, 'x', 0, false] },
  {
    name: 'references',
    before: [
      { subject: 'money', schema: { $schema: DRAFT_07, type: 'integer', minimum: 1 } },
      {
        subject: 'price',
        schema: {
          $schema: DRAFT_07,
          type: 'object',
          properties: { net: { $ref: 'money.json' } },
          required: ['net'],
        },
        references: [{ name: 'money.json', subject: 'money', version: 1 }],
      },
    ],
    schema: { $schema: DRAFT_07, type: 'object', properties: { price: { $ref: 'price.json' } } },
    references: [{ name: 'price.json', subject: 'price', version: 1 }],
    values: [{ price: { net: 5 } }, { price: { net: 0 } }, { price: {} }, {}],
  },
  {
    name: 'tags and words of others',
    schema: {
      $schema: DRAFT_07,
      type: 'object',
      properties: {
        ssn: { type: 'string', 'confluent:tags': ['PII'] },
        old: { type: 'number', javaType: 'x.Y', 'connect.index': 3 },
      },
    },
    values: [{ ssn: '1', old: 1 }, { ssn: 1 }],
    ajv: { strict: false },
  },
  {
    name: 'what JSON makes of values',
    schema: { $schema: DRAFT_07, type: 'object' },
    values: [{ at: new Date(0), no: undefined, list: [undefined, NaN] }],
  },
];
