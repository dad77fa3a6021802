// Every error class of the library. Codecs return error codes; `core/cluster` turns them into these; nothing above branches on messages.

/** Options of the `Error` constructor, shared by every class below. */
export interface ErrorCause {
  readonly cause?: unknown;
}

const brand = Symbol.for('sluice.KafkaError');

/**
 * The root of every error this library throws or rejects with. Branch on `code` and `retriable`, never on the message.
 * `retriable` is true when the same call may succeed later without a change by the caller.
 */
export abstract class KafkaError extends Error {
  abstract readonly code: string;
  readonly retriable: boolean;

  constructor(message: string, retriable: boolean, options?: ErrorCause) {
    super(message, options);
    this.name = new.target.name;
    this.retriable = retriable;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** What a {@link BrokerError} is about; every part optional, all of it ends up in the message. */
export interface BrokerErrorDetails extends ErrorCause {
  readonly retriable: boolean;
  readonly api?: string | undefined;
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
}

/**
 * An error of the cluster or of the way to it, by Kafka's own error name (`UNKNOWN_TOPIC_OR_PARTITION`, `NETWORK_EXCEPTION`, ...).
 * Kafka's error table is used for what the client itself finds on the way too, as the Java client does; the subclasses say more.
 */
export class BrokerError extends KafkaError {
  readonly code = 'BROKER_ERROR';
  readonly errorName: string;
  readonly api: string | undefined;
  readonly topic: string | undefined;
  readonly partition: number | undefined;

  constructor(errorName: string, message: string, details: BrokerErrorDetails) {
    super(message, details.retriable, details.cause === undefined ? undefined : { cause: details.cause });
    this.errorName = errorName;
    this.api = details.api;
    this.topic = details.topic;
    this.partition = details.partition;
  }
}

/** The phase of a connection's life in which it failed. */
export type ConnectionPhase = 'dial' | 'tls' | 'handshake' | 'auth' | 'io';

/** No usable connection to a broker: refused, reset, not Kafka on that port, closed in the middle. `errorName` is `NETWORK_EXCEPTION`. */
export class ConnectionError extends BrokerError {
  readonly host: string;
  readonly port: number;
  readonly phase: ConnectionPhase;

  constructor(
    message: string,
    at: { host: string; port: number; phase: ConnectionPhase; cause?: unknown; retriable?: boolean },
  ) {
    super('NETWORK_EXCEPTION', message, { retriable: at.retriable ?? true, cause: at.cause });
    this.host = at.host;
    this.port = at.port;
    this.phase = at.phase;
  }
}

/**
 * One side did not accept who the other says it is: a wrong password or token, an unknown or expired certificate, a wrong host name. Retriable
 * only where the reason may go away by itself, such as a token provider that failed. Never has a secret in it.
 */
export class AuthenticationError extends ConnectionError {}

/** A call passed its deadline. `sent` is false only when no byte of it can have reached a broker. `errorName` is `REQUEST_TIMED_OUT`. */
export class TimeoutError extends BrokerError {
  readonly afterMs: number;
  readonly sent: boolean;

  constructor(message: string, at: { afterMs: number; sent: boolean; api?: string; cause?: unknown }) {
    super('REQUEST_TIMED_OUT', message, { retriable: true, api: at.api, cause: at.cause });
    this.afterMs = at.afterMs;
    this.sent = at.sent;
  }
}

/**
 * A sent batch was neither acknowledged nor refused before its delivery deadline: it may or may not be in the log. Or the end of a transaction, which may
 * or may not be done.
 */
export class OutcomeUnknownError extends BrokerError {
  constructor(message: string, at: { topic?: string; partition?: number; cause?: unknown }) {
    super('REQUEST_TIMED_OUT', message, { retriable: false, ...at });
  }
}

/** A partition's next offset that a commit did not get into the group's log. */
export interface UncommittedOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Not all of an offset commit is in the group's log: `failed` is what is not, `cause` and `errorName` say why. */
export class OffsetCommitError extends BrokerError {
  readonly failed: readonly UncommittedOffset[];

  constructor(groupId: string, failed: readonly UncommittedOffset[], cause: KafkaError) {
    const places = failed.map(({ topic, partition, offset }) => `${topic}-${partition} at ${offset}`);
    super(
      cause instanceof BrokerError ? cause.errorName : 'UNKNOWN_SERVER_ERROR',
      `Group ${groupId}: ${places.join(', ')} not committed: ${cause.message}`,
      { retriable: cause.retriable, api: 'OffsetCommit', cause },
    );
    this.failed = failed;
  }
}

/**
 * The transaction cannot be committed any more: `abort()` it, and the producer goes on. `cause` is what went wrong first, `errorName` its name.
 * Records taken in a transaction that was aborted fail with it too: a reader of what is committed never sees them.
 */
export class TransactionAbortableError extends BrokerError {}

/**
 * A transactional producer cannot go on: a newer instance has its id (PRODUCER_FENCED), the cluster aborted a transaction that was open for too long,
 * or it lacks a right. Close it. `cause` is what went wrong first, `errorName` its name.
 */
export class TransactionFatalError extends BrokerError {}

/**
 * The log does not hold the position, and the policy was to fail. `errorName` is `OFFSET_OUT_OF_RANGE`. It holds `earliest` up to, not including,
 * `latest`, as far as that is known; `truncatedTo` is set when the log was cut below the position by an unclean leader election (KIP-320).
 */
export class OffsetRangeError extends BrokerError {
  readonly offset: number;
  readonly earliest: number | undefined;
  readonly latest: number | undefined;
  readonly truncatedTo: number | undefined;

  constructor(
    message: string,
    at: {
      topic: string;
      partition: number;
      offset: number;
      earliest?: number;
      latest?: number;
      truncatedTo?: number;
    },
  ) {
    super('OFFSET_OUT_OF_RANGE', message, {
      retriable: false,
      api: 'Fetch',
      topic: at.topic,
      partition: at.partition,
    });
    this.offset = at.offset;
    this.earliest = at.earliest;
    this.latest = at.latest;
    this.truncatedTo = at.truncatedTo;
  }
}

/** What became of one message of a batch that could not be sent as a whole. */
export interface FailedSend {
  /** Its place in the batch. */
  readonly index: number;
  readonly message: unknown;
  readonly error: unknown;
}

/** Some messages of a batch are not in the log, `failures`; `results` has the others at their places, and undefined where one failed. */
export class SendBatchError<R = unknown> extends BrokerError {
  readonly failures: readonly FailedSend[];
  readonly results: readonly (R | undefined)[];

  constructor(failures: readonly FailedSend[], results: readonly (R | undefined)[]) {
    const [first] = failures;
    const error = first?.error;
    const why = error instanceof Error ? error.message : String(error);
    const name = error instanceof BrokerError ? error.errorName : 'UNKNOWN_SERVER_ERROR';
    const which = failures
      .slice(0, 10)
      .map(({ index }) => index)
      .join(', ');
    const more = failures.length > 10 ? ', ...' : '';
    super(
      name,
      `${failures.length} of ${results.length} messages failed (${which}${more}); the first: ${why}`,
      {
        retriable: failures.every((one) => one.error instanceof KafkaError && one.error.retriable),
        cause: error,
      },
    );
    this.failures = failures;
    this.results = results;
  }
}

/** The peer sent bytes that break the protocol (hostile lengths, truncated frames, lying counts). `errorName` is `CORRUPT_MESSAGE`. */
export class ProtocolError extends BrokerError {
  constructor(message: string, details: Partial<BrokerErrorDetails> = {}) {
    super('CORRUPT_MESSAGE', message, { ...details, retriable: details.retriable ?? false });
  }
}

/** A record batch that fails its CRC, its lengths or its counts; names topic, partition and offset where they are known. */
export class CorruptRecordError extends ProtocolError {}

/** Neither side speaks a version of this API that the other does. `errorName` is `UNSUPPORTED_VERSION`. */
export class UnsupportedVersionError extends BrokerError {
  constructor(message: string, details: Partial<BrokerErrorDetails> = {}) {
    super('UNSUPPORTED_VERSION', message, { ...details, retriable: false });
  }
}

/** A codec is missing or failed; the message names the package to install. `errorName` is `UNSUPPORTED_COMPRESSION_TYPE`. */
export class CompressionError extends BrokerError {
  readonly codec: string;

  constructor(message: string, codec: string, options?: ErrorCause) {
    super('UNSUPPORTED_COMPRESSION_TYPE', message, { retriable: false, cause: options?.cause });
    this.codec = codec;
  }
}

/** The caller broke a rule: a bad option (named by `option`), a wrong state, a second subscription. Never retriable. */
export class UsageError extends KafkaError {
  readonly code = 'USAGE';
  readonly option?: string;

  constructor(message: string, option?: string, options?: ErrorCause) {
    super(message, false, options);
    if (option !== undefined) this.option = option;
  }
}

/** A claim ended (lost, fenced, drain timeout, topic re-created) while deliveries of it were unsettled, the first at `firstUnsettled`. */
export class ClaimLostError extends KafkaError {
  readonly code = 'CLAIM_LOST';
  readonly topic: string;
  readonly partition: number;
  readonly firstUnsettled: number;

  constructor(
    message: string,
    at: { topic: string; partition: number; firstUnsettled: number; cause?: unknown },
  ) {
    super(message, false, at.cause === undefined ? undefined : { cause: at.cause });
    this.topic = at.topic;
    this.partition = at.partition;
    this.firstUnsettled = at.firstUnsettled;
  }
}

/** A value was not done in the time its stage gives it: the `cause` of a StageError. What was begun for it was told to stop, and its result does not count. */
export class StageTimeoutError extends KafkaError {
  readonly code = 'STAGE_TIMEOUT';
  readonly afterMs: number;

  constructor(stage: string, afterMs: number) {
    super(`${stage}: not done within ${afterMs} ms`, true);
    this.afterMs = afterMs;
  }
}

/** A call was not made because its `circuitBreaker` is open: the `cause` of a StageError. */
export class CircuitOpenError extends KafkaError {
  readonly code = 'CIRCUIT_OPEN';

  constructor(stage: string) {
    super(`${stage}: the circuit is open, the call was not made`, true);
  }
}
