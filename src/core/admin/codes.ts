// Numbers of the protocol by Kafka's names.

import { UsageError } from '../../errors.ts';

/** The numbers of some names. */
export type Codes<T extends string> = { readonly [name in T]: number };

/** The number of a name. Throws UsageError naming the option for one that there is none of. */
export function codeOf<T extends string>(codes: Codes<T>, name: T, option: string): number {
  if (typeof name === 'string' && Object.hasOwn(codes, name)) return codes[name];
  const known = Object.keys(codes).join(', ');
  throw new UsageError(`${option} must be one of ${known}, not ${JSON.stringify(name)}`, option);
}

/** The name of a number; 'UNKNOWN' for one that a newer broker sent. */
export function nameOf<T extends string>(codes: Codes<T>, code: number): T | 'UNKNOWN' {
  for (const [name, known] of Object.entries<number>(codes)) if (known === code) return name as T;
  return 'UNKNOWN';
}
