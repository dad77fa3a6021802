// The batches of one partition that have sequence numbers: what is out, what comes back, and what must be sent again.
//
// Outline of a failure:
//   1. A batch that was sent keeps its bytes (producer id, epoch, sequence included) and is sent again until it is answered or its deadline passes.
//   2. After any answer but success the partition recovers: it waits for the answers that are out, then sends one batch at a time, the oldest
//      first, until one is acknowledged.
//   3. A batch that fails leaves a gap in the sequence. Nothing new is sent until every batch behind it is resolved; those that cannot be in the
//      log get new numbers, and only then does the partition go on under the next epoch.
//   4. A batch that had a try without a clear answer never gets new numbers: a copy of it may still be on its way behind one of the batch before it,
//      and both would be taken. It is sent as it is until the log takes it, or refuses it, which leaves its outcome unknown. Copies of batches that
//      failed can do no harm: they come before the next epoch's first batch, or are refused after it.

import { BrokerError, OutcomeUnknownError } from '../../errors.ts';
import type { KafkaError } from '../../errors.ts';
import { backoffMs } from '../cluster/retry.ts';
import { stampProducer } from '../records/batch-header.ts';
import type { Batch } from './batch.ts';
import type { ProducerContext } from './context.ts';
import { Sequence, type ProducerIdentity } from './sequence.ts';

// A log that has not heard of a producer for long may have forgotten it, and would then take any batch as the first.
const PROVEN_FOR_MS = 60_000;

/** Where a partition is; for messages. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
}

/** What was sent and has no result yet, in sequence order. No I/O. */
export class Flight {
  readonly sequence: Sequence;
  /** Also those whose result waits for the batches before them. */
  readonly batches: Batch[] = [];
  /** Requests out with a batch of this partition, those of given-up batches included. */
  outstanding = 0;
  /** Nothing is sent before. */
  retryAt = 0;
  /** Why a batch was sent again; undefined when none waits for that any more. */
  lastError: KafkaError | undefined;
  /** An attempt after `lastError` had no time left for an answer, which says less than that. */
  private isCutShort = false;
  private readonly place: Place;
  private readonly context: ProducerContext;
  private readonly onDone: (batch: Batch) => void;
  private failures = 0;
  private recovering = false;
  private proven = false;
  private lastAckAt = 0;
  private gap = false;
  private renumber = false;

  /** `onDone` gets each batch with its result, in order. */
  constructor(place: Place, context: ProducerContext, onDone: (batch: Batch) => void) {
    this.place = place;
    this.context = context;
    this.onDone = onDone;
    this.sequence = new Sequence(context.settings.numbering);
  }

  /** The identity under which the partition's batches go from now on. */
  assign(identity: ProducerIdentity): void {
    if (this.sequence.assign(identity)) this.proven = false;
  }

  /**
   * The batch to send again now; 'fresh' when a new one may go; undefined when an answer, time or a producer id must come first.
   */
  select(now: number): Batch | 'fresh' | undefined {
    if (now < this.retryAt) return undefined;
    if (this.recovering && this.outstanding > 0) return undefined;
    if (this.gap && !this.closeGap()) return this.batches.find(mustBeAnswered);
    if (!this.sequence.assigned) return undefined;
    if (this.renumber) this.stampAnew();
    return this.batches.find(isWaiting) ?? (this.batches.length < this.limit(now) ? 'fresh' : undefined);
  }

  /** A request with it goes out. */
  begin(batch: Batch): void {
    if (batch.state === 'filling') this.batches.push(batch);
    else this.context.counters.retries += 1;
    batch.state = 'sent';
    batch.sends += 1;
    this.outstanding += 1;
  }

  /** `offset` -1 when the broker does not say; `appendTime` -1 when records keep their own. */
  acked(batch: Batch, offset: number, appendTime: number): void {
    this.outstanding -= 1;
    if (batch.state !== 'sent') return;
    batch.state = 'acked';
    batch.offset = offset;
    batch.appendTime = appendTime;
    this.proven = this.sequence.numbering !== 'none';
    this.lastAckAt = this.context.clock.now();
    this.failures = 0;
    if (!this.gap) this.recovering = false;
    if (this.lastError !== undefined && !this.batches.some(isWaiting)) this.forgetError();
    this.complete();
  }

  /** To be sent again with the same bytes. `unclear`: it may be in the log. `pause`: not before a backoff. */
  again(batch: Batch, error: KafkaError, unclear: boolean, pause: boolean): void {
    this.outstanding -= 1;
    this.isCutShort = batch.isCutShort && this.lastError !== undefined && isTimeout(error);
    if (!this.isCutShort) this.lastError = error;
    this.recovering = true;
    if (batch.state !== 'sent') return;
    batch.state = 'waiting';
    if (unclear) batch.maybeAppended = true;
    if (batch.sends > this.context.settings.retries) {
      this.fail(batch, batch.maybeAppended ? this.unknown(batch, this.lastError) : this.lastError!);
      return;
    }
    if (pause && batch === this.batches[0]) this.backOff();
  }

