// bench/results: every sample of a run.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Failure, Sample } from './arena.ts';
import type { Row } from './report.ts';

const FOLDER = path.join('.cache', 'bench-results');

export interface Results {
  readonly machine: string;
  readonly rounds: number;
  readonly records: number;
  readonly rows: readonly Row[];
  readonly failures: readonly Failure[];
  readonly samples: readonly Sample[];
}

/** Writes a run under the time it ended. */
export function writeResults(results: Results): void {
  mkdirSync(FOLDER, { recursive: true });
  const at = new Date().toISOString();
  const file = path.join(FOLDER, `${at.slice(0, 19).replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify({ at, ...results }, undefined, 1)}\n`);
  console.log(`Every sample is in ${file}`);
}
