// Commands that a program in TypeScript runs: to their end, or beside it with their lines as they come.
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const LIMIT_MS = 100_000;

/** Runs a command to its end, whatever its code. */
export function end(file: string, args: readonly string[], input: string | Buffer = ''): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { timeout: LIMIT_MS });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({
        code,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      }),
    );
    // It may not read what it is given.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** Runs a command to its end, which must be a good one; answers with its output. */
export async function run(file: string, args: readonly string[], input?: string | Buffer): Promise<string> {
  const { code, stdout, stderr } = await end(file, args, input);
  if (code !== 0)
    throw new Error(`${file} ${args.join(' ')}: exit ${code}\n${(stdout + stderr).slice(-2_000)}`);
  return stdout;
}

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** A command that runs beside the program. */
export class Beside {
  readonly lines: string[] = [];
  private readonly child: ChildProcess;
  private readonly gone: Promise<void>;

  constructor(file: string, args: readonly string[]) {
    this.child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      createInterface({ input: stream }).on('line', (text) => void this.lines.push(text));
    this.gone = new Promise((resolve) => this.child.once('close', () => resolve()));
    running.add(this.child);
    void this.gone.then(() => running.delete(this.child));
  }

  write(text: string): void {
    this.child.stdin!.write(text);
  }

  /** The lines that are JSON. */
  events(): any[] {
    return this.lines.filter((text) => text.startsWith('{')).map((text) => JSON.parse(text));
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.child.kill(signal);
    this.child.stdin!.end();
    await this.gone;
  }

  async ended(): Promise<void> {
    this.child.stdin!.end();
    await this.gone;
  }
}
