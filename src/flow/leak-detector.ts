// Finds root deliveries that were garbage collected unsettled. Registering each record with a FinalizationRegistry costs more than all else a
// record does, so up to 32 neighbours share one token: each root refers to the token, and when the last of them is gone the token goes too and
// the bits that are still set name the leaked ones. It only ever reports; a collected delivery is never settled.
import type { Settlement } from './settlement.ts';

const NEIGHBOURS = 32;
const SAMPLE = 16;

/** What outlives the token: which of its records are unsettled. */
export class LeakBits {
  readonly settlement: Settlement;
  readonly base: number;
  unsettled = 0;

  constructor(settlement: Settlement, base: number) {
    this.settlement = settlement;
    this.base = base;
  }

  report(): void {
    for (let bit = 0; bit < NEIGHBOURS; bit++) {
      if ((this.unsettled & (1 << bit)) === 0) continue;
      this.settlement.report?.({ kind: 'leaked', sequence: this.base + bit });
    }
  }
}

/** Kept alive by the root deliveries that share it, and by nothing else once the current run of code has ended. */
export class LeakToken {
  readonly bits: LeakBits;

  constructor(bits: LeakBits) {
    this.bits = bits;
  }

  settled(sequence: number): void {
    this.bits.unsettled &= ~(1 << (sequence - this.bits.base));
  }
}

const registry = new FinalizationRegistry<LeakBits>((bits) => bits.report());
const sampled = process.env['NODE_ENV'] === 'production';

let openFor: Settlement | undefined;
let openBase = 0;
let open: LeakToken | undefined;
let closing = false;
let tokens = 0;

function close(): void {
  closing = false;
  openFor = undefined;
  registerOpen();
}

/** What was settled at once, as in a pipeline without waiting, needs nobody to watch it. */
function registerOpen(): void {
  if (open === undefined) return;
  if (open.bits.unsettled !== 0) registry.register(open, open.bits);
  open = undefined;
}

/** The token of a new root delivery; undefined where sampling leaves it out. Sequences of a run must ascend to share one. */
export function leakToken(settlement: Settlement, sequence: number): LeakToken | undefined {
  const bit = sequence - openBase;
  if (openFor === settlement && bit >= 0 && bit < NEIGHBOURS) {
    if (open !== undefined) open.bits.unsettled |= 1 << bit;
    return open;
  }
  registerOpen();
  openFor = settlement;
  openBase = sequence;
  if (!closing) {
    closing = true;
    queueMicrotask(close);
  }
  if (sampled && tokens++ % SAMPLE !== 0) return undefined;
  const bits = new LeakBits(settlement, sequence);
  bits.unsettled = 1;
  open = new LeakToken(bits);
  return open;
}
