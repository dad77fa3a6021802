// What of a fetcher's options must be one of a few things.

import { UsageError } from '../../errors.ts';
import type { FetcherOptions } from './options.ts';

const MAX_INT32 = 2 ** 31 - 1;
const ISOLATION_LEVELS: readonly unknown[] = [undefined, 'read_uncommitted', 'read_committed'];

/** Throws UsageError naming the option, its value and the rule. A mistyped isolation level would otherwise show aborted records. */
export function checkFetcherOptions(options: FetcherOptions): void {
  const { isolationLevel, rackId, interceptors, onTrouble } = options;
  if (!ISOLATION_LEVELS.includes(isolationLevel))
    throw wrong('isolationLevel', "'read_uncommitted' or 'read_committed'", isolationLevel);
  if (rackId !== undefined && typeof rackId !== 'string') throw wrong('rackId', 'a string', rackId);
  if (interceptors !== undefined && !Array.isArray(interceptors))
    throw wrong('interceptors', 'a list', interceptors);
  if (onTrouble !== undefined && typeof onTrouble !== 'function')
    throw wrong('onTrouble', 'a function', onTrouble);
  for (const name of ['fetchMaxWaitMs', 'fetchMinBytes', 'partitionFetchBytes'] as const) {
    const value: unknown = options[name];
    const isCount = typeof value === 'number' && value >= 1 && value <= MAX_INT32;
    if (value !== undefined && !isCount) throw wrong(name, `a number from 1 to ${MAX_INT32}`, value);
  }
}

function wrong(option: string, wanted: string, value: unknown): UsageError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return new UsageError(`${option} must be ${wanted}, not ${shown} (${typeof value})`, option);
}
