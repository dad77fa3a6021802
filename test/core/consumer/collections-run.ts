// Prints how many full collections begin when little, and when a lot, was read.
import { PerformanceObserver, constants, type PerformanceEntry } from 'node:perf_hooks';
import { HeapBallast } from '../../../src/core/consumer/heap-ballast.ts';

const GIB = 1024 * 1024 * 1024;
const TURNS = 200;

let full = 0;
const isFull = (entry: PerformanceEntry): boolean =>
  (entry as PerformanceEntry & { readonly detail: { readonly kind: number } }).detail.kind !==
  constants.NODE_PERFORMANCE_GC_MINOR;
new PerformanceObserver((list) => {
  full += list.getEntries().filter(isFull).length;
}).observe({ entryTypes: ['gc'] });

/** Marking goes on while the program runs; some garbage moves it on. */
async function seenAfterTurns(): Promise<number> {
  const before = full;
  for (let turn = 0; turn < TURNS && full === before; turn += 1) {
    for (let nth = 0; nth < 100; nth += 1) new Array<number>(1_000).fill(nth);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return full - before;
}

const reader = new HeapBallast();
reader.count(GIB);
// Those of the start come to their end.
while ((await seenAfterTurns()) > 0);
const seen: boolean[] = [];
for (const gibibytes of [1, 4, 1]) {
  reader.count(gibibytes * GIB);
  seen.push((await seenAfterTurns()) > 0);
}
console.log(JSON.stringify(seen));
