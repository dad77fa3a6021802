// What a test says of one send, and how it is checked.
import { Buffer } from 'node:buffer';
import { inspect } from 'node:util';
import type { KafkaError } from '../../errors.ts';
import type { Bytes, RecordHeaders } from '../../core/records/types.ts';

/** A record that a {@link MockProducer} was given. */
export interface MockSend {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: RecordHeaders;
  /** Undefined where the record brought none. */
  readonly timestamp: number | undefined;
}

/** Fields that a record must have; what is left out may be anything. Text stands for its UTF-8 bytes. */
export interface SendMatch {
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  readonly key?: Bytes | null | undefined;
  readonly value?: Bytes | null | undefined;
  readonly headers?: { readonly [name: string]: Bytes | null } | undefined;
  readonly timestamp?: number | undefined;
}

/** What a record must be: fields, or a function that throws (an assertion of any framework) or answers false when it is not. */
export type SendCheck = SendMatch | ((sent: MockSend) => unknown);

/** One send that is to come. */
export interface SendExpectation {
  readonly check: SendCheck | undefined;
  /** Undefined for one that succeeds. */
  readonly error: KafkaError | undefined;
}

export function describeExpectation({ check, error }: SendExpectation): string {
  const ends = error === undefined ? 'that succeeds' : `that fails with ${nameOf(error)}`;
  if (check === undefined) return `a send ${ends}`;
  if (typeof check === 'function') return `a send ${ends}, checked by a function`;
  return `a send ${ends}, with ${fieldsOf(check)
    .map(([name, value]) => `${name} ${show(value)}`)
    .join(', ')}`;
}

export function describeSend({ topic, partition, key, value }: MockSend): string {
  return `the send to ${topic}-${partition} (key ${show(key)}, value ${show(value)})`;
}

/** Why the record is not what was expected; undefined when it is. */
export function mismatch(check: SendCheck | undefined, sent: MockSend): string | undefined {
  if (check === undefined) return undefined;
  if (typeof check === 'function') {
    try {
      return check(sent) === false ? 'its check answered false' : undefined;
    } catch (thrown) {
      return thrown instanceof Error ? thrown.message : String(thrown);
    }
  }
  const wrong = fieldsOf(check)
    .map(([name, expected]) => [name, expected, fieldOf(sent, name)] as const)
    .filter(([, expected, actual]) => !isSame(expected, actual))
    .map(([name, expected, actual]) => `${name} is ${show(actual)}, not ${show(expected)}`);
  return wrong.length === 0 ? undefined : wrong.join('; ');
}

type Field = number | Bytes | null | undefined;

function fieldsOf({ headers, ...fields }: SendMatch): [string, Field][] {
  const named = Object.entries(fields).filter(([, value]) => value !== undefined);
  const inHeaders = Object.entries(headers ?? {}).map(([name, value]): [string, Field] => [
    `header ${name}`,
    value,
  ]);
  return [...(named as [string, Field][]), ...inHeaders];
}

function fieldOf(sent: MockSend, name: string): Field {
  if (name.startsWith('header ')) return sent.headers.get(name.slice('header '.length));
  return sent[name as 'topic' | 'partition' | 'key' | 'value' | 'timestamp'];
}

function isSame(expected: Field, actual: Field): boolean {
  if (actual instanceof Uint8Array)
    return (
      (typeof expected === 'string' || expected instanceof Uint8Array) &&
      Buffer.compare(Buffer.from(expected as Uint8Array), actual) === 0
    );
  return expected === actual;
}

const MAX_SHOWN = 200;

function show(value: Field): string {
  if (!(value instanceof Uint8Array)) return inspect(value);
  const text = Buffer.from(value).toString('utf8');
  return inspect(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text);
}

function nameOf(error: KafkaError): string {
  return 'errorName' in error ? String(error.errorName) : error.name;
}
