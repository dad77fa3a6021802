// Who may hand over what, and what a claim leaves behind.
import { claimKey, claimName, placeOf } from '../history/event.ts';
import type { Event, EventOf } from '../history/event.ts';
import { Findings } from '../history/violation.ts';
import type { Violation } from '../history/violation.ts';

/** `unassigned-poll` (Kafka's): a record of a partition that was not the member's, or not any more. */
export function unassignedPoll(events: readonly Event[]): Violation[] {
  const findings = new Findings('unassigned-poll');
  const open = new Set<string>();
  const ended = new Map<string, number>();
  for (const [index, event] of events.entries()) {
    switch (event.kind) {
      case 'assigned':
        open.add(claimKey(event));
        break;
      case 'revoking':
      case 'revoked':
      case 'lost':
        open.delete(claimKey(event));
        if (!ended.has(claimKey(event))) ended.set(claimKey(event), index);
        break;
      case 'polled':
        if (!open.has(claimKey(event)))
          findings.add(
            `${claimName(event)} is not open, and is given ${event.offset}`,
            ended.get(claimKey(event)),
            index,
          );
        break;
    }
  }
  return findings.all;
}

/** `double-claim`: a member has two claims of one partition at once, or counts their epochs backwards. */
export function doubleClaim(events: readonly Event[]): Violation[] {
  const findings = new Findings('double-claim');
  const open = new Map<string, EventOf<'assigned'>>();
  const newest = new Map<string, number>();
  for (const [index, event] of events.entries()) {
    if (event.kind !== 'assigned' && event.kind !== 'revoked' && event.kind !== 'lost') continue;
    const key = `${event.process}|${event.group}|${placeOf(event)}`;
    if (event.kind !== 'assigned') {
      open.delete(key);
      continue;
    }
    const before = open.get(key);
    if (before !== undefined)
      findings.add(`${claimName(event)} begins while epoch ${before.epoch} is open`, index);
    if (event.epoch <= (newest.get(key) ?? -Infinity))
      findings.add(`${claimName(event)} begins after epoch ${newest.get(key)!}`, index);
    open.set(key, event);
    newest.set(key, event.epoch);
  }
  return findings.all;
}

/** `paused-poll`: a record of a claim that is paused. */
export function pausedPoll(events: readonly Event[]): Violation[] {
  const findings = new Findings('paused-poll');
  const paused = new Map<string, number>();
  for (const [index, event] of events.entries()) {
    if (event.kind === 'paused') paused.set(claimKey(event), index);
    else if (event.kind === 'resumed') paused.delete(claimKey(event));
    else if (event.kind === 'polled') {
      const since = paused.get(claimKey(event));
      if (since !== undefined)
        findings.add(`${claimName(event)} is paused, and is given ${event.offset}`, since, index);
    }
  }
  return findings.all;
}

/** `drained-leaves` (ours): a claim is given away in order while something of it is under way; what is held on purpose may stay. */
export function drainedLeaves(events: readonly Event[]): Violation[] {
  const findings = new Findings('drained-leaves');
  const underWay = new Map<string, Map<number, number>>();
  for (const [index, event] of events.entries()) {
    switch (event.kind) {
      case 'assigned':
        underWay.set(claimKey(event), new Map());
        break;
      case 'polled':
        underWay.get(claimKey(event))?.set(event.offset, index);
        break;
      case 'settled':
      case 'held':
        underWay.get(claimKey(event))?.delete(event.offset);
        break;
      case 'lost':
        // By a rewind, at the end of which the member may leave; what was under way is given up then.
        underWay.delete(claimKey(event));
        break;
      case 'revoked': {
        const left = underWay.get(claimKey(event));
        const first = left?.entries().next().value;
        if (left !== undefined && first !== undefined)
          findings.add(
            `${claimName(event)} is given away with ${left.size} under way, the first at ${first[0]}`,
            first[1],
            index,
          );
        break;
      }
    }
  }
  return findings.all;
}

/** `drained-uncommitted` (ours): a member says that all is committed, and the group's log has less. */
export function drainedUncommitted(events: readonly Event[]): Violation[] {
  const findings = new Findings('drained-uncommitted');
  const committed = new Map<string, number>();
  for (const [index, event] of events.entries()) {
    if (event.kind === 'committed') committed.set(`${event.group}|${placeOf(event)}`, event.offset);
    if (event.kind !== 'drained' || !event.isCommitted) continue;
    for (const point of event.points) {
      const has = committed.get(`${event.group}|${placeOf(point)}`) ?? 0;
      if (has < point.commitPoint)
        findings.add(
          `${event.process} says that ${placeOf(point)} is committed to ${point.commitPoint}; the group has ${has}`,
          index,
        );
    }
  }
  return findings.all;
}

/**
 * `lost-claim-append` (ours): a record made by a claim is in the log, and the claim was lost before the record's batch was made ready. What was sent
 * before the loss may arrive after it; so the moment that counts is `sealed`, when the product asks for the last time.
 */
export function lostClaimAppend(events: readonly Event[]): Violation[] {
  const findings = new Findings('lost-claim-append');
  const lost = new Map<string, number>();
  const from = new Map<string, string>();
  const sealed = new Map<string, number>();
  const withdrawn = new Map<string, number>();
  for (const [index, event] of events.entries()) {
    switch (event.kind) {
      case 'invoked':
        if (event.from !== undefined) from.set(event.send, claimKey(event.from));
        break;
      case 'lost':
        lost.set(claimKey(event), index);
        break;
      case 'sealed':
        sealed.set(event.send, index);
        break;
      case 'withdrawn':
        withdrawn.set(event.send, index);
        break;
      case 'appended': {
        const claim = from.get(event.send);
        if (claim === undefined) break;
        const sealedAt = sealed.get(event.send);
        const lostAt = lost.get(claim);
        if (withdrawn.has(event.send))
          findings.add(`${event.send} was withdrawn and is in the log`, withdrawn.get(event.send), index);
        else if (sealedAt === undefined)
          findings.add(
            `${event.send} of a claim is in the log, and nobody asked whether its claim is lost`,
            index,
          );
        else if (lostAt !== undefined && lostAt < sealedAt)
          findings.add(`${event.send} was sent for a claim that was lost`, lostAt, sealedAt, index);
        break;
      }
    }
  }
  return findings.all;
}
