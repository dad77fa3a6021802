// Random runs, as many as fit into the usual time: see pipelines/check-history.ts and checks/ for what must hold. More of them: npm run simulate.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { drawn, KINDS } from './kinds.ts';
import { reportFailure } from './report.ts';

const TIME_MS = 20_000;
/** However quick the machine is: what comes later is for `npm run simulate`. */
const MOST_SEEDS = 300;
const SHRINK_MS = 60_000;
const TRIES = 1000;

describe('everything that must hold in simulated time', () => {
  beforeAll(() => {
    // Deliveries of crashed members are garbage, which the leak detector tells.
    jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  });

  afterAll(() => {
    jest.restoreAllMocks();
  });

  it.each(KINDS)(
    'holds in random runs: %s',
    async (kind) => {
      const startMs = performance.now();
      let seed = 1;
      for (; seed <= MOST_SEEDS && performance.now() - startMs < TIME_MS; seed++) {
        const played = await drawn(kind, seed).run();
        if (played.violations.length === 0) continue;
        const until = performance.now() + SHRINK_MS;
        const limits = { tries: TRIES, isOver: () => performance.now() > until };
        throw new Error(await reportFailure(kind, seed, drawn(kind, seed), played, limits));
      }
      console.info(`${kind}: ${seed - 1} seeds`);
      expect(seed).toBeGreaterThan(1);
    },
    (TIME_MS + SHRINK_MS) * 10,
  );
});
