// Makes a failing scenario smaller: leaves parts of it out for as long as it still fails.

/** Scenarios that are smaller than this one, the boldest first. */
export type Smaller<S> = (scenario: S) => Iterable<S>;

export interface ShrinkLimits {
  /** Most scenarios tried. */
  readonly tries: number;
  /** Asked before each try. */
  readonly isOver: () => boolean;
}

/** The smallest scenario found that still fails, and how many were tried. */
export async function shrink<S>(
  scenario: S,
  smaller: Smaller<S>,
  fails: (scenario: S) => Promise<boolean>,
  limits: ShrinkLimits,
): Promise<{ readonly scenario: S; readonly tries: number }> {
  let smallest = scenario;
  let tries = 0;
  for (let found = true; found;) {
    found = false;
    for (const candidate of smaller(smallest)) {
      if (tries >= limits.tries || limits.isOver()) return { scenario: smallest, tries };
      tries++;
      if (!(await fails(candidate))) continue;
      smallest = candidate;
      found = true;
      break;
    }
  }
  return { scenario: smallest, tries };
}

/** The list without a half, a quarter, ... of it, down to without one; never shorter than `least`. */
export function* shorter<T>(list: readonly T[], least = 0): Iterable<T[]> {
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < list.length; from += size) {
      const left = [...list.slice(0, from), ...list.slice(from + size)];
      if (left.length >= least) yield left;
    }
  }
}

/** Half of it, then three quarters, then one less. */
export function* fewer(count: number, least: number): Iterable<number> {
  const seen = new Set<number>();
  for (const less of [Math.floor(count / 2), Math.floor((count * 3) / 4), count - 1]) {
    if (less < least || less >= count || seen.has(less)) continue;
    seen.add(less);
    yield less;
  }
}
