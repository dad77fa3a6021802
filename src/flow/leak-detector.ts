// Finds root deliveries that were garbage collected unsettled. It only ever reports; a collected delivery is never settled.
//
// A FinalizationRegistry is asked as seldom as can be. Registering costs more than all else a record does, so up to 32 neighbours share one token:
// each root refers to the token, and when the last of them is gone the token goes too and the bits that are still set name the leaked ones. And V8
// keeps each registration in its old generation until a full collection, settled or not: one for each token made a sink at full speed grow by ten
// megabytes a second. So only the tokens that are unsettled when a full collection has just been, or while very many others come and go, are
// registered; the next full collection tells. No clock is asked: what leaks is told by collections alone.
import type { Settlement } from './settlement.ts';

const NEIGHBOURS = 32;
const SAMPLE = 16;
/** Tokens that wait to be registered; a power of two. */
const WAITING = 4_096;

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
    if (this.unsettled === 0) return;
    for (let bit = 0; bit < NEIGHBOURS; bit++) {
      if ((this.unsettled & (1 << bit)) === 0) continue;
      this.settlement.report?.({ kind: 'leaked', sequence: this.base + bit });
    }
  }
}

/** Kept alive by the root deliveries that share it, and by nothing else once it is registered. */
export class LeakToken {
  readonly bits: LeakBits;
  /** Where it waits to be registered; -1 while it does not. */
  place = -1;

  constructor(bits: LeakBits) {
    this.bits = bits;
  }

  settled(sequence: number): void {
    const { bits } = this;
    bits.unsettled &= ~(1 << (sequence - bits.base));
    if (bits.unsettled !== 0 || this.place < 0) return;
    waiting[this.place] = undefined;
    this.place = -1;
  }
}

const registry = new FinalizationRegistry<LeakBits>((bits) => bits.report());
const sampled = process.env['NODE_ENV'] === 'production';

const waiting = new Array<LeakToken | undefined>(WAITING).fill(undefined);
let nextPlace = 0;
let listening = false;
/** Tells of a full collection: only such a one finds that an object nothing refers to is gone from a registry. */
const collections = new FinalizationRegistry<undefined>(registerWaiting);

let openFor: Settlement | undefined;
let openBase = 0;
let open: LeakToken | undefined;
let closing = false;
let tokens = 0;

function close(): void {
  closing = false;
  openFor = undefined;
  closeOpen();
}

/** What was settled at once, as in a pipeline without waiting, needs nobody to watch it. */
function closeOpen(): void {
  const token = open;
  open = undefined;
  if (token === undefined || token.bits.unsettled === 0) return;
  const place = nextPlace;
  nextPlace = (place + 1) & (WAITING - 1);
  const before = waiting[place];
  if (before !== undefined) register(before);
  waiting[place] = token;
  token.place = place;
  if (listening) return;
  listening = true;
  collections.register({}, undefined);
}

function register(token: LeakToken): void {
  waiting[token.place] = undefined;
  token.place = -1;
  registry.register(token, token.bits);
}

function registerWaiting(): void {
  listening = false;
  for (const token of waiting) if (token !== undefined) register(token);
}

/** The token of a new root delivery; undefined where sampling leaves it out. Sequences of a run must ascend to share one. */
export function leakToken(settlement: Settlement, sequence: number): LeakToken | undefined {
  const bit = sequence - openBase;
  if (openFor === settlement && bit >= 0 && bit < NEIGHBOURS) {
    if (open !== undefined) open.bits.unsettled |= 1 << bit;
    return open;
  }
  closeOpen();
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
