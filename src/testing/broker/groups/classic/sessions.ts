import type { Clock } from '../../../../core/clock.ts';
import type { ClassicMember } from './classic-member.ts';

/** The session timers of a classic group's members. */
export class Sessions {
  readonly #clock: Clock;
  readonly #onExpired: (member: ClassicMember) => void;

  constructor(clock: Clock, onExpired: (member: ClassicMember) => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
  }

  /** The member was heard of: its session starts anew, for its own timeout unless told otherwise. */
  keepAlive(member: ClassicMember, timeoutMs = member.sessionTimeoutMs): void {
    member.session?.cancel();
    member.session = this.#clock.setTimeout(() => {
      // A member that waits for our answer cannot send heartbeats; a new one may have gone meanwhile, so its patience ends.
      if ((member.awaitsJoin || member.awaitsSync) && !member.isNew) return;
      this.#onExpired(member);
    }, timeoutMs);
  }
}
