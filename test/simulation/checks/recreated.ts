// A topic that was deleted and made again is another one: what happened to its predecessor says nothing of it.
import { claimKey } from '../history/event.ts';
import type { Event } from '../history/event.ts';

const OF_CLAIMS: ReadonlySet<Event['kind']> = new Set([
  'assigned',
  'revoking',
  'revoked',
  'lost',
  'polled',
  'settled',
  'held',
  'sought',
  'paused',
  'resumed',
]);

/**
 * The history without what concerns predecessors of topics: their records and sends, claims that began upon them, commits and acts of their time. Others
 * take the places of those events, so that indices stay.
 */
export function sinceRecreation(events: readonly Event[]): readonly Event[] {
  const since = new Map<string, number>();
  for (const [index, event] of events.entries())
    if (event.kind === 'recreated') since.set(event.topic, index);
  if (since.size === 0) return events;
  const isBefore = (topic: string, index: number): boolean => index < (since.get(topic) ?? -1);
  const { gone, again } = sendsOf(events, isBefore);
  const claims = new Set<string>();
  const owners = new Set<string>();
  return events.map((event, index): Event => {
    const none: Event = { atMs: event.atMs, kind: 'act', what: 'upon a topic that is no more' };
    if ('send' in event && gone.has(event.send)) return none;
    if (event.kind === 'assigned' && isBefore(event.topic, index)) {
      claims.add(claimKey(event));
      owners.add(`${event.process}|${event.topic}`);
    }
    if (OF_CLAIMS.has(event.kind) && 'epoch' in event && claims.has(claimKey(event))) return none;
    switch (event.kind) {
      case 'appended':
      case 'truncated':
      case 'deleted':
      case 'committed':
      case 'progress':
        return isBefore(event.topic, index) ? none : event;
      case 'ok':
        return isBefore(event.topic, index) && !again.has(event.send) ? none : event;
      case 'drained':
        return {
          ...event,
          points: event.points.filter(({ topic }) => !owners.has(`${event.process}|${topic}`)),
        };
      default:
        return event;
    }
  });
}

/** Sends that are in a predecessor and nowhere else; and those that were appended again, as a producer may that has no answer. */
function sendsOf(
  events: readonly Event[],
  isBefore: (topic: string, index: number) => boolean,
): { readonly gone: ReadonlySet<string>; readonly again: ReadonlySet<string> } {
  const before = new Set<string>();
  const after = new Set<string>();
  for (const [index, event] of events.entries()) {
    if (event.kind === 'appended') (isBefore(event.topic, index) ? before : after).add(event.send);
  }
  return {
    gone: new Set([...before].filter((send) => !after.has(send))),
    again: new Set([...before].filter((send) => after.has(send))),
  };
}
