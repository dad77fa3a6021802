// What the admin checks of its arguments, and how it names them.

import { UsageError } from '../../errors.ts';

/** `what` and the names, the first three of them. */
export function named(what: string, names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${what} ${shown} and ${names.length - 3} more topics` : `${what} ${shown}`;
}

/** Throws UsageError for what is no list. */
export function list(value: unknown, option: string): void {
  if (!Array.isArray(value)) throw new UsageError(`${option} must be a list, not ${typeof value}`, option);
}

/** Throws UsageError for what is no list of names. */
export function nameList(names: readonly string[], option: string): void {
  list(names, option);
  names.forEach((name: unknown, at) => nonEmpty(name, `${option}[${at}]`));
}

/** Throws UsageError for what is no name. */
export function nonEmpty(value: unknown, option: string): void {
  if (typeof value === 'string' && value !== '') return;
  throw new UsageError(
    `${option} must be a string that is not empty, not ${JSON.stringify(value)} (${typeof value})`,
    option,
  );
}

/** Throws UsageError for what is neither undefined nor a count. */
export function atLeastOne(value: unknown, option: string): void {
  if (value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= 1)) return;
  throw new UsageError(
    `${option} must be an integer of at least 1, not ${JSON.stringify(value)} (${typeof value})`,
    option,
  );
}
