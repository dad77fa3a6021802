// Where the samples of a run are kept: those fit to be published in bench/results, one file per workload, the others in .cache.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Failure, Sample } from './arena.ts';

const PUBLISHED = path.join('bench', 'results');
const UNPUBLISHED = path.join('.cache', 'bench-results');

/** One workload's part of a run. */
export interface Result {
  readonly workload: string;
  readonly at: string;
  readonly machine: string;
  readonly rounds: number;
  readonly records: number;
  readonly failures: readonly Failure[];
  readonly samples: readonly Sample[];
}

/** Replaces what is published of the workload, or adds to what is kept aside. */
export function writeResult(result: Result, published: boolean): void {
  const name = published
    ? result.workload
    : `${result.at.slice(0, 19).replaceAll(':', '-')}-${result.workload}`;
  write(published ? PUBLISHED : UNPUBLISHED, name, result);
}

export function readPublished(workload: string): Result | undefined {
  return read(workload) as Result | undefined;
}

/** One row of the micro-bench of the operators. */
export interface StageCost {
  readonly name: string;
  readonly nsPerRecord: number;
  readonly nsPerStage: number;
}

export interface StageCosts {
  readonly at: string;
  readonly machine: string;
  readonly rounds: number;
  readonly costs: readonly StageCost[];
}

const STAGES = 'operators';

export function writeStageCosts(costs: StageCosts): void {
  write(PUBLISHED, STAGES, costs);
}

export function readStageCosts(): StageCosts | undefined {
  return read(STAGES) as StageCosts | undefined;
}

function write(folder: string, name: string, content: unknown): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify(content, undefined, 1)}\n`);
}

function read(name: string): unknown {
  const file = path.join(PUBLISHED, `${name}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}
