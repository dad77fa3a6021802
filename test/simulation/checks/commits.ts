// What a group commits.
import { placeOf } from '../history/event.ts';
import type { Event, Isolation } from '../history/event.ts';
import { Findings } from '../history/violation.ts';
import type { Violation } from '../history/violation.ts';
import { LogView } from './log-view.ts';

/** What one member did with one partition in one generation; rewinds stay in the generation. */
interface Term {
  readonly start: number;
  readonly isolation: Isolation;
  /** One past the largest offset handed over. */
  position: number;
  /** Some of the claim's records may come again, or were passed over at the user's wish. */
  wasSought: boolean;
  readonly polled: Map<number, number>;
  readonly settled: Set<number>;
}

const termKey = (process: string, group: string, place: string, generation: number): string =>
  `${process}|${group}|${place}|${generation}`;

/** Walks through the commits with what the committing member had been given and had settled by then. */
function eachCommit(
  events: readonly Event[],
  visit: (commit: Event & { kind: 'committed' }, index: number, term: Term | undefined) => void,
): void {
  const terms = new Map<string, Term>();
  const current = new Map<string, { readonly epoch: number; readonly term: Term }>();
  for (const [index, event] of events.entries()) {
    if (event.kind === 'committed') {
      visit(event, index, terms.get(termKey(event.process, event.group, placeOf(event), event.generation)));
      continue;
    }
    if (!('epoch' in event) || event.group === '') continue;
    const place = placeOf(event);
    const owner = `${event.process}|${event.group}|${place}`;
    if (event.kind === 'assigned') {
      const key = termKey(event.process, event.group, place, event.generation);
      let term = terms.get(key);
      const { start, isolation } = event;
      // A group that was empty and is made anew counts its generations from the start. `start-skip` sees to it that what lies between was committed.
      if (term === undefined || start > term.position) {
        term = { start, isolation, position: start, wasSought: false, polled: new Map(), settled: new Set() };
        terms.set(key, term);
      }
      current.set(owner, { epoch: event.epoch, term });
      continue;
    }
    const held = current.get(owner);
    // Settles of an earlier claim epoch count for nothing. Those of one that was lost count until the next one begins: a rewind waits for what is under
    // way, and after a real loss nothing is committed any more, which is checked by the generation.
    if (held?.epoch !== event.epoch) continue;
    const { term } = held;
    if (event.kind === 'polled') {
      term.position = Math.max(term.position, event.offset + 1);
      term.polled.set(event.offset, index);
      term.settled.delete(event.offset);
    } else if (event.kind === 'settled') term.settled.add(event.offset);
    else if (event.kind === 'sought') term.wasSought = true;
  }
}

/** `commit-beyond-position` (Kafka's: commit <= position): a commit covers a record that its member was not given. */
export function commitBeyondPosition(events: readonly Event[]): Violation[] {
  const findings = new Findings('commit-beyond-position');
  const log = new LogView(events);
  eachCommit(events, (commit, index, term) => {
    if (term === undefined || term.wasSought || commit.offset <= term.position) return;
    const missed = log.of(placeOf(commit)).visible(term.position, commit.offset, term.isolation)[0];
    if (missed !== undefined)
      findings.add(
        `${commit.process} commits ${commit.offset} of ${placeOf(commit)}, and was not given ${missed.offset} (${missed.send})`,
        missed.index,
        index,
      );
  });
  return findings.all;
}

/**
 * `commit-beyond-settled` (ours: commit point <= first unsettled): a commit covers a record whose processing was not over. One that is deleted from the log
 * nobody can read again: it does not hold a commit back.
 */
export function commitBeyondSettled(events: readonly Event[]): Violation[] {
  const findings = new Findings('commit-beyond-settled');
  const deleted = deletions(events);
  eachCommit(events, (commit, index, term) => {
    if (term === undefined) return;
    const first = deleted.before(placeOf(commit), index);
    for (const [offset, polledAt] of term.polled) {
      if (offset >= commit.offset || offset < first || term.settled.has(offset)) continue;
      findings.add(
        `${commit.process} commits ${commit.offset} of ${placeOf(commit)} while ${offset} is not settled`,
        polledAt,
        index,
      );
      break;
    }
  });
  return findings.all;
}

/** Where logs began after what was deleted of them. */
function deletions(events: readonly Event[]): { before(place: string, index: number): number } {
  const all = [...events.entries()].flatMap(([index, event]) =>
    event.kind === 'deleted' ? [{ index, place: placeOf(event), before: event.before }] : [],
  );
  return {
    before: (place, index) => all.findLast((one) => one.place === place && one.index < index)?.before ?? 0,
  };
}

/** `commit-unassigned` (Kafka's): a member commits a partition that it was not given in that generation. */
export function commitUnassigned(events: readonly Event[]): Violation[] {
  const findings = new Findings('commit-unassigned');
  eachCommit(events, (commit, index, term) => {
    if (term === undefined)
      findings.add(
        `${commit.process} commits ${commit.offset} of ${placeOf(commit)}, which generation ${commit.generation} did not give it`,
        index,
      );
  });
  return findings.all;
}

