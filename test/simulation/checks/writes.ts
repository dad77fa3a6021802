// What was acknowledged is there; what failed is not.
import { placeOf } from '../history/event.ts';
import type { Event, EventOf } from '../history/event.ts';
import { Findings } from '../history/violation.ts';
import type { Violation } from '../history/violation.ts';

interface Sends {
  readonly ok: Map<string, { readonly event: EventOf<'ok'>; readonly index: number }>;
  readonly failed: Map<string, number>;
  readonly invoked: Map<string, { readonly event: EventOf<'invoked'>; readonly index: number }>;
  /** Sends that somebody read. */
  readonly read: Set<string>;
  /** The largest offset read, by place. */
  readonly reach: Map<string, number>;
  /** Places that were read whole in the end, with what is left of them. */
  readonly ends: Map<string, EventOf<'end'>>;
  readonly aborted: Set<string>;
}

function sendsOf(events: readonly Event[]): Sends {
  const sends: Sends = {
    ok: new Map(),
    failed: new Map(),
    invoked: new Map(),
    read: new Set(),
    reach: new Map(),
    ends: new Map(),
    aborted: new Set(),
  };
  for (const [index, event] of events.entries()) {
    switch (event.kind) {
      case 'invoked':
        sends.invoked.set(event.send, { event, index });
        break;
      case 'ok':
        sends.ok.set(event.send, { event, index });
        break;
      case 'failed':
        sends.failed.set(event.send, index);
        break;
      case 'ended':
        if (event.how === 'aborted') sends.aborted.add(event.txn);
        break;
      case 'polled':
      case 'final': {
        sends.read.add(event.send);
        const place = placeOf(event);
        sends.reach.set(place, Math.max(event.offset, sends.reach.get(place) ?? -1));
        break;
      }
      case 'end':
        sends.ends.set(placeOf(event), event);
        break;
    }
  }
  return sends;
}

/** Acknowledged sends that nobody ever read; those in aborted transactions and those deleted since are none. */
function neverRead(sends: Sends): { readonly event: EventOf<'ok'>; readonly index: number }[] {
  return [...sends.ok.values()].filter(({ event }) => {
    const txn = sends.invoked.get(event.send)?.event.txn;
    if (txn !== undefined && sends.aborted.has(txn)) return false;
    const end = sends.ends.get(placeOf(event));
    return (
      !sends.read.has(event.send) && !(end !== undefined && event.offset >= 0 && event.offset < end.start)
    );
  });
}

/** `lost-write`: acknowledged, something behind it was read, and it itself never. */
export function lostWrite(events: readonly Event[]): Violation[] {
  const findings = new Findings('lost-write');
  const sends = sendsOf(events);
  for (const { event, index } of neverRead(sends)) {
    const reach = sends.reach.get(placeOf(event)) ?? -1;
    // Where the cluster does not say where it is, it may be anywhere.
    if (reach <= event.offset) continue;
    const at = event.offset < 0 ? '' : ` at ${event.offset}`;
    findings.add(
      `${event.send} was acknowledged${at} of ${placeOf(event)}; ${reach} was read, and it never`,
      sends.invoked.get(event.send)?.index,
      index,
    );
  }
  return findings.all;
}

/** `unseen`: acknowledged, and never read although the partition was read whole in the end. */
export function unseen(events: readonly Event[]): Violation[] {
  const findings = new Findings('unseen');
  const sends = sendsOf(events);
  for (const { event, index } of neverRead(sends)) {
    if (!sends.ends.has(placeOf(event))) continue;
    findings.add(`${event.send} was acknowledged, and is not in ${placeOf(event)}`, index);
  }
  return findings.all;
}

/**
 * `G1a`: somebody read what certainly failed, or, reading committed records only, what was aborted. `read_uncommitted` readers may see the latter.
 */
export function g1a(events: readonly Event[]): Violation[] {
  const findings = new Findings('G1a');
  const { failed, invoked, aborted } = sendsOf(events);
  const committedOnly = new Set<string>();
  for (const [index, event] of events.entries()) {
    if (event.kind === 'assigned' && event.isolation === 'read_committed')
      committedOnly.add(`${event.process}|${event.group}`);
    if (event.kind !== 'polled' && event.kind !== 'final') continue;
    const failure = failed.get(event.send);
    if (failure !== undefined)
      findings.add(`${event.send} failed and is at ${placeOf(event)}@${event.offset}`, failure, index);
    const txn = invoked.get(event.send)?.event.txn;
    const isStrict =
      event.kind === 'final'
        ? event.isolation === 'read_committed'
        : committedOnly.has(`${event.process}|${event.group}`);
    if (txn !== undefined && aborted.has(txn) && isStrict)
      findings.add(`${event.send} of the aborted transaction ${txn} was read as committed`, index);
  }
  return findings.all;
}

/** `precommitted-read`: a reader of committed records read one whose transaction nobody had begun to commit, its own included. */
export function precommittedRead(events: readonly Event[]): Violation[] {
  const findings = new Findings('precommitted-read');
  const txnOf = new Map<string, string>();
  const decided = new Set<string>();
  const committedOnly = new Set<string>();
  for (const [index, event] of events.entries()) {
    switch (event.kind) {
      case 'invoked':
        if (event.txn !== undefined) txnOf.set(event.send, event.txn);
        break;
      case 'committing':
        decided.add(event.txn);
        break;
      case 'assigned':
        if (event.isolation === 'read_committed') committedOnly.add(`${event.process}|${event.group}`);
        break;
      case 'polled': {
        const txn = txnOf.get(event.send);
        if (txn === undefined || decided.has(txn) || !committedOnly.has(`${event.process}|${event.group}`))
          break;
        findings.add(`${event.send} of ${txn} was read before its transaction was committed`, index);
        break;
      }
    }
  }
  return findings.all;
}

/** `garbage`: somebody read what nobody sent. */
export function garbage(events: readonly Event[]): Violation[] {
  const findings = new Findings('garbage');
  const sent = new Set<string>();
  for (const [index, event] of events.entries()) {
    if (event.kind === 'invoked') sent.add(event.send);
    else if ((event.kind === 'polled' || event.kind === 'final') && !sent.has(event.send))
      findings.add(`${placeOf(event)}@${event.offset} is ${event.send}, which nobody sent`, index);
  }
  return findings.all;
}

/** `torn-transaction`: of a transaction's acknowledged records, a last reader of committed records finds some, and not the others; or none although it is committed. */
export function tornTransaction(events: readonly Event[]): Violation[] {
  const findings = new Findings('torn-transaction');
  const { ok, invoked, ends } = sendsOf(events);
  const read = new Set<string>();
  const committed = new Set<string>();
  for (const event of events) {
    if (event.kind === 'final' && event.isolation === 'read_committed') read.add(event.send);
    if (event.kind === 'ended' && event.how === 'committed') committed.add(event.txn);
  }
  const seen = new Map<string, string>();
  const missed = new Map<string, { readonly send: string; readonly index: number }>();
  for (const [send, { event, index }] of ok) {
    const txn = invoked.get(send)?.event.txn;
    const end = ends.get(placeOf(event));
    if (txn === undefined || end === undefined || (event.offset >= 0 && event.offset < end.start)) continue;
    if (read.has(send)) seen.set(txn, send);
    else missed.set(txn, { send, index });
  }
  for (const [txn, { send, index }] of missed) {
    const other = seen.get(txn);
    if (other !== undefined) findings.add(`${txn}: ${other} is read as committed, ${send} is not`, index);
    else if (committed.has(txn)) findings.add(`${txn} is committed, and ${send} is not read`, index);
  }
  return findings.all;
}
