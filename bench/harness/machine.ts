// One line that says what the figures were taken on.
import { execFileSync, spawnSync } from 'node:child_process';
import os from 'node:os';

const GIB = 1024 ** 3;

function firstLine(text: string): string {
  return text.split('\n')[0]!.trim();
}

function commitLine(at: string | undefined): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
    const commit = git('rev-parse', '--short', at ?? 'HEAD');
    const changed = at === undefined && git('status', '--porcelain', 'src') !== '';
    return `commit ${commit}${changed ? ' and changes' : ''}`;
  } catch {
    return 'no commit';
  }
}

/** CPU, memory, system, Node, Java and the commit, which is the one that is checked out unless another is measured. */
export function machineLine(broker: string, at?: string): string {
  const cpus = os.cpus();
  const model = cpus[0]?.model.replace(/\s+/g, ' ').trim() ?? 'unknown CPU';
  const java = firstLine(spawnSync('java', ['-version'], { encoding: 'utf8' }).stderr ?? '');
  return [
    `${cpus.length} x ${model}`,
    `${Math.round(os.totalmem() / GIB)} GiB`,
    `${os.type()} ${os.release()}`,
    `Node ${process.versions.node}`,
    java === '' ? 'no Java' : java.replaceAll('"', ''),
    broker,
    commitLine(at),
    `load ${os.loadavg()[0]!.toFixed(1)} at the start`,
  ].join(' · ');
}