  /**
   * Refused for its sequence number, epoch or producer id. The next epoch of the same id follows, also where the epoch was refused: only that shuts
   * out what is still on its way. Another id would not, and INVALID_PRODUCER_EPOCH says nothing of the id.
   */
  outOfSequence(batch: Batch, error: KafkaError): void {
    this.again(batch, error, false, false);
    // Behind a batch that is still to be resolved this was to be expected.
    if (batch.state !== 'waiting' || batch !== this.batches[0]) return;
    if (batch.maybeAppended) {
      this.fail(batch, this.unknown(batch, error));
    } else if (this.sequence.numbering === 'given') {
      this.fail(batch, error);
    } else {
      if (!this.gap) this.backOff();
      this.gap = true;
    }
  }

  /** Refused for good; `unclear`: it may be in the log all the same. */
  refused(batch: Batch, error: KafkaError, unclear: boolean): void {
    this.again(batch, error, unclear, false);
    if (batch.state === 'waiting') this.fail(batch, batch.maybeAppended ? this.unknown(batch, error) : error);
  }

  /** Puts the parts of a split batch, which keep its sequence numbers, in its place. */
  replace(batch: Batch, parts: readonly Batch[]): void {
    this.batches.splice(this.batches.indexOf(batch), 1, ...parts);
    batch.state = 'done';
  }

  /** Fails the batches without a result that `chosen` names: as unknown what may be in the log, else with `why`. */
  failWhere(chosen: (batch: Batch) => boolean, why: (batch: Batch) => KafkaError): void {
    for (const batch of [...this.batches]) {
      if (batch.state === 'acked' || batch.state === 'failed' || !chosen(batch)) continue;
      if (batch.state === 'sent') batch.maybeAppended = true;
      this.fail(batch, batch.maybeAppended ? this.unknown(batch, this.lastError) : why(batch));
    }
  }

  /** Fails with `error` whatever has no result: of a transaction that is undone nothing is seen, appended or not. */
  abandon(error: KafkaError): void {
    for (const batch of [...this.batches])
      if (batch.state !== 'acked' && batch.state !== 'failed') this.fail(batch, error);
  }

  /** Forgets earlier trouble. Only when nothing is left and no request is out. */
  startOver(): void {
    this.gap = false;
    this.recovering = false;
    this.renumber = false;
    this.retryAt = 0;
    this.failures = 0;
    this.forgetError();
  }

  /** What went wrong last, for the end of a message; '' when nothing did. */
  lastWords(cause: KafkaError | undefined = this.lastError): string {
    if (cause === undefined) return '';
    const cut = this.isCutShort && cause === this.lastError;
    const after = cut ? ' (after it came an attempt for which deliveryTimeoutMs left too little time)' : '';
    return `; the last error was: ${cause.message}${after}`;
  }

  private forgetError(): void {
    this.lastError = undefined;
    this.isCutShort = false;
  }

  private limit(now: number): number {
    const known = this.proven && now - this.lastAckAt < PROVEN_FOR_MS;
    return known ? this.context.settings.maxInFlight : 1;
  }

  private fail(batch: Batch, error: KafkaError): void {
    batch.state = 'failed';
    batch.error = error;
    this.gap = true;
    this.recovering = true;
    this.complete();
  }

  /** Hands over the results that have none before them left to wait for. */
  private complete(): void {
    for (;;) {
      const head = this.batches[0];
      if (head === undefined || (head.state !== 'acked' && head.state !== 'failed')) return;
      this.batches.shift();
      this.onDone(head);
    }
  }

  /** Goes on under the next epoch once nothing is left that may be in the log; false while there is. */
  private closeGap(): boolean {
    if (this.outstanding > 0 || this.batches.some(mustBeAnswered)) return false;
    if (this.sequence.assigned) this.sequence.bump();
    if (this.sequence.numbering !== 'none') this.context.counters.epochBumps += 1;
    this.gap = false;
    this.proven = false;
    this.renumber = true;
    return true;
  }

  /** New numbers for batches that cannot be in the log. */
  private stampAnew(): void {
    this.renumber = false;
    for (const batch of this.batches) {
      const { producerId, producerEpoch } = this.sequence;
      batch.baseSequence = this.sequence.take(batch.count);
      // A copy: a socket may still hold the old bytes.
      batch.sealed = Buffer.from(batch.sealed!);
      stampProducer(batch.sealed, producerId, producerEpoch, batch.baseSequence);
    }
    this.recovering = this.batches.length > 0;
  }

  private backOff(): void {
    const { settings, clock, random } = this.context;
    this.failures += 1;
    this.retryAt =
      clock.now() + backoffMs(this.failures, settings.retryBackoffMs, settings.retryBackoffMaxMs, random);
  }

  private unknown({ count, sends }: Batch, cause: KafkaError | undefined): OutcomeUnknownError {
    const { topic, partition } = this.place;
    const what = `${count} records were sent ${sends} times and may or may not be in the log`;
    return new OutcomeUnknownError(`${topic}-${partition}: ${what}${this.lastWords(cause)}`, {
      topic,
      partition,
      cause,
    });
  }
}

function isWaiting(batch: Batch): boolean {
  return batch.state === 'waiting';
}

function mustBeAnswered(batch: Batch): boolean {
  return batch.state === 'waiting' && batch.maybeAppended;
}

/** The client's, or the broker's own, which waits for its followers only for as long as the request is to take. */
function isTimeout(error: KafkaError): boolean {
  return error instanceof BrokerError && error.errorName === 'REQUEST_TIMED_OUT';
}
