// What the clients need to run, got ready once per run. What cannot be had is absent, with the reason.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { kafkaLib } from '../../test/helpers/kafka/jars.ts';
import { buildInto } from './build.ts';
import type { Client, Command } from './client.ts';
import { buildGo, buildJava, installPeers, type Peers } from './foreign.ts';

const JVM = ['-Xmx512m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];

export interface ProgramOptions {
  /** The commit of ours to measure instead of the files as they are. */
  readonly at?: string | undefined;
  /** A commit to compare it with. */
  readonly against?: string | undefined;
  /** Builds into .cache/bench-kept and leaves it there, for a profiler. */
  readonly keep?: boolean | undefined;
}

/** Finds the command of a client, or says why there is none. */
export class Programs {
  private readonly folder: string;
  private readonly go = once(() => buildGo(path.join(this.folder, 'go')));
  private readonly java = once(() => {
    const lib = kafkaLib();
    if (lib === undefined) throw new Error('Java 17 or Maven is not installed');
    return { lib, classes: buildJava(path.join(this.folder, 'java'), lib) };
  });
  private readonly peers: () => Peers;

  /** Builds ours at once, and the others when they are asked for. */
  constructor({ at, against, keep = false }: ProgramOptions) {
    this.folder = keep ? path.resolve('.cache', 'bench-kept') : runFolder();
    const clients = buildInto(path.join(this.folder, 'node'), at);
    if (against !== undefined) buildInto(path.join(this.folder, 'against'), against);
    this.peers = once(() => installPeers(clients));
    if (keep) console.log(`Built into ${this.folder}`);
    else process.once('exit', () => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** @throws Error saying why the client cannot run here. */
  commandOf({ program, name, as }: Client): Command {
    const file = path.join('clients', `${as ?? name}.js`);
    const ours = path.join(this.folder, 'node', file);
    switch (program) {
      case 'node':
        return { file: process.execPath, args: [ours] };
      case 'against':
        return { file: process.execPath, args: [path.join(this.folder, 'against', file)] };
      case 'node24':
      case 'platformatic':
        return { file: this.peers().node24, args: [ours] };
      case 'rdkafka':
        if (!this.peers().hasRdkafka) throw new Error('node-rdkafka could not be built here');
        return { file: process.execPath, args: [ours] };
      case 'go':
        return { file: this.go(), args: [] };
      case 'java': {
        const { lib, classes } = this.java();
        return { file: 'java', args: [...JVM, '-cp', `${classes}:${path.join(lib, '*')}`, 'Main'] };
      }
    }
  }
}

/** A folder of this run, so that several may run at the same time; those of runs that were killed are removed. */
function runFolder(): string {
  const all = path.resolve('.cache', 'bench');
  mkdirSync(all, { recursive: true });
  for (const name of readdirSync(all))
    if (!isRunning(Number(name))) rmSync(path.join(all, name), { recursive: true, force: true });
  return path.join(all, String(process.pid));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Makes it at the first call; later calls answer, or fail, with the same. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | { readonly error: unknown } | undefined;
  return () => {
    if (made === undefined) {
      try {
        made = { value: make() };
      } catch (error) {
        made = { error };
      }
    }
    if ('error' in made) throw made.error;
    return made.value;
  };
}
