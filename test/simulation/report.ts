// What to say of a seed that fails: the way to play it again, the smallest scenario found, what is wrong with it, and what happened around that.
import type { Played, Runnable, KindName } from './kinds.ts';
import { shrink } from './shrink.ts';
import type { ShrinkLimits } from './shrink.ts';

const MAX_VIOLATIONS = 6;
const MAX_EVENTS = 12;

export function replayCommand(kind: KindName, seed: number): string {
  return `npm run simulate -- --kind ${kind} --seed ${seed}`;
}

/** Smaller scenarios count as failing when they break one of the invariants that the first one broke. */
export async function reportFailure(
  kind: KindName,
  seed: number,
  failing: Runnable,
  played: Played,
  limits: ShrinkLimits,
): Promise<string> {
  const broken = new Set(played.violations.map(({ check }) => check));
  let last = played;
  const fails = async (candidate: Runnable): Promise<boolean> => {
    const result = await candidate.run();
    if (!result.violations.some(({ check }) => broken.has(check))) return false;
    last = result;
    return true;
  };
  const { scenario, tries } = await shrink(failing, (one) => one.smaller(), fails, limits);
  return [
    `Seed ${seed} fails. Play it again: ${replayCommand(kind, seed)}`,
    `The smallest scenario found in ${tries} tries: ${JSON.stringify(scenario.scenario)}`,
    ...describe(last),
  ].join('\n');
}

function describe({ history, violations }: Played): string[] {
  const lines: string[] = [];
  for (const { check, what, at } of violations.slice(0, MAX_VIOLATIONS)) {
    lines.push(`${check}: ${what}`);
    for (const index of at.slice(0, MAX_EVENTS)) lines.push(`  ${index}: ${JSON.stringify(history[index])}`);
  }
  if (violations.length > MAX_VIOLATIONS) lines.push(`and ${violations.length - MAX_VIOLATIONS} more`);
  return lines;
}
