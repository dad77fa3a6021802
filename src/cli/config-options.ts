// The configuration file of a command, under both of its names.

import { UsageError } from '../errors.ts';
import { readConfigFile } from './client-config.ts';

/** The settings of the file that is named, none without one; `note` hears of a name that is on its way out. */
export async function configSettings(
  files: { readonly old: string | undefined; readonly current: string | undefined },
  oldName: string,
  note: (line: string) => void,
): Promise<ReadonlyMap<string, string>> {
  const { old, current } = files;
  if (old !== undefined && current !== undefined)
    throw new UsageError(`--${oldName} and --command-config are the same option; give one of them`);
  if (old !== undefined) note(`--${oldName} is deprecated in Kafka; --command-config takes the same file`);
  const file = current ?? old;
  return file === undefined ? new Map() : readConfigFile(file);
}

/** Says which settings do nothing here. */
export function noteIgnored(names: readonly string[], note: (line: string) => void): void {
  if (names.length === 0) return;
  const what = names.length === 1 ? 'setting' : 'settings';
  note(`warning: the client has no equivalent of the ${what} ${names.join(', ')}; left out`);
}
