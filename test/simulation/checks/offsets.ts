// One offset, one value; one value, one offset.
import { placeOf } from '../history/event.ts';
import type { Event } from '../history/event.ts';
import { Findings } from '../history/violation.ts';
import type { Violation } from '../history/violation.ts';

interface Seen {
  readonly send: string;
  readonly index: number;
}

/**
 * `inconsistent-offsets`: an offset was seen with two values, by whoever: an acknowledgement, a reader, the log. What a log lost before it was
 * replicated may have its offset used again; what was acknowledged or handed over may not, for that must have been replicated.
 */
export function inconsistentOffsets(events: readonly Event[]): Violation[] {
  const findings = new Findings('inconsistent-offsets');
  const told = new Map<string, Seen>();
  const logged = new Map<string, Seen>();
  for (const [index, event] of events.entries()) {
    if (event.kind === 'truncated') {
      const prefix = `${placeOf(event)}@`;
      for (const key of logged.keys()) {
        if (key.startsWith(prefix) && Number(key.slice(prefix.length)) >= event.to) logged.delete(key);
      }
      continue;
    }
    const isLog = event.kind === 'appended';
    if (!isLog && event.kind !== 'ok' && event.kind !== 'polled' && event.kind !== 'final') continue;
    if (event.offset < 0) continue;
    const key = `${placeOf(event)}@${event.offset}`;
    for (const before of [told.get(key), logged.get(key)]) {
      if (before !== undefined && before.send !== event.send)
        findings.add(`${key} is ${before.send}, and ${event.send}`, before.index, index);
    }
    const into = isLog ? logged : told;
    if (!into.has(key)) into.set(key, { send: event.send, index });
  }
  return findings.all;
}

/** `duplicate`: an idempotent producer's record is in the log, or was read, at two offsets. */
export function duplicate(events: readonly Event[]): Violation[] {
  const findings = new Findings('duplicate');
  const repeatable = new Set<string>();
  const places = new Map<string, { readonly key: string; readonly index: number }>();
  for (const [index, event] of events.entries()) {
    if (event.kind === 'invoked' && event.mayRepeat === true) repeatable.add(event.send);
    if (event.kind === 'truncated') {
      const prefix = `${placeOf(event)}@`;
      for (const [send, { key }] of places) {
        if (key.startsWith(prefix) && Number(key.slice(prefix.length)) >= event.to) places.delete(send);
      }
    }
    if (event.kind !== 'appended' && event.kind !== 'polled' && event.kind !== 'final') continue;
    if (repeatable.has(event.send)) continue;
    const key = `${placeOf(event)}@${event.offset}`;
    const before = places.get(event.send);
    if (before === undefined) places.set(event.send, { key, index });
    else if (before.key !== key)
      findings.add(`${event.send} is at ${before.key} and at ${key}`, before.index, index);
  }
  return findings.all;
}
