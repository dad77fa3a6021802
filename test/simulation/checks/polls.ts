// A reader is given every record it may see, in order, once.
import { claimKey, claimName, placeOf } from '../history/event.ts';
import type { Event, EventOf, Isolation } from '../history/event.ts';
import { Findings } from '../history/violation.ts';
import type { Violation } from '../history/violation.ts';
import { LogView } from './log-view.ts';

interface Lane {
  readonly isolation: Isolation;
  /** The first offset that may come next. */
  next: number;
  /** Nothing is known of where it begins. */
  isOpen: boolean;
  last: number | undefined;
}

type Visit = (event: EventOf<'polled'>, index: number, lane: Lane) => void;

/**
 * Follows each claim through its records. A claim begins anew when it is assigned, and after a seek; nothing is asked of what lies between two claims,
 * for a rebalance may bring records again.
 */
function follow(events: readonly Event[], visit: Visit): void {
  const lanes = new Map<string, Lane>();
  for (const [index, event] of events.entries()) {
    switch (event.kind) {
      case 'assigned':
        lanes.set(claimKey(event), {
          isolation: event.isolation,
          next: event.start,
          isOpen: false,
          last: undefined,
        });
        break;
      case 'sought': {
        const lane = lanes.get(claimKey(event));
        if (lane === undefined) break;
        lane.next = event.offset;
        lane.last = undefined;
        break;
      }
      case 'polled': {
        const lane = lanes.get(claimKey(event));
        if (lane === undefined) break;
        visit(event, index, lane);
        lane.next = event.offset + 1;
        lane.last = event.offset;
        break;
      }
    }
  }
}

/** Follows the reads inside each transaction, whichever claim they are of. */
function followTransactions(events: readonly Event[], visit: Visit): void {
  const isolations = new Map<string, Isolation>();
  const lanes = new Map<string, Lane>();
  for (const [index, event] of events.entries()) {
    if (event.kind === 'assigned') isolations.set(claimKey(event), event.isolation);
    if (event.kind === 'sought') {
      for (const key of lanes.keys()) if (key.endsWith(`|${placeOf(event)}`)) lanes.delete(key);
    }
    if (event.kind !== 'polled' || event.txn === undefined) continue;
    const key = `${event.txn}|${placeOf(event)}`;
    let lane = lanes.get(key);
    if (lane === undefined) {
      const isolation = isolations.get(claimKey(event)) ?? 'read_uncommitted';
      lane = { isolation, next: event.offset, isOpen: true, last: undefined };
      lanes.set(key, lane);
    }
    visit(event, index, lane);
    lane.next = event.offset + 1;
    lane.last = event.offset;
  }
}

/**
 * The log is the one that stood in the end. A record truncated away was never visible, and one deleted is no longer asked for; a transaction open in the
 * end decides nothing, since a reader of committed records cannot be past it.
 */
function skips(events: readonly Event[], name: string, walk: typeof follow): Violation[] {
  const findings = new Findings(name);
  const log = new LogView(events);
  walk(events, (event, index, { next, isolation }) => {
    const skipped = log.of(placeOf(event)).visible(next, event.offset, isolation)[0];
    if (skipped !== undefined)
      findings.add(
        `${claimName(event)} is given ${event.offset} where ${skipped.offset} (${skipped.send}) comes next`,
        skipped.index,
        index,
      );
  });
  return findings.all;
}

function goingBack(events: readonly Event[], name: string, walk: typeof follow): Violation[] {
  const findings = new Findings(name);
  walk(events, (event, index, { next, last }) => {
    if (event.offset < next)
      findings.add(
        `${claimName(event)} is given ${event.offset} after ${last === undefined ? `it began at ${next}` : last}`,
        index,
      );
  });
  return findings.all;
}

/** `poll-skip`: a claim is given a record before one that comes earlier. */
export function pollSkip(events: readonly Event[]): Violation[] {
  return skips(events, 'poll-skip', follow);
}

/** `nonmonotonic-poll`: a claim is given a record again, or an earlier one. */
export function nonmonotonicPoll(events: readonly Event[]): Violation[] {
  return goingBack(events, 'nonmonotonic-poll', follow);
}

/** `int-poll-skip`: the same as poll-skip, inside one transaction, where not even a rebalance excuses it. */
export function internalPollSkip(events: readonly Event[]): Violation[] {
  return skips(events, 'int-poll-skip', followTransactions);
}

/** `int-nonmonotonic-poll`: the same as nonmonotonic-poll, inside one transaction. */
export function internalNonmonotonicPoll(events: readonly Event[]): Violation[] {
  return goingBack(events, 'int-nonmonotonic-poll', followTransactions);
}
