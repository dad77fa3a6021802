// The checks find what they are for: each planted bug within five seeds, and nothing where no bug is.
import { describe, expect, it } from '@jest/globals';
import { drawn } from '../kinds.ts';
import { BUG_NAMES, plant } from './plant.ts';
import type { BugName } from './plant.ts';

const SEEDS = [1, 2, 3, 4, 5];
const CLEAN_SEEDS = 50;
const LIMIT_MS = 600_000;

/** The invariants by which each bug gives itself away; one of them is enough. */
const SHOWS: { readonly [B in BugName]: readonly string[] } = {
  'drop-acked': ['lost-write', 'unseen'],
  'double-send-on-timeout': ['duplicate'],
  'reuse-sequence': ['lost-write', 'unseen', 'inconsistent-offsets'],
  'reset-sequence-without-epoch': ['lost-write', 'inconsistent-offsets', 'failed-when-well'],
  'ignore-abort-index': ['G1a', 'precommitted-read'],
  'skip-control-offset': ['poll-skip', 'commit-beyond-position'],
  'commit-before-process': ['commit-beyond-settled'],
  'commit-after-revoke': [
    'commit-unassigned',
    'commit-beyond-position',
    'commit-beyond-settled',
    'commit-regressed',
  ],
  'position-plus-one-on-rebalance': ['start-skip'],
  'stale-leader-write': ['lost-write', 'unseen'],
  'swap-two-batches-on-retry': ['nonmonotonic-send'],
  'deliver-unassigned': ['unassigned-poll'],
  'forget-paused': ['paused-poll'],
  'timeout-reported-as-fail': ['G1a'],
  'lose-row': ['delivery-contract'],
  'repeat-row': ['delivery-contract'],
  'settle-before-row': ['delivery-contract'],
  'mark-too-far': ['delivery-contract'],
};

/** Bugs that no raw client has. */
const OF_WINDOWS: readonly BugName[] = ['lose-row', 'repeat-row', 'settle-before-row', 'mark-too-far'];

async function foundWith(bug: BugName, seed: number): Promise<string[]> {
  const remove = plant(bug);
  try {
    const kind = OF_WINDOWS.includes(bug) ? 'windows' : 'clients';
    const { violations } = await drawn(kind, seed).run();
    return violations.map(({ check }) => check);
  } finally {
    remove();
  }
}

describe('planted bugs', () => {
  it.each(BUG_NAMES)(
    '%s is found within five seeds',
    async (bug) => {
      const found: string[] = [];
      for (const seed of SEEDS) {
        found.push(...(await foundWith(bug, seed)));
        if (SHOWS[bug].some((check) => found.includes(check))) return;
      }
      throw new Error(`${bug} was not found; what was: ${found.join(', ') || 'nothing'}`);
    },
    LIMIT_MS,
  );

  it(
    `are not found where none is, in ${CLEAN_SEEDS} runs`,
    async () => {
      const found: string[] = [];
      for (let seed = 1; seed <= CLEAN_SEEDS; seed++) {
        const { violations } = await drawn('clients', seed).run();
        for (const { check, what } of violations) found.push(`seed ${seed}: ${check}: ${what}`);
      }
      expect(found).toEqual([]);
    },
    LIMIT_MS,
  );

  it('leave nothing of themselves behind', async () => {
    for (const bug of BUG_NAMES) plant(bug)();
    expect((await drawn('clients', 1).run()).violations).toEqual([]);
  });
});
