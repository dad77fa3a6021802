// One request, from its writing to its end, for those who listen. Made only when somebody does.

import type { Clock } from '../clock.ts';
import { requestEvents } from '../events/channels.ts';
import type { RequestPlace } from '../events/network-events.ts';

/** Publishes what becomes of one request. */
export class RequestTrace {
  private readonly place: RequestPlace;
  private readonly clock: Clock;
  private readonly sentAt: number;

  constructor(place: RequestPlace, clock: Clock) {
    this.place = place;
    this.clock = clock;
    this.sentAt = clock.now();
    requestEvents.publish({ ...place, kind: 'sent' });
  }

  answered(responseBytes: number, throttleTimeMs: number): void {
    const { place, durationMs } = this;
    requestEvents.publish({ ...place, kind: 'answered', responseBytes, durationMs, throttleTimeMs });
  }

  failed(error: unknown): void {
    const { place, durationMs } = this;
    requestEvents.publish({ ...place, kind: 'failed', durationMs, error });
  }

  abandoned(): void {
    const { place, durationMs } = this;
    requestEvents.publish({ ...place, kind: 'abandoned', durationMs });
  }

  private get durationMs(): number {
    return this.clock.now() - this.sentAt;
  }
}
