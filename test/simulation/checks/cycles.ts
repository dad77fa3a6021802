// Transactions that read from each other in a circle.
import type { Event } from '../history/event.ts';
import { Findings } from '../history/violation.ts';
import type { Violation } from '../history/violation.ts';

/**
 * `G1c`: a cycle of transactions each of which read what the next one wrote. Writes that overwrite in a circle (`G0`) are allowed always, since Kafka
 * does not keep transactions apart on the way in; so the order of writes makes no edges here.
 */
export function g1c(events: readonly Event[]): Violation[] {
  const findings = new Findings('G1c');
  const writer = new Map<string, string>();
  for (const event of events)
    if (event.kind === 'invoked' && event.txn !== undefined) writer.set(event.send, event.txn);
  const readFrom = new Map<string, Map<string, number>>();
  for (const [index, event] of events.entries()) {
    if (event.kind !== 'polled' || event.txn === undefined) continue;
    const other = writer.get(event.send);
    if (other === undefined || other === event.txn) continue;
    let edges = readFrom.get(event.txn);
    if (edges === undefined) {
      edges = new Map();
      readFrom.set(event.txn, edges);
    }
    if (!edges.has(other)) edges.set(other, index);
  }
  const done = new Set<string>();
  for (const txn of readFrom.keys()) {
    const cycle = cycleFrom(txn, readFrom, done);
    if (cycle === undefined) continue;
    const at = cycle.map((from, place) => readFrom.get(from)!.get(cycle[(place + 1) % cycle.length]!)!);
    findings.add(`${cycle.join(' read from ')} read from ${cycle[0]!}`, ...at);
  }
  return findings.all;
}

/** Depth first without recursion; `done` has what leads into no cycle. */
function cycleFrom(
  start: string,
  edges: ReadonlyMap<string, ReadonlyMap<string, number>>,
  done: Set<string>,
): string[] | undefined {
  const path: { readonly txn: string; readonly rest: Iterator<string> }[] = [];
  const enter = (txn: string): void => {
    path.push({ txn, rest: edges.get(txn)?.keys() ?? [][Symbol.iterator]() });
  };
  if (!done.has(start)) enter(start);
  while (path.length > 0) {
    const { txn, rest } = path.at(-1)!;
    const step = rest.next();
    if (step.done === true) {
      done.add(txn);
      path.pop();
      continue;
    }
    const next = step.value;
    const open = path.findIndex((one) => one.txn === next);
    if (open >= 0) {
      const cycle = path.slice(open).map((one) => one.txn);
      for (const one of path) done.add(one.txn);
      return cycle;
    }
    if (!done.has(next)) enter(next);
  }
  return undefined;
}
