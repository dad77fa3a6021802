// Who hands over records when, so that a full buffer never keeps the event loop from heartbeats.

import type { Clock } from '../clock.ts';

/** How long one emitter goes on before the next one of the same consumer has its turn. */
const QUANTUM_MS = 1;

/** Something with records to hand over. */
export interface Emitter {
  /** Set and read by the loop. */
  queued: boolean;
  /** Hands over records until `clock.now()` passes `untilMs`; returns whether there is more it could hand over at once. */
  emit(untilMs: number): boolean;
}

/** Gives the emitters of one consumer turns: after `sliceMs` in one go, it yields to the event loop. */
export class EmissionLoop {
  /** Called now and then during a turn and after it, with the time. */
  onLook: (nowMs: number) => void = () => {};
  private readonly clock: Clock;
  private readonly sliceMs: number;
  private queue: Emitter[] = [];
  private running = false;
  private scheduled = false;

  constructor(clock: Clock, sliceMs: number) {
    this.clock = clock;
    this.sliceMs = sliceMs;
  }

  /** Lets `emitter` emit: at once where that is possible, else in its turn. To be called from I/O callbacks only. */
  now(emitter: Emitter): void {
    this.enqueue(emitter);
    if (!this.running && !this.scheduled) this.turn();
  }

  /** Lets `emitter` emit in a later task, never inside the caller. */
  later(emitter: Emitter): void {
    this.enqueue(emitter);
    if (!this.running) this.schedule();
  }

  private enqueue(emitter: Emitter): void {
    if (emitter.queued) return;
    emitter.queued = true;
    this.queue.push(emitter);
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.clock.defer(() => {
      this.scheduled = false;
      this.turn();
    });
  }

  private turn(): void {
    const { clock } = this;
    this.running = true;
    let now = clock.now();
    const endMs = now + this.sliceMs;
    try {
      while (this.queue.length > 0 && now < endMs) {
        const round = this.queue;
        this.queue = [];
        let at = 0;
        try {
          for (; at < round.length && now < endMs; at += 1) {
            const emitter = round[at]!;
            emitter.queued = false;
            if (emitter.emit(Math.min(endMs, now + QUANTUM_MS))) this.enqueue(emitter);
            now = clock.now();
          }
        } finally {
          if (at < round.length)
            this.queue = round.slice(at + (round[at]!.queued ? 0 : 1)).concat(this.queue);
        }
      }
    } finally {
      this.running = false;
      if (this.queue.length > 0) this.schedule();
      this.onLook(now);
    }
  }
}