/** How long a member may take to repeat what a late commit has undone. */
const REPAIR_MS = 35_000;

interface GroupOffset {
  offset: number;
  /** Member and generation. */
  owner: string;
  generation: number;
  index: number;
  /** A late commit of the owner took it back from there. */
  back?: { readonly from: number; readonly atMs: number; readonly index: number } | undefined;
}

/**
 * `commit-regressed`: a group's offset goes back. Inside one generation of one member that may happen: a commit that was never answered may arrive behind a
 * later one, on another connection, which no client can prevent. It must repeat the later one then, for as long as the partition is its own. Any other
 * commit below what is in the log is a breach, and so is a claim that begins below it.
 */
export function commitRegressed(events: readonly Event[]): Violation[] {
  const findings = new Findings('commit-regressed');
  const offsets = new Map<string, GroupOffset>();
  for (const [index, event] of events.entries()) {
    if (event.kind === 'progress') {
      const back = offsets.get(`${event.group}|${placeOf(event)}`)?.back;
      if (back === undefined || event.atMs - back.atMs < REPAIR_MS) continue;
      findings.add(
        `${placeOf(event)} was committed to ${back.from}, then taken back, and it stays so`,
        back.index,
        index,
      );
      offsets.get(`${event.group}|${placeOf(event)}`)!.back = undefined;
    } else if (event.kind === 'crashed') {
      for (const one of offsets.values()) if (one.owner.startsWith(`${event.process}|`)) one.back = undefined;
    } else if (event.kind === 'lost' || event.kind === 'revoked') {
      const one = offsets.get(`${event.group}|${placeOf(event)}`);
      if (one?.owner.startsWith(`${event.process}|`) === true) one.back = undefined;
    }
    if (event.kind !== 'committed' && event.kind !== 'assigned') continue;
    if (event.group === '') continue;
    const key = `${event.group}|${placeOf(event)}`;
    const before = offsets.get(key);
    const offset = event.kind === 'committed' ? event.offset : event.start;
    const owner = `${event.process}|${event.generation}`;
    // A member that stood still may open a claim that it was given before the group went on without it: nothing it commits is taken.
    const isOvertaken =
      event.kind === 'assigned' && before !== undefined && event.generation < before.generation;
    if (
      before !== undefined &&
      offset < before.offset &&
      !isOvertaken &&
      (before.owner !== owner || event.kind === 'assigned')
    ) {
      const how = event.kind === 'committed' ? 'commits' : 'begins';
      findings.add(
        `${event.process} ${how} ${key} at ${offset}; ${before.offset} was committed before`,
        before.index,
        index,
      );
    }
    if (event.kind !== 'committed') continue;
    const from = before?.back?.from ?? before?.offset ?? 0;
    const back = offset < from ? (before?.back ?? { from, atMs: event.atMs, index }) : undefined;
    offsets.set(key, { offset, owner, generation: event.generation, index, back });
  }
  return findings.all;
}

/**
 * `start-skip`: a claim begins beyond the group's commit, or, without one, beyond the first record of the log. What a late commit of the same member
 * took back counts as committed: the claim may have asked for its start just before, and all below it is settled.
 */
export function startSkip(events: readonly Event[]): Violation[] {
  const findings = new Findings('start-skip');
  const log = new LogView(events);
  const committed = new Map<string, { readonly offset: number; readonly process: string }>();
  const settled = new Map<string, { generation: number; readonly offsets: Set<number> }>();
  for (const [index, event] of events.entries()) {
    if (event.kind === 'committed') {
      const key = `${event.group}|${placeOf(event)}`;
      const { process, offset } = event;
      const before = committed.get(key);
      const isLate = before?.process === process && offset < before.offset;
      if (!isLate) committed.set(key, { offset, process });
    } else if (event.kind === 'settled' && event.group !== '') {
      settled.get(`${event.process}|${event.group}|${placeOf(event)}`)?.offsets.add(event.offset);
    } else if (event.kind === 'assigned' && event.group !== '') {
      const owner = `${event.process}|${event.group}|${placeOf(event)}`;
      const before = settled.get(owner);
      // A rewind goes on at the first record that was not settled, committed or not.
      const own = before?.generation === event.generation ? before.offsets : new Set<number>();
      const from = committed.get(`${event.group}|${placeOf(event)}`)?.offset ?? 0;
      const skipped = log
        .of(placeOf(event))
        .visible(from, event.start, event.isolation)
        .find(({ offset }) => !own.has(offset));
      if (skipped !== undefined)
        findings.add(
          `${event.process} begins ${placeOf(event)} at ${event.start}; ${skipped.offset} (${skipped.send}) was neither committed nor settled`,
          skipped.index,
          index,
        );
      if (before?.generation !== event.generation)
        settled.set(owner, { generation: event.generation, offsets: new Set() });
    }
  }
  return findings.all;
}
