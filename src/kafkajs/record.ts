// A message of kafkajs as a record of ours.

import { Buffer } from 'node:buffer';
import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { FetchedRecord } from '../core/records/fetched-record.ts';
import { emptyHeaders, HeaderList } from '../core/records/headers.ts';
import type { Bytes, RecordHeaders } from '../core/records/types.ts';

/** What kafkajs keeps of the batch that a message came in, though its types do not say so. */
interface BatchContext {
  readonly partitionLeaderEpoch?: number;
  /** 1: the broker's time. */
  readonly timestampType?: number;
  readonly maxTimestamp?: string;
}

type Message = KafkaMessage & { readonly batchContext?: BatchContext };

/** Offsets and lengths that a record of a batch has besides its bytes, roughly. */
const OVERHEAD_BYTES = 16;
const APPEND_TIME = 1;

/** Has all that is public of a {@link FetchedRecord}. */
export class KafkajsRecord implements Omit<Pick<FetchedRecord, keyof FetchedRecord>, 'copy'> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly batch = undefined;
  private message: Message;
  private list: HeaderList | undefined;

  constructor(topic: string, partition: number, message: KafkaMessage) {
    this.topic = topic;
    this.partition = partition;
    this.offset = Number(message.offset);
    this.message = message;
  }

  get leaderEpoch(): number {
    return this.message.batchContext?.partitionLeaderEpoch ?? -1;
  }

  get timestampType(): 'create' | 'append' {
    return this.message.batchContext?.timestampType === APPEND_TIME ? 'append' : 'create';
  }

  get timestamp(): number {
    return Number(this.time);
  }

  get timestampBigInt(): bigint {
    return BigInt(this.time);
  }

  get key(): Buffer | null {
    return this.message.key;
  }

  get value(): Buffer | null {
    return this.message.value;
  }

  get keyText(): string | null {
    return this.message.key?.toString() ?? null;
  }

  get valueText(): string | null {
    return this.message.value?.toString() ?? null;
  }

  get headers(): RecordHeaders {
    this.list ??= headerList(this.message.headers);
    return this.list;
  }

  get bytes(): number {
    const { key, value } = this.message;
    return (key?.length ?? 0) + (value?.length ?? 0) + OVERHEAD_BYTES;
  }

  copy(): FetchedRecord {
    const own = new KafkajsRecord(this.topic, this.partition, this.message);
    own.compact();
    return asFetched(own);
  }

  compact(): void {
    const { key, value, headers } = this.message;
    this.message = {
      ...this.message,
      key: ownBuffer(key),
      value: ownBuffer(value),
      headers: ownHeaders(headers),
    } as Message;
    this.list = undefined;
  }

  private get time(): string {
    const { batchContext, timestamp } = this.message;
    return this.timestampType === 'append' ? (batchContext?.maxTimestamp ?? timestamp) : timestamp;
  }
}

/** `FetchedRecord` has private fields, so no other class is one for the compiler; all that is public is there. */
export function asFetched(record: KafkajsRecord): FetchedRecord {
  return record as unknown as FetchedRecord;
}

/** kafkajs keeps headers by name: those of one name are in order, names among each other are as they first came. */
function headerList(headers: IHeaders | undefined): HeaderList {
  const names: string[] = [];
  const values: (Bytes | null)[] = [];
  for (const [name, value] of Object.entries(headers ?? {}))
    for (const one of Array.isArray(value) ? value : [value]) {
      names.push(name);
      values.push(one ?? null);
    }
  return names.length === 0 ? emptyHeaders : new HeaderList(names, values);
}

function ownBuffer(bytes: Buffer | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}

function ownHeaders(headers: IHeaders | undefined): IHeaders | undefined {
  if (headers === undefined) return undefined;
  const own = (value: Buffer | string): Buffer | string =>
    typeof value === 'string' ? value : Buffer.from(value);
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(own) : value === undefined || value === null ? value : own(value),
    ]),
  );
}
