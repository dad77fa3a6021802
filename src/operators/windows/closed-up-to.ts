// How far windows are done with, in the metadata of a claim's commits: after a restart the records of windows that were emitted and settled are
// settled silently instead of being counted into a second, smaller row.
import type { Settlement } from '../../flow/settlement.ts';

const FIELD = 'closedUpTo';

interface Metadata {
  closedUpTo?: { [stage: string]: number };
}

function parse(text: string | undefined): Metadata {
  if (text === undefined || !text.startsWith('{')) return {};
  try {
    const parsed = JSON.parse(text) as unknown;
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    // Whoever else commits for this group may write what they like; without a mark nothing is skipped.
    return {};
  }
}

/** Windows of this stage that end at or before the answer were emitted and settled when the claim's start was committed. */
export function readClosedUpTo(settlement: Settlement | undefined, stage: string): number {
  const mark = parse(settlement?.startMetadata)[FIELD]?.[stage];
  return typeof mark === 'number' ? mark : Number.NEGATIVE_INFINITY;
}

/** Goes with the claim's next commit. */
export function writeClosedUpTo(settlement: Settlement | undefined, stage: string, end: number): void {
  if (settlement?.commitMetadata === undefined) return;
  const metadata = parse(settlement.commitMetadata);
  settlement.commitMetadata = JSON.stringify({ ...metadata, [FIELD]: { ...metadata[FIELD], [stage]: end } });
}
