// What happened in a run of clients on a simulated cluster, as plain data: one JSON object a line, the input of every check, and byte for byte
// the same for the same seed. Seen from outside of the product: what was asked of it, what it told, and what the cluster has in its logs.

export interface OfPartition {
  readonly topic: string;
  readonly partition: number;
}

/** One claim epoch of one partition at one member; a reader without a group counts its own, under the group ''. */
export interface OfClaim extends OfPartition {
  readonly process: string;
  readonly group: string;
  readonly epoch: number;
}

export type Isolation = 'read_uncommitted' | 'read_committed';

export interface CreditLimits {
  readonly records: number;
  readonly bytes: number;
  readonly span: number;
}

/** Each record that is sent has a value of its own, `send`, by which it is followed. */
type Happening =
  | {
      readonly kind: 'invoked';
      readonly process: string;
      readonly send: string;
      readonly topic: string;
      /** The transaction it is a part of. */
      readonly txn?: string | undefined;
      /** The claim whose record it was made from. */
      readonly from?: OfClaim | undefined;
      /** Without idempotence it may be in the log more than once. */
      readonly mayRepeat?: boolean | undefined;
    }
  /** Acknowledged; `offset` -1 where the cluster does not say. */
  | ({
      readonly kind: 'ok';
      readonly process: string;
      readonly send: string;
      readonly offset: number;
    } & OfPartition)
  /** Certainly not in the log. */
  | { readonly kind: 'failed'; readonly process: string; readonly send: string; readonly error: string }
  /** Nobody can say: it may be in the log, now or later. A time-out is this, and never a failure. */
  | { readonly kind: 'unknown'; readonly process: string; readonly send: string; readonly error: string }
  /** Asked whether the record is withdrawn, right before its batch goes out for the first time, and told that it is not. */
  | { readonly kind: 'sealed'; readonly send: string }
  | { readonly kind: 'withdrawn'; readonly send: string }
  | { readonly kind: 'begun' | 'committing' | 'aborting'; readonly process: string; readonly txn: string }
  /** How a transaction ended, as far as its client was told. */
  | {
      readonly kind: 'ended';
      readonly process: string;
      readonly txn: string;
      readonly how: 'committed' | 'aborted' | 'unknown';
    }
  /** A record is in the cluster's log. */
  | ({
      readonly kind: 'appended';
      readonly client: string;
      readonly offset: number;
      readonly send: string;
      /** Of a transactional batch: whose next marker decides on it. */
      readonly producerId?: number | undefined;
    } & OfPartition)
  /** The marker of a transaction is in the log. */
  | ({
      readonly kind: 'marked';
      readonly offset: number;
      readonly producerId: number;
      readonly how: 'commit' | 'abort';
    } & OfPartition)
  /** The log lost what it had from `to` on: it was not replicated when its leader died. */
  | ({ readonly kind: 'truncated'; readonly to: number } & OfPartition)
  | ({ readonly kind: 'deleted'; readonly before: number } & OfPartition)
  /** The topic was deleted, and made again at once under its name; `byName`: the cluster is written to by names, so no answer tells of it. */
  | { readonly kind: 'recreated'; readonly topic: string; readonly byName?: true }
  /** The product hands over a partition. */
  | ({
      readonly kind: 'assigned';
      /** -1 without a group. */
      readonly generation: number;
      readonly start: number;
      readonly isolation: Isolation;
      readonly credit: CreditLimits;
    } & OfClaim)
  /** Nothing more comes of this claim; what is under way may still be settled. */
  | ({ readonly kind: 'revoking' } & OfClaim)
  /** Given away in order. */
  | ({ readonly kind: 'revoked' } & OfClaim)
  /** Over without a last commit. */
  | ({ readonly kind: 'lost' } & OfClaim)
  /** Handed over. */
  | ({
      readonly kind: 'polled';
      readonly offset: number;
      readonly send: string;
      readonly bytes: number;
      readonly txn?: string | undefined;
    } & OfClaim)
  | ({ readonly kind: 'settled'; readonly offset: number } & OfClaim)
  | ({ readonly kind: 'held'; readonly offset: number } & OfClaim)
  | ({ readonly kind: 'sought'; readonly offset: number } & OfClaim)
  | ({ readonly kind: 'paused' } & OfClaim)
  | ({ readonly kind: 'resumed' } & OfClaim)
  /** An offset is in the log of a group. */
  | ({
      readonly kind: 'committed';
      readonly process: string;
      readonly group: string;
      readonly generation: number;
      readonly offset: number;
    } & OfPartition)
  /** A member has stopped, and says how its partitions stood. */
  | {
      readonly kind: 'drained';
      readonly process: string;
      readonly group: string;
      readonly isCommitted: boolean;
      readonly unsettled: number;
      readonly points: readonly (OfPartition & { readonly commitPoint: number })[];
    }
  /** What a consumer holds in memory, and what it may. */
  | {
      readonly kind: 'memory';
      readonly process: string;
      readonly usedBytes: number;
      readonly boundBytes: number;
    }
  | { readonly kind: 'started' | 'crashed' | 'stopped' | 'continued'; readonly process: string }
  /** A fault, or an act upon the cluster. */
  | { readonly kind: 'act'; readonly what: string }
  /** Nothing is broken any more: from here on everything must come to its end. */
  | {
      readonly kind: 'mended';
      /** How long members work on what is left then, if the slowest of them has all of it. */
      readonly workMs?: number | undefined;
    }
  /** How far a group is, looked at now and then; `well`: nothing was broken for as long as a group needs to find itself again. */
  | ({
      readonly kind: 'progress';
      readonly group: string;
      readonly end: number;
      readonly committed: number;
      readonly well: boolean;
    } & OfPartition)
  /** What a fresh reader finds in the end. */
  | ({
      readonly kind: 'final';
      readonly isolation: Isolation;
      readonly offset: number;
      readonly send: string;
    } & OfPartition)
  /** The whole partition was read in the end. */
  | ({ readonly kind: 'end'; readonly start: number; readonly end: number } & OfPartition)
  /** Something that must not happen at all, seen by the player itself. */
  | { readonly kind: 'wrong'; readonly what: string };

export type Event = { readonly atMs: number } & Happening;
export type EventKind = Event['kind'];
export type EventOf<K extends EventKind> = Extract<Event, { kind: K }>;
/** An event whose time the recorder writes. */
export type Untimed<E> = E extends { readonly atMs: number } ? Omit<E, 'atMs'> : never;

/** `topic-partition`. */
export function placeOf({ topic, partition }: OfPartition): string {
  return `${topic}-${partition}`;
}

export function claimKey({ process, group, topic, partition, epoch }: OfClaim): string {
  return `${process}|${group}|${topic}-${partition}|${epoch}`;
}

/** A claim in words. */
export function claimName({ process, topic, partition, epoch }: OfClaim): string {
  return `claim epoch ${epoch} of ${topic}-${partition} at ${process}`;
}
