// Runs other people's programs against the broker under test.
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';

const LIMIT_MS = 280_000;

export function isOnPath(command: string): boolean {
  return spawnSync(command, ['-V'], { stdio: 'ignore', timeout: 10_000 }).error === undefined;
}

/** Runs a program with `input` on its standard input; resolves with its standard output, rejects when it fails. */
export async function run(command: string, args: readonly string[], input = ''): Promise<string> {
  return (await runForBytes(command, args, input)).toString();
}

/** As {@link run}, for output that is not text. */
export function runForBytes(command: string, args: readonly string[], input = ''): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { timeout: LIMIT_MS });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out));
      else
        reject(
          new Error(
            `${command} ${args.join(' ')}: exit ${code}\n${Buffer.concat([...out, ...err])
              .toString()
              .slice(-4000)}`,
          ),
        );
    });
    child.stdin.end(input);
  });
}

/** Runs a class of Kafka's own jars. */
export function runJava(lib: string, main: string, args: readonly string[], input?: string): Promise<string> {
  const quiet = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
  return run('java', [...quiet, '-cp', path.join(lib, '*'), main, ...args], input);
}

/** Lines without the empty ones. */
export const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
