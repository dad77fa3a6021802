/** Who may pause a claim: its own user, or all claims at once. */
export type PausedBy = 'claim' | 'all';

/** A claim hands over while nobody has it paused. */
export class PauseGate {
  private readonly controls: { pause(): void; resume(): void };
  private readonly paused = new Set<PausedBy>();

  constructor(controls: { pause(): void; resume(): void }) {
    this.controls = controls;
  }

  close(by: PausedBy): void {
    const wasOpen = this.paused.size === 0;
    this.paused.add(by);
    if (wasOpen) this.controls.pause();
  }

  open(by: PausedBy): void {
    if (this.paused.delete(by) && this.paused.size === 0) this.controls.resume();
  }
}
