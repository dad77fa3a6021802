import { onAbort } from './on-abort.ts';

/**
 * Aborts with the first of its signals, until it is let go of. `AbortSignal.any` would leave something behind in each of them for good (on Node 20),
 * and a client's own signal lives as long as the client.
 */
export class JoinedSignal {
  readonly signal: AbortSignal;
  private readonly stops: (() => void)[] = [];

  constructor(signals: readonly AbortSignal[]) {
    const controller = new AbortController();
    this.signal = controller.signal;
    const aborted = signals.find((one) => one.aborted);
    if (aborted !== undefined) {
      controller.abort(aborted.reason);
      return;
    }
    for (const one of signals) this.stops.push(onAbort(one, () => controller.abort(one.reason)));
  }

  /** It aborts no more. */
  release(): void {
    for (const stop of this.stops.splice(0)) stop();
  }
}
