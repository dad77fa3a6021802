// Records of retry topics, read as what they are copies of.
import type { FetchedRecord } from '../core/records/fetched-record.ts';
import type { ConsumerRecord, RecordHeaders } from '../core/records/types.ts';
import { failureOf, type Failure } from '../flow/failure-headers.ts';
import { copy } from './copy.ts';
import type { Decoder, RecordDecoder } from './decoder.ts';

/** Shows the place of the original; everything else is the copy's, which has the original's bytes. */
class RetriedRecord implements ConsumerRecord<unknown, unknown> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  private readonly found: ConsumerRecord<unknown, unknown>;

  constructor(
    found: ConsumerRecord<unknown, unknown>,
    place: Pick<Failure, 'topic' | 'partition' | 'offset'>,
  ) {
    this.found = found;
    this.topic = place.topic;
    this.partition = place.partition;
    this.offset = place.offset;
  }

  get key(): unknown {
    return this.found.key;
  }

  get value(): unknown {
    return this.found.value;
  }

  get timestamp(): number {
    return this.found.timestamp;
  }

  get timestampBigInt(): bigint {
    return this.found.timestampBigInt;
  }

  get timestampType(): 'create' | 'append' {
    return this.found.timestampType;
  }

  get leaderEpoch(): number {
    return this.found.leaderEpoch;
  }

  get headers(): RecordHeaders {
    return this.found.headers;
  }

  copy(): RetriedRecord {
    return new RetriedRecord(copy(this.found), this);
  }
}

/** Reads the records of a retry topic by the formats of the topics that they come from. */
export class RetriedDecoder implements RecordDecoder {
  readonly needed = true;
  private readonly decoderOf: (topic: string) => Decoder;

  constructor(decoderOf: (topic: string) => Decoder) {
    this.decoderOf = decoderOf;
  }

  decode(record: FetchedRecord): ConsumerRecord<unknown, unknown> {
    const failure = failureOf(record);
    const decoder = this.decoderOf(failure?.topic ?? record.topic);
    const found = decoder.needed ? decoder.decode(record) : record;
    return failure === undefined ? found : new RetriedRecord(found, failure);
  }

  prepare(record: FetchedRecord): Promise<unknown> | undefined {
    return this.decoderOf(failureOf(record)?.topic ?? record.topic).prepare(record);
  }
}
