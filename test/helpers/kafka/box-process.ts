// The broker in the box in a process of its own, set like the real ones of the tests.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

export interface BoxProcess {
  readonly bootstrap: readonly string[];
  /** Ends the process; rejects with what the box threw instead of answering, if it did. */
  stop(): Promise<void>;
}

const PROGRAM = path.join('test', 'helpers', 'kafka', 'box-program.ts');

/** Starts a box and resolves when it listens. */
export async function startBoxProcess(): Promise<BoxProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done === true) throw new Error(`the box did not start: exit ${await gone}`);
  return {
    bootstrap: first.value.split(','),
    stop: async () => {
      child.stdin.end();
      const code = await gone;
      if (code !== 0) throw new Error('the broker in the box has a bug: see above');
    },
  };
}
