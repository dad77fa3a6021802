// What happened in one simulated run, as plain data: the input of the checker, and byte for byte the same for the same seed.

import type { Event } from '../history/event.ts';

/** One handing over of one record: the same offset handed over again, by another member or claim epoch, is another. */
export type HandingKey = string;

export function handingKey(member: string, source: string, epoch: number, offset: number): HandingKey {
  return `${member}|${source}|${epoch}|${offset}`;
}

/** The parts of a {@link HandingKey}. */
export function handingOf(key: HandingKey): {
  member: string;
  source: string;
  epoch: number;
  offset: number;
} {
  const [member, source, epoch, offset] = key.split('|');
  return { member: member!, source: source!, epoch: Number(epoch), offset: Number(offset) };
}

interface OfClaim {
  readonly member: string;
  /** `group:topic-partition`. */
  readonly source: string;
  readonly epoch: number;
}

/**
 * Values are followed as tokens: each is `made` from records, and `used` once for each of its shares by whatever ends its way (a function that made
 * other values of it, a filter that rejected it, a policy that skipped it, the end of the flow).
 */
export type HistoryEvent = { readonly atMs: number } &
  /** The group gave a partition to a member, which has asked for the commit before. */
  (
    | ({ readonly kind: 'claimed' } & OfClaim)
    /** A lane is opened, for a claim or for the claim epoch after a rewind. */
    | ({ readonly kind: 'begun'; readonly start: number } & OfClaim)
    | ({ readonly kind: 'ended'; readonly how: 'released' | 'lost' } & OfClaim)
    | ({ readonly kind: 'handed'; readonly offset: number } & OfClaim)
    | ({ readonly kind: 'acked'; readonly offset: number } & OfClaim)
    /** Refused, given up or held: it stays unsettled and is not waited for. */
    | ({ readonly kind: 'left'; readonly offset: number } & OfClaim)
    | {
        readonly kind: 'made';
        readonly token: number;
        readonly shares: number;
        readonly of: readonly HandingKey[];
        /** Where it comes out of a row: all that the row answers for. */
        readonly row?: readonly HandingKey[] | undefined;
        readonly at: string;
      }
    /** Values come out together, and from now on each of them answers for all. */
    | { readonly kind: 'gathered'; readonly tokens: readonly number[]; readonly at: string }
    | { readonly kind: 'used'; readonly token: number; readonly at: string }
    /** A policy chose the dead letter topic for it. */
    | { readonly kind: 'buried'; readonly token: number; readonly at: string }
    /** A sink was given the value; it may be given it again. */
    | { readonly kind: 'sent'; readonly token: number; readonly records: number; readonly at: string }
    /** The sink passed the value on. */
    | { readonly kind: 'passed'; readonly token: number; readonly at: string }
    /** The flow's last stage saw the value. */
    | { readonly kind: 'delivered'; readonly token: number }
    /** A sink's record is made ready for its first sending: from here on it may be written. */
    | { readonly kind: 'sealed'; readonly token: number; readonly at: string }
    | { readonly kind: 'appended'; readonly token: number; readonly index: number; readonly at: string }
    /** A dead letter is in its topic; `place` is `topic-partition` of the record it is about. */
    | { readonly kind: 'letter'; readonly place: string; readonly offset: number }
    | {
        readonly kind: 'committed';
        readonly member: string;
        readonly source: string;
        readonly generation: number;
        readonly offset: number;
      }
    | { readonly kind: 'crashed'; readonly member: string }
    /** The member's run ended; `error` is what it was rejected with. */
    | {
        readonly kind: 'ran';
        readonly member: string;
        readonly unsettled: number;
        readonly error?: string | undefined;
      }
    /** Nothing is broken any more: from here on everything must come to its end. */
    | { readonly kind: 'mended' }
    /** Something that must not happen at all, seen by the player itself. */
    | { readonly kind: 'wrong'; readonly what: string }
  );

/** An input partition at the end. */
export interface SourceEnd {
  readonly source: string;
  readonly endOffset: number;
  /** Records that do not decode. */
  readonly poison: readonly number[];
}

export interface History {
  readonly sources: readonly SourceEnd[];
  /** Records a claim may have unsettled. */
  readonly creditRecords: number;
  /** What order the values keep on their way from a claim to the end of the flow. */
  readonly order: 'input' | 'none';
  /** Values are made of several claims; then a sink keeps the order of one of them. */
  readonly mixesClaims: boolean;
  /** Records that do not decode go to the dead letter topic. */
  readonly buriesPoison: boolean;
  readonly events: readonly HistoryEvent[];
  /** What became of the records that the pipelines read, in the vocabulary of raw clients. */
  readonly writes: readonly Event[];
}
