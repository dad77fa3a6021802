import { fc } from '../../helpers/fast-check.ts';
import type { AnyApi, MessageCodec } from '../../../src/core/protocol/api.ts';
import { APIS } from '../../../src/core/protocol/apis.ts';
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
} from '../../../src/core/protocol/consumer-protocol.ts';
import { defaultOf, specs } from '../../../src/core/protocol/defaults.ts';
import { inRange, type FieldSpec, type Table } from '../../../src/core/protocol/schema.ts';
import { offerApis } from '../../../src/testing/broker/apis/registry.ts';
import { Writer } from '../../../src/core/protocol/writer.ts';

export type AnyMessage = MessageCodec<Record<string, unknown>, Record<string, unknown>>;

/** Ours, and those that only the broker in the box has a table of. */
const ALL_APIS: readonly AnyApi[] = [
  ...new Set([...APIS, ...Array.from(offerApis().values(), ({ handler }) => handler.api)]),
];

export const MESSAGES: readonly AnyMessage[] = [
  ...ALL_APIS.flatMap((api: AnyApi) => [api.request as AnyMessage, api.response as AnyMessage]),
  consumerProtocolSubscription,
  consumerProtocolAssignment,
];

/** Every message of ours in every version. */
export const EVERY_VERSION: readonly { name: string; message: AnyMessage; version: number }[] =
  MESSAGES.flatMap((message) =>
    Array.from({ length: message.versions.to - message.versions.from + 1 }, (_, i) => {
      const version = message.versions.from + i;
      return { name: `${message.name} v${version}`, message, version };
    }),
  );

export function encoded(message: AnyMessage, version: number, value: Record<string, unknown>): Buffer {
  const writer = new Writer(8);
  message.encode(writer, value, version);
  return writer.finish();
}

/** Values of a table in one version: complete, with the default in the fields that the version does not carry. */
export function anyValue(table: Table, version: number): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(
    Object.fromEntries(
      specs(table).map(([name, spec]) => [
        name,
        inRange(spec.versions, version) ? anyField(spec, version) : fc.constant(defaultOf(spec)),
      ]),
    ),
    { noNullPrototype: true },
  );
}

function anyField(spec: FieldSpec, version: number): fc.Arbitrary<unknown> {
  const present = anyPresent(spec, version);
  return inRange(spec.nullable, version) ? fc.option(present, { freq: 4, nil: null }) : present;
}

function anyPresent(spec: FieldSpec, version: number): fc.Arbitrary<unknown> {
  switch (spec.type) {
    case 'bool':
      return fc.boolean();
    case 'int8':
      return fc.integer({ min: -0x80, max: 0x7f });
    case 'int16':
      return fc.integer({ min: -0x8000, max: 0x7fff });
    case 'uint16':
      return fc.integer({ min: 0, max: 0xffff });
    case 'int32':
      return fc.integer();
    case 'uint32':
      return fc.integer({ min: 0, max: 0xffffffff });
    case 'int64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'offset':
    case 'timestamp':
      return fc.maxSafeInteger();
    case 'float64':
      return fc.double({ noNaN: true });
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 60 });
    case 'uuid':
      return fc
        .uint8Array({ minLength: 16, maxLength: 16 })
        .map((id) => Buffer.from(id).toString('base64url'));
    case 'bytes':
    case 'records':
      return fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    case 'array':
      return fc.array(anyField(spec.element!, version), { maxLength: 3 });
    case 'struct':
      return anyValue(spec.table!, version);
  }
}
