// A client with nothing to read, watched for a while.
import { spawn } from 'node:child_process';
import readline from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from '../harness/client.ts';
import { between, usageOf, type Taken } from './usage.ts';

const READY_MS = 120_000;
const MAX_ERROR_CHARACTERS = 2_000;

export interface Idling {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly groupId: string;
  readonly partitions: number;
  /** After it has its partitions, before it is watched: a JVM compiles meanwhile. */
  readonly settleMs: number;
  readonly watchMs: number;
}

/** Starts the client, waits until it has all partitions, watches it, and ends it. */
export async function watchIdle({ file, args }: Command, idling: Idling): Promise<Taken> {
  const { brokers, topic, groupId, partitions, settleMs, watchMs } = idling;
  const child = spawn(file, [...args, brokers.join(','), topic, groupId, String(partitions)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-MAX_ERROR_CHARACTERS);
  });
  const gone = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`${file} ended with ${code}: ${errors}`)));
  });
  gone.catch(() => undefined);
  const ready = new Promise<void>((resolve) => {
    readline.createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'ready') resolve();
    });
  });
  try {
    const late = pause(READY_MS, undefined, { ref: false }).then(() => {
      throw new Error(`${file} did not get its ${partitions} partitions within ${READY_MS} ms: ${errors}`);
    });
    await Promise.race([ready, gone, late]);
    await Promise.race([pause(settleMs), gone]);
    const before = usageOf(child.pid!);
    await Promise.race([pause(watchMs), gone]);
    return between(before, usageOf(child.pid!));
  } finally {
    child.kill('SIGKILL');
  }
}
