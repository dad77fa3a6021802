import type { NameOption } from '../flow/policy.ts';

/** How messages call a stage that has parts: by its operator, and its name if it has one. */
export function titleOf(operator: string, { name }: NameOption): string {
  return name === undefined ? operator : `${operator} '${name}'`;
}
