// A producer's records are in the log in the order in which they were sent.
import { placeOf } from '../history/event.ts';
import type { Event } from '../history/event.ts';
import { Findings } from '../history/violation.ts';
import type { Violation } from '../history/violation.ts';

interface Acked {
  readonly order: number;
  readonly offset: number;
  readonly send: string;
  readonly index: number;
}

function outOfOrder(
  events: readonly Event[],
  name: string,
  laneOf: (process: string, txn: string | undefined) => string | undefined,
): Violation[] {
  const findings = new Findings(name);
  const invoked = new Map<string, { readonly order: number; readonly lane: string | undefined }>();
  const lanes = new Map<string, Acked[]>();
  for (const [index, event] of events.entries()) {
    if (event.kind === 'invoked') {
      const lane = event.mayRepeat === true ? undefined : laneOf(event.process, event.txn);
      invoked.set(event.send, { order: index, lane });
    }
    if (event.kind !== 'ok' || event.offset < 0) continue;
    const sent = invoked.get(event.send);
    if (sent?.lane === undefined) continue;
    const key = `${sent.lane}|${placeOf(event)}`;
    const acked = { order: sent.order, offset: event.offset, send: event.send, index };
    const lane = lanes.get(key);
    if (lane === undefined) lanes.set(key, [acked]);
    else lane.push(acked);
  }
  for (const acks of lanes.values()) {
    acks.sort((a, b) => a.order - b.order);
    for (let at = 1; at < acks.length; at++) {
      const before = acks[at - 1]!;
      const after = acks[at]!;
      if (after.offset <= before.offset)
        findings.add(
          `${before.send} was sent before ${after.send}, and is at ${before.offset}, the later one at ${after.offset}`,
          before.order,
          after.order,
          before.index,
          after.index,
        );
    }
  }
  return findings.all;
}

/** `nonmonotonic-send`: of two acknowledged records of one producer for one partition the later has the smaller offset. */
export function nonmonotonicSend(events: readonly Event[]): Violation[] {
  return outOfOrder(events, 'nonmonotonic-send', (process) => process);
}

/** `int-nonmonotonic-send`: the same inside one transaction. Gaps between them (`int-send-skip`) are allowed: others write as well. */
export function internalNonmonotonicSend(events: readonly Event[]): Violation[] {
  return outOfOrder(events, 'int-nonmonotonic-send', (_, txn) => txn);
}
