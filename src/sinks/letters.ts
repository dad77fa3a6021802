// Records on their way to a topic for failures, in the place of the delivery they are from.
import type { RecordProducer } from '../core/producer/record-producer.ts';
import type { Receipt } from '../core/producer/receipt.ts';
import type { ProducerRecord } from '../core/records/types.ts';
import type { KafkaError } from '../errors.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import type { StageError } from '../flow/stage-error.ts';

/** What writing a letter needs of the run. */
export interface LetterRuntime {
  producer(): RecordProducer;
  /** So many records were acknowledged. */
  countOut(records: number): void;
}

/** One letter. */
export interface Letter {
  readonly topic: string;
  readonly record: ProducerRecord;
  /** Called once, when it is known where it is; undefined: it was not written. */
  readonly onAnswered?: ((offset: number | undefined) => void) | undefined;
}

/** Settles the delivery when all of its letters are answered. */
class Letters implements Receipt {
  private readonly delivery: Delivery<unknown>;
  private readonly cause: StageError;
  private readonly runtime: LetterRuntime;
  private readonly letters: readonly Letter[];
  private pending: number;
  private withdrawn = false;
  private error: unknown;

  constructor(
    delivery: Delivery<unknown>,
    cause: StageError,
    letters: readonly Letter[],
    runtime: LetterRuntime,
  ) {
    this.delivery = delivery;
    this.cause = cause;
    this.letters = letters;
    this.pending = letters.length;
    this.runtime = runtime;
  }

  /** Hands the letters over; what is refused at once is a failure like any other. */
  send(): void {
    const producer = this.runtime.producer();
    for (const [at, { topic, record }] of this.letters.entries()) {
      try {
        producer.send(topic, record, this, at);
      } catch (cause) {
        this.error ??= cause;
        this.answered(at, undefined);
      }
    }
  }

  onAcked(_partition: number, offset: number, _timestamp: number, at: number): void {
    this.runtime.countOut(1);
    this.answered(at, offset);
  }

  onFailed(error: KafkaError, at: number): void {
    this.error ??= error;
    this.answered(at, undefined);
  }

  isWithdrawn(): boolean {
    return this.delivery.origins.every((origin) => origin.lost.aborted);
  }

  onWithdrawn(at: number): void {
    this.withdrawn = true;
    this.answered(at, undefined);
  }

  private answered(at: number, offset: number | undefined): void {
    this.letters[at]!.onAnswered?.(offset);
    if (--this.pending > 0) return;
    // Not written, so not settled: its records are the next claim's.
    if (this.withdrawn) handleOf(this.delivery).giveUp();
    else if (this.error === undefined) this.delivery.ack();
    else
      this.delivery.nack(
        new AggregateError(
          [this.cause, this.error],
          'a stage failed, and its dead letter could not be written',
        ),
      );
  }
}

/** Writes the letters, at least one, and settles the delivery when all of them are acknowledged; a letter that cannot be written refuses it. */
export function writeLetters(
  runtime: LetterRuntime,
  delivery: Delivery<unknown>,
  cause: StageError,
  letters: readonly Letter[],
): void {
  new Letters(delivery, cause, letters, runtime).send();
}
