// What a consumer may have under way, and in memory.
import { claimKey, claimName } from '../history/event.ts';
import type { CreditLimits, Event } from '../history/event.ts';
import { Findings } from '../history/violation.ts';
import type { Violation } from '../history/violation.ts';

interface Handed {
  readonly offset: number;
  readonly bytes: number;
  isHeld: boolean;
  isSettled: boolean;
}

interface Claim {
  readonly credit: CreditLimits;
  /** Records from the first unsettled one on, in order of handing over; after a seek the same offset may be among them twice. */
  readonly span: Handed[];
  records: number;
  bytes: number;
}

/**
 * `credit-exceeded` (ours): a record is handed over without room for it: as many in flight as there may be, as many bytes, or as large a span. A record is
 * let in while there is any room, so the last one may go beyond the bytes.
 */
export function creditExceeded(events: readonly Event[]): Violation[] {
  const findings = new Findings('credit-exceeded');
  const claims = new Map<string, Claim>();
  for (const [index, event] of events.entries()) {
    if (event.kind === 'assigned') {
      claims.set(claimKey(event), { credit: event.credit, span: [], records: 0, bytes: 0 });
      continue;
    }
    if (event.kind !== 'polled' && event.kind !== 'settled' && event.kind !== 'held') continue;
    const claim = claims.get(claimKey(event));
    if (claim === undefined) continue;
    const { credit, span, records, bytes } = claim;
    if (event.kind === 'polled') {
      const where = `${claimName(event)} is given ${event.offset}`;
      if (records >= credit.records)
        findings.add(`${where} with ${records} records in flight of ${credit.records}`, index);
      if (bytes >= credit.bytes)
        findings.add(`${where} with ${bytes} bytes in flight of ${credit.bytes}`, index);
      if (span.length >= credit.span)
        findings.add(`${where} at a span of ${span.length} of ${credit.span}`, index);
      span.push({ offset: event.offset, bytes: event.bytes, isHeld: false, isSettled: false });
      claim.records += 1;
      claim.bytes += event.bytes;
      continue;
    }
    const settles = event.kind === 'settled';
    const one = span.find(
      ({ offset, isHeld, isSettled }) => offset === event.offset && !isSettled && (settles || !isHeld),
    );
    if (one === undefined) continue;
    if (!one.isHeld) {
      claim.records -= 1;
      claim.bytes -= one.bytes;
    }
    one.isHeld = true;
    one.isSettled = settles;
    while (span[0]?.isSettled === true) span.shift();
  }
  return findings.all;
}

/** `memory-exceeded` (ours): a consumer holds more fetched bytes than its bound. */
export function memoryExceeded(events: readonly Event[]): Violation[] {
  const findings = new Findings('memory-exceeded');
  for (const [index, event] of events.entries()) {
    if (event.kind === 'memory' && event.usedBytes > event.boundBytes)
      findings.add(
        `${event.process} holds ${event.usedBytes} bytes; its bound is ${event.boundBytes}`,
        index,
      );
  }
  return findings.all;
}
