// Writes a history while it happens.
import type { Event, Untimed } from './event.ts';

export class Recorder {
  readonly events: Event[] = [];
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  add(event: Untimed<Event>): void {
    this.events.push({ atMs: Math.round(this.now() * 1000) / 1000, ...event });
  }
}
