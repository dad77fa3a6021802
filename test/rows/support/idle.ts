// What idle partitions cost: ours and Java's consumer, each in a process of its own.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { brokers } from '../../helpers/brokers.ts';

export interface IdleFigures {
  readonly partitions: number;
  /** Both ways. */
  readonly bytesPerSecond: number;
  readonly cpuMsPerSecond: number;
}

const PROGRAMS = path.join('test', 'rows', 'programs');

async function run(command: string, args: readonly string[]): Promise<IdleFigures> {
  const { stdout } = await promisify(execFile)(command, args, { timeout: 240_000 });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as IdleFigures;
}

/** Ours. */
export function idleReader(topic: string, warmMs: number, measuredMs: number): Promise<IdleFigures> {
  const program = path.join(PROGRAMS, 'idle-reader.ts');
  const args = ['--import', 'tsx', program, brokers!.join(','), topic, String(warmMs), String(measuredMs)];
  return run(process.execPath, args);
}

/** Java's, with one of its two group protocols, which are two consumers inside. */
export function idleJava(
  lib: string,
  topic: string,
  warmMs: number,
  measuredMs: number,
  protocol: 'classic' | 'consumer' = 'classic',
): Promise<IdleFigures> {
  const program = path.join(PROGRAMS, 'IdleConsumer.java');
  const times = [String(warmMs), String(measuredMs)];
  const args = [
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
    '-cp',
    path.join(lib, '*'),
    program,
    brokers!.join(','),
    topic,
    ...times,
    protocol,
  ];
  return run('java', args);
}
