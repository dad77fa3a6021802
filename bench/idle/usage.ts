// What a process has taken so far, as the kernel counts it: bytes through its sockets, processor time. Linux only.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Jiffies of /proc, on every Linux there is. */
const TICKS_PER_SECOND = 100;
/** Of /proc/<pid>/stat, behind the name in brackets: state is 0. */
const UTIME = 11;
const STIME = 12;

export interface Usage {
  readonly at: number;
  /** Payload of TCP both ways, by socket. */
  readonly bytes: ReadonlyMap<string, number>;
  readonly cpuSeconds: number;
}

/** Looks at a process. @throws Error where there is no `ss` or no /proc. */
export function usageOf(pid: number): Usage {
  return { at: performance.now(), bytes: socketBytes(pid), cpuSeconds: cpuSeconds(pid) };
}

function socketBytes(pid: number): Map<string, number> {
  const listed = execFileSync('ss', ['-tinpHO', 'state', 'established'], { encoding: 'utf8' });
  const bytes = new Map<string, number>();
  for (const line of listed.split('\n')) {
    if (!line.includes(`pid=${pid},`)) continue;
    const [, , local, peer] = line.trim().split(/\s+/);
    bytes.set(`${local} ${peer}`, counter(line, 'bytes_sent') + counter(line, 'bytes_received'));
  }
  return bytes;
}

/** 0 when it is not named: so `ss` says that nothing has passed yet. */
function counter(line: string, name: string): number {
  return Number(new RegExp(` ${name}:(\\d+)`).exec(line)?.[1] ?? 0);
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[UTIME]) + Number(fields[STIME])) / TICKS_PER_SECOND;
}

/** What was taken between two looks. */
export interface Taken {
  readonly bytesPerSecond: number;
  readonly cpuSecondsPerMinute: number;
}

/** @throws Error when a connection of the first look is gone: what passed through it afterwards is not known. */
export function between(before: Usage, after: Usage): Taken {
  const seconds = (after.at - before.at) / 1_000;
  let bytes = 0;
  for (const [socket, first] of before.bytes) {
    const last = after.bytes.get(socket);
    if (last === undefined) throw new Error(`the connection ${socket} was closed while it was measured`);
    bytes += last - first;
  }
  for (const [socket, all] of after.bytes) if (!before.bytes.has(socket)) bytes += all;
  return {
    bytesPerSecond: bytes / seconds,
    cpuSecondsPerMinute: ((after.cpuSeconds - before.cpuSeconds) / seconds) * 60,
  };
}
