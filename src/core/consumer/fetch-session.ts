// What a broker remembers of the partitions that are polled (KIP-227), so that a poll of partitions without news names none of them.

import { ERRORS } from '../protocol/error-codes.ts';
import { ZERO_UUID } from '../protocol/schema.ts';
import type { Ask, Asked, SessionPart } from './fetch-request.ts';
import type { PartitionReader } from './partition-reader.ts';

const LARGEST_EPOCH = 0x7f_ff_ff_ff;
/** Asks for a new session, and closes the one that is named. */
const INITIAL_EPOCH = 0;
/** Only closes the one that is named. */
const FINAL_EPOCH = -1;
/** A partition may ask for this much less than it could before the broker is told. */
const WORTH_TELLING = 4;

const SESSION_ERRORS: ReadonlySet<number> = new Set([
  ERRORS.FETCH_SESSION_ID_NOT_FOUND,
  ERRORS.INVALID_FETCH_SESSION_EPOCH,
  ERRORS.FETCH_SESSION_TOPIC_ID_ERROR,
]);

/** True for errors that a new session cures. */
export function isSessionError(errorCode: number): boolean {
  return SESSION_ERRORS.has(errorCode);
}

/** What the broker was told of one partition. */
class SessionAsk implements Ask {
  readonly reader: PartitionReader;
  generation = -1;
  offset = -1;
  lastFetchedEpoch = -1;
  bytes = 0;
  currentLeaderEpoch = -1;
  /** The request it was last wanted in. */
  round = 0;

  constructor(reader: PartitionReader) {
    this.reader = reader;
  }
}

/** The polls of one broker, one under way at a time. Each takes partitions with `want()`, then tells with `plan()` what to send. */
export class FetchSession implements Asked {
  /** A poll is under way. */
  busy = false;
  /** Of the poll under way. */
  asks: readonly Ask[] = [];
  /** Of the poll under way. */
  complete = true;
  private id = 0;
  private epoch = INITIAL_EPOCH;
  private round = 0;
  private wanted: SessionAsk[] = [];
  private news: SessionAsk[] = [];
  /** By topic id and by topic name, then by partition. */
  private readonly topics = new Map<string, Map<number, SessionAsk>>();
  private held: SessionAsk[] = [];

  /** True when the broker holds a session that could be closed. */
  get isOpen(): boolean {
    return this.id !== 0 && this.epoch !== INITIAL_EPOCH;
  }

  /** The reader is to be in the next poll. False when it cannot be: sessions name topics by id, and a partition once. */
  want(reader: PartitionReader, bytes: number, currentLeaderEpoch: number): boolean {
    if (reader.topicId === '' || reader.topicId === ZERO_UUID) return false;
    const { generation, offset, leaderEpoch } = reader.feed.fetch;
    let ask = this.find(reader.topicId, reader.topicId, reader.partition);
    if (ask?.reader !== reader) {
      if (ask?.round === this.round + 1) return false;
      ask = new SessionAsk(reader);
      this.enter(ask);
    }
    ask.generation = generation;
    ask.round = this.round + 1;
    this.wanted.push(ask);
    const sameBytes = ask.bytes <= bytes && bytes < ask.bytes * WORTH_TELLING;
    if (
      sameBytes &&
      ask.offset === offset &&
      ask.lastFetchedEpoch === leaderEpoch &&
      ask.currentLeaderEpoch === currentLeaderEpoch
    )
      return true;
    ask.offset = offset;
    ask.lastFetchedEpoch = leaderEpoch;
    ask.currentLeaderEpoch = currentLeaderEpoch;
    if (!sameBytes) ask.bytes = bytes;
    this.news.push(ask);
    return true;
  }

  /** What to send for all that was wanted: the partitions to name, and the session's part of the request. The poll is under way. */
  plan(): { readonly named: readonly Ask[]; readonly session: SessionPart } {
    const { round, held, wanted, id, epoch } = this;
    this.round = round + 1;
    const gone = held.filter((ask) => ask.round <= round && this.isHeld(ask));
    for (const ask of gone) this.leave(ask);
    const isFull = epoch === INITIAL_EPOCH;
    const named = isFull ? wanted : this.news;
    this.held = wanted;
    this.asks = wanted;
    this.complete = isFull;
    this.wanted = [];
    this.news = [];
    this.busy = true;
    return { named, session: { sessionId: id, sessionEpoch: epoch, forgotten: isFull ? [] : gone } };
  }

  find(topic: string, topicId: string, partition: number): SessionAsk | undefined {
    return (this.topics.get(topicId) ?? this.topics.get(topic))?.get(partition);
  }

  /** The poll was answered without an error. */
  answered(sessionId: number): void {
    this.busy = false;
    if (this.complete) {
      this.id = sessionId;
      this.epoch = sessionId === 0 ? INITIAL_EPOCH : 1;
    } else if (sessionId === this.id) this.epoch = this.epoch === LARGEST_EPOCH ? 1 : this.epoch + 1;
    else this.restart(sessionId);
  }

  /** The poll failed: what the broker remembers is not known any more, and the next poll opens a session anew. */
  failed(errorCode?: number): void {
    this.busy = false;
    this.restart(errorCode === ERRORS.FETCH_SESSION_ID_NOT_FOUND ? 0 : this.id);
  }

  /** The session's part of the request that closes it. */
  closing(): SessionPart {
    return { sessionId: this.id, sessionEpoch: FINAL_EPOCH, forgotten: [] };
  }

  private restart(sessionId: number): void {
    this.id = sessionId;
    this.epoch = INITIAL_EPOCH;
  }

  /** False once another reader of the partition took its place: the broker is told of that one only. */
  private isHeld(ask: SessionAsk): boolean {
    return this.find('', ask.reader.topicId, ask.reader.partition) === ask;
  }

  private enter(ask: SessionAsk): void {
    const { topic, topicId, partition } = ask.reader;
    let partitions = this.topics.get(topicId);
    if (partitions === undefined) {
      partitions = new Map();
      this.topics.set(topicId, partitions);
    }
    this.topics.set(topic, partitions);
    partitions.set(partition, ask);
  }

  private leave({ reader: { topic, topicId, partition } }: SessionAsk): void {
    const partitions = this.topics.get(topicId);
    partitions?.delete(partition);
    if (partitions === undefined || partitions.size > 0) return;
    this.topics.delete(topicId);
    if (this.topics.get(topic) === partitions) this.topics.delete(topic);
  }
}
