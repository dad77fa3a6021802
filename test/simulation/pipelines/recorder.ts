// Writes a history while it happens.
import type { HistoryEvent } from './history.ts';

type Untimed<E> = E extends { readonly atMs: number } ? Omit<E, 'atMs'> : never;

export class Recorder {
  readonly events: HistoryEvent[] = [];
  private readonly now: () => number;
  private tokens = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  add(event: Untimed<HistoryEvent>): void {
    this.events.push({ atMs: Math.round(this.now() * 1000) / 1000, ...event });
  }

  token(): number {
    return ++this.tokens;
  }
}
