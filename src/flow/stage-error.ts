import { Buffer } from 'node:buffer';
import { KafkaError } from '../errors.ts';
import type { Origin } from './origin.ts';

/** What a {@link StageError} is about. */
export interface StageFailure<A> {
  /** The stage's `name`, or its operator's. */
  readonly stage: string;
  /** The value it was given. */
  readonly value: A;
  /** How often the stage had tried, this time included. */
  readonly attempt: number;
  readonly origins: readonly Origin[];
  /** What the user's function threw. */
  readonly cause: unknown;
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** A key is named so that it can be looked for, not shown: as much of it as tells it apart. */
const MAX_KEY_CHARACTERS = 64;
const UNPRINTABLE = /[^\x20-\uffff]|[\x7f-\x9f\ufffd]/;

/** A key as text: quoted, or in hexadecimal digits where it is no text. */
function shown(key: Uint8Array): string {
  const bytes = Buffer.from(key.buffer, key.byteOffset, Math.min(key.byteLength, MAX_KEY_CHARACTERS));
  const cut = key.byteLength > bytes.length ? '...' : '';
  const text = bytes.toString('utf8');
  return UNPRINTABLE.test(text) ? `0x${bytes.toString('hex')}${cut}` : `'${text}${cut}'`;
}

function keyOf(origins: readonly Origin[]): Uint8Array | null | undefined {
  return origins[0]?.record?.key;
}

function place(origins: readonly Origin[]): string {
  const first = origins[0];
  if (first === undefined) return '';
  const { record } = first;
  const key = record?.key;
  const where =
    record === undefined
      ? `${first.source} value ${first.sequence}`
      : `${record.topic}-${record.partition} offset ${record.offset}${key === null || key === undefined ? '' : ` (key ${shown(key)})`}`;
  return ` at ${where}${origins.length > 1 ? ` and ${origins.length - 1} more` : ''}`;
}

const HIDDEN = { enumerable: false } as const;

/** A stage failed for one value; `cause` is what it threw. The stage's policy has decided, or is about to decide, what becomes of the records behind it. */
export class StageError<out A = unknown> extends KafkaError {
  readonly code = 'STAGE_FAILED';
  readonly stage: string;
  readonly value: A;
  readonly attempt: number;
  readonly origins: readonly Origin[];
  /** Where the first record behind it lies; undefined for a value of a plain source. In a retry topic: there. */
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  readonly offset: number | undefined;
  /** Its key as it is in the log: null for none, undefined for a value of a plain source. */
  readonly key: Uint8Array | null | undefined;

  constructor(failure: StageFailure<A>) {
    super(
      `stage ${failure.stage} failed${place(failure.origins)}, attempt ${failure.attempt}: ${describe(failure.cause)}`,
      false,
      { cause: failure.cause },
    );
    this.stage = failure.stage;
    this.value = failure.value;
    this.attempt = failure.attempt;
    this.origins = failure.origins;
    const record = failure.origins[0]?.record;
    this.topic = record?.topic;
    this.partition = record?.partition;
    this.offset = record?.offset;
    this.key = keyOf(failure.origins);
    // There to be read, but not to be printed with the error: what a record holds does not belong in a log.
    Object.defineProperty(this, 'value', HIDDEN);
    Object.defineProperty(this, 'origins', HIDDEN);
    Object.defineProperty(this, 'key', HIDDEN);
  }
}
