// One line that says what the figures were taken on.
import { execFileSync, spawnSync } from 'node:child_process';
import os from 'node:os';

const GIB = 1024 ** 3;

function firstLine(text: string): string {
  return text.split('\n')[0]!.trim();
}

/** CPU, memory, system, Node, Java and the commit. */
export function machineLine(broker: string): string {
  const cpus = os.cpus();
  const model = cpus[0]?.model.replace(/\s+/g, ' ').trim() ?? 'unknown CPU';
  const java = firstLine(spawnSync('java', ['-version'], { encoding: 'utf8' }).stderr ?? '');
  let commit = 'no commit';
  try {
    commit = `commit ${execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()}`;
  } catch {
    // Not a checkout.
  }
  return [
    `${cpus.length} x ${model}`,
    `${Math.round(os.totalmem() / GIB)} GiB`,
    `${os.type()} ${os.release()}`,
    `Node ${process.versions.node}`,
    java === '' ? 'no Java' : java.replaceAll('"', ''),
    broker,
    commit,
    `load ${os.loadavg()[0]!.toFixed(1)} at the start`,
  ].join(' · ');
}
