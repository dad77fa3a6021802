// Files of lines, for the flow of files.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const FILES = 4;

/** Writes `count` values as lines, spread over some files; answers with their paths. */
export function writeFiles(pool: readonly Buffer[], count: number): string[] {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sluice-bench-'));
  const lines = Math.round(count);
  let next = 0;
  return Array.from({ length: FILES }, (_, nth) => {
    const name = path.join(folder, `${nth}.txt`);
    const end = Math.floor((lines * (nth + 1)) / FILES);
    const texts: string[] = [];
    for (; next < end; next++) texts.push(`${pool[next % pool.length]!.toString('latin1')}\n`);
    writeFileSync(name, texts.join(''));
    return name;
  });
}

export function removeFiles(names: readonly string[]): void {
  for (const folder of new Set(names.map((name) => path.dirname(name)))) rmSync(folder, { recursive: true });
}
