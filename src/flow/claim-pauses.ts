import { pauseGateOf, type Claim } from './claim.ts';

/** What of a source is paused, whatever claims come and go: the last call about all topics, and later ones about single topics. */
export class ClaimPauses {
  /** The newest claim of each partition. */
  private readonly claims = new Map<string, Claim<unknown>>();
  private readonly topics = new Map<string, boolean>();
  private all = false;

  /** A claim begins; it is paused at once when it is to be. */
  add(claim: Claim<unknown>): void {
    this.claims.set(`${claim.topic}-${claim.partition}`, claim);
    this.apply(claim);
  }

  /** Of one topic, or of all of them. */
  set(isPaused: boolean, topic: string | undefined): void {
    if (topic === undefined) {
      this.all = isPaused;
      this.topics.clear();
    } else this.topics.set(topic, isPaused);
    for (const claim of this.claims.values()) this.apply(claim);
  }

  private apply(claim: Claim<unknown>): void {
    const gate = pauseGateOf(claim);
    if (this.topics.get(claim.topic) ?? this.all) gate.close('all');
    else gate.open('all');
  }
}
