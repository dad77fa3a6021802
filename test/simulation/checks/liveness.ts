// What is not broken gets on.
import { placeOf } from '../history/event.ts';
import type { Event } from '../history/event.ts';
import { Findings } from '../history/violation.ts';
import type { Violation } from '../history/violation.ts';

export const STUCK_MS = 30_000;

interface Standstill {
  committed: number;
  sinceMs: number;
  sinceIndex: number;
}

/** `stuck-partition`: a group has records left of a partition, the cluster is well, and for 30 s none of them was handed over or committed. */
export function stuckPartition(events: readonly Event[]): Violation[] {
  const findings = new Findings('stuck-partition');
  const still = new Map<string, Standstill>();
  for (const [index, event] of events.entries()) {
    if (event.kind === 'polled') {
      const one = still.get(`${event.group}|${placeOf(event)}`);
      if (one !== undefined) {
        one.sinceMs = event.atMs;
        one.sinceIndex = index;
      }
    }
    if (event.kind !== 'progress') continue;
    const key = `${event.group}|${placeOf(event)}`;
    const before = still.get(key);
    if (
      before === undefined ||
      !event.well ||
      event.end <= event.committed ||
      event.committed !== before.committed
    ) {
      still.set(key, { committed: event.committed, sinceMs: event.atMs, sinceIndex: index });
      continue;
    }
    if (event.atMs - before.sinceMs < STUCK_MS) continue;
    findings.add(
      `${key} ends at ${event.end}, ${event.committed} is committed, and nothing has moved for ${Math.round(event.atMs - before.sinceMs)} ms`,
      before.sinceIndex,
      index,
    );
    before.sinceMs = event.atMs;
  }
  return findings.all;
}

/** `stuck-send`: a send has no result in the end, and its producer did not crash. */
export function stuckSend(events: readonly Event[]): Violation[] {
  const findings = new Findings('stuck-send');
  const open = new Map<string, { readonly process: string; readonly index: number }>();
  let ends = false;
  for (const [index, event] of events.entries()) {
    switch (event.kind) {
      case 'invoked':
        open.set(event.send, { process: event.process, index });
        break;
      case 'ok':
      case 'failed':
      case 'unknown':
      case 'withdrawn':
        open.delete(event.send);
        break;
      case 'crashed':
        for (const [send, { process }] of open) if (process === event.process) open.delete(send);
        break;
      case 'end':
        ends = true;
        break;
    }
  }
  if (ends) for (const [send, { index }] of open) findings.add(`${send} was never answered`, index);
  return findings.all;
}

/** What a producer says that learns that a topic is another one by now. */
const MADE_AGAIN = /was deleted and created again/;

/** A topic that was made again, and what producers know of it. */
interface Recreation {
  readonly index: number;
  readonly byName: boolean;
  /** Those with a result since. */
  readonly answered: Set<string>;
  /** Since when they are sure to know. */
  readonly knows: Map<string, number>;
}

/**
 * `failed-when-well`: a record that was sent when nothing was broken any more is not acknowledged: something that went wrong before is still in its way. A
 * producer learns from the first result that a topic was made again, or, where topics are written to by name, only from a failure; what it sent to the one
 * before may fail. A record that nobody answered, or that was refused without asking, tells it nothing: one that learns of it later may say so then, once.
 */
export function failedWhenWell(events: readonly Event[]): Violation[] {
  const findings = new Findings('failed-when-well');
  const sent = new Map<string, number>();
  const sends = new Map<string, { readonly topic: string; readonly index: number }>();
  const recreations = new Map<string, Recreation>();
  let isWell = false;
  for (const [index, event] of events.entries()) {
    if (event.kind === 'recreated') {
      const { topic, byName = recreations.get(topic)?.byName ?? false } = event;
      recreations.set(topic, { index, byName, answered: new Set(), knows: new Map() });
    } else if (event.kind === 'progress') isWell = event.well;
    else if (event.kind === 'invoked') {
      sends.set(event.send, { topic: event.topic, index });
      if (!isWell || event.from !== undefined) continue;
      if (recreations.get(event.topic)?.answered.has(event.process) !== false) sent.set(event.send, index);
    } else if (event.kind === 'ok') {
      const send = sends.get(event.send);
      const recreation = recreations.get(send?.topic ?? '');
      if (recreation === undefined || recreation.byName) continue;
      recreation.answered.add(event.process);
      if (send!.index > recreation.index && !recreation.knows.has(event.process))
        recreation.knows.set(event.process, index);
    } else if (event.kind === 'failed' || event.kind === 'unknown') {
      const recreation = recreations.get(sends.get(event.send)?.topic ?? '');
      const learns = recreation !== undefined && MADE_AGAIN.test(event.error);
      recreation?.answered.add(event.process);
      if (learns && !recreation.knows.has(event.process)) recreation.knows.set(event.process, index);
      const at = sent.get(event.send);
      if (at === undefined || (learns && recreation.knows.get(event.process)! > at)) continue;
      findings.add(`${event.send} was sent when all was well: ${event.error}`, at, index);
    }
  }
  return findings.all;
}

/** How long after the mending each group's partition had nothing left, in milliseconds; Infinity for one that did not get there. */
export function recoveryTimes(events: readonly Event[]): number[] {
  const done = new Map<string, number>();
  let mendedMs: number | undefined;
  for (const event of events) {
    if (event.kind === 'mended') mendedMs = event.atMs;
    if (event.kind !== 'progress' || mendedMs === undefined) continue;
    const key = `${event.group}|${placeOf(event)}`;
    if (event.committed < event.end) done.set(key, Infinity);
    else if ((done.get(key) ?? Infinity) === Infinity) done.set(key, event.atMs - mendedMs);
  }
  return [...done.values()];
}

/** `slow-recovery`: a group has not caught up within two minutes after everything was mended, and the time that the work takes that was left then. */
export function slowRecovery(events: readonly Event[]): Violation[] {
  const findings = new Findings('slow-recovery');
  const mended = events.findLast((event) => event.kind === 'mended');
  const last = events.at(-1);
  if (mended === undefined || last === undefined) return [];
  const limitMs = RECOVERY_MS + (mended.workMs ?? 0);
  if (last.atMs - mended.atMs < limitMs) return [];
  for (const ms of recoveryTimes(events))
    if (ms > limitMs) findings.add(`a partition had not caught up ${ms} ms after the mending`);
  return findings.all;
}

const RECOVERY_MS = 120_000;
