// What the clients need to run, got ready once per run: ours and the Node clients transpiled, the Go program built. What cannot be had is absent.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { buildInto } from './build.ts';
import type { Client, Command } from './client.ts';

const CACHE = path.resolve('.cache');
const BUILD_TIMEOUT_MS = 600_000;

/** Finds the command of a client, or says why there is none. */
export class Programs {
  private readonly folder: string;
  private readonly against: string | undefined;
  private readonly ready = new Map<string, string | Error>();

  /** Builds ours; `against` is a folder with an earlier build of it. */
  constructor(against: string | undefined) {
    this.folder = buildInto(path.join(CACHE, 'bench'));
    this.against = against;
  }

  /** @throws Error saying why the client cannot run here. */
  commandOf({ program, name, as }: Client): Command {
    switch (program) {
      case 'against':
        return this.nodeClient(path.join(this.against!, 'clients'), as ?? name);
      case 'go':
        return { file: this.once('go', buildGo), args: [] };
      default:
        return this.nodeClient(this.folder, as ?? name);
    }
  }

  private nodeClient(folder: string, name: string): Command {
    return { file: process.execPath, args: [path.join(folder, `${name}.js`)] };
  }

  private once(name: string, make: () => string): string {
    let made = this.ready.get(name);
    if (made === undefined) {
      try {
        made = make();
      } catch (cause) {
        made = cause as Error;
      }
      this.ready.set(name, made);
    }
    if (made instanceof Error) throw made;
    return made;
  }
}

function buildGo(): string {
  const target = path.join(CACHE, 'bench-go', 'clients');
  mkdirSync(path.dirname(target), { recursive: true });
  const { status, stderr, error } = spawnSync('go', ['build', '-o', target, '.'], {
    cwd: path.join('bench', 'clients', 'go'),
    encoding: 'utf8',
    timeout: BUILD_TIMEOUT_MS,
  });
  if (error !== undefined) throw new Error('Go is not installed');
  if (status !== 0 || !existsSync(target))
    throw new Error(`go build failed: ${stderr.trim().split('\n').at(-1)}`);
  return target;
}
