// The values of the bench, the same in every process and every language, and how they are added up.
import type { ValueKind } from './task.ts';

const MOST_VALUES = 16_384;
const LEAST_VALUES = 512;
const POOL_BYTES = 8 * 1024 * 1024;
const FIRST_PRINTABLE = 33;
const PRINTABLES = 94;
const QUOTE = 34;
const BACKSLASH = 92;
const PLAIN = 95;

/** What a JSON value holds. */
export interface Document {
  readonly id: number;
  readonly text: string;
}

/** A pool of values, to be taken round robin. */
export function values(valueBytes: number, kind: ValueKind = 'random'): readonly Buffer[] {
  const count = Math.max(LEAST_VALUES, Math.min(MOST_VALUES, Math.floor(POOL_BYTES / valueBytes)));
  let seed = 20_260_101;
  return Array.from({ length: count }, (_, id) => {
    const value = Buffer.allocUnsafeSlow(valueBytes);
    for (let at = 0; at < valueBytes; at++) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      value[at] = FIRST_PRINTABLE + ((seed >>> 16) % PRINTABLES);
    }
    if (kind === 'events') return asEvent(value, id, seed >>> 0);
    return kind === 'json' ? asDocument(value, id) : value;
  });
}

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const TOKEN_BYTES = 24;

/** Field names and an agent that repeat, and numbers and a token that do not: a codec makes about a fifth of it. */
function asEvent(noise: Buffer, id: number, chance: number): Buffer {
  const kind = ['view', 'order', 'payment'][chance % 3];
  const token = noise.toString('base64', 0, TOKEN_BYTES).slice(0, TOKEN_BYTES);
  const event = `{"id":${id},"user":"user-${chance % 5_003}","kind":"${kind}","total":${chance % 99_991},"token":"${token}","agent":"${AGENT}"}`;
  return Buffer.from(event.padEnd(noise.length).slice(0, noise.length), 'latin1');
}

function asDocument(value: Buffer, id: number): Buffer {
  for (let at = 0; at < value.length; at++)
    if (value[at] === QUOTE || value[at] === BACKSLASH) value[at] = PLAIN;
  value.write(`{"id":${id},"text":"`, 'latin1');
  value.write('"}', value.length - 2, 'latin1');
  return value;
}

const NUMBER_DIGITS = 8;

/** A copy of the value whose turn it is, which begins with its number. */
export function numbered(pool: readonly Buffer[], number: number): Buffer {
  const value = Buffer.from(pool[number % pool.length]!);
  value.write(String(number).padStart(NUMBER_DIGITS, '0'), 'latin1');
  return value;
}

export function numberOf(value: Buffer): number {
  let number = 0;
  for (let at = 0; at < NUMBER_DIGITS; at++) number = number * 10 + value[at]! - 48;
  return number;
}

/** What one value adds to the sum; cheap, so that it does not blur what is measured. */
export function weight(value: Uint8Array): number {
  const { length } = value;
  return length + value[0]! * 7 + value[length >> 1]! * 31 + value[length - 1]! * 127;
}

/** The same of a value that was read as text. */
export function textWeight(value: string): number {
  const { length } = value;
  return (
    length + value.charCodeAt(0) * 7 + value.charCodeAt(length >> 1) * 31 + value.charCodeAt(length - 1) * 127
  );
}

/** What a JSON value adds. */
export function documentWeight({ id, text }: Document): number {
  return id + textWeight(text);
}
