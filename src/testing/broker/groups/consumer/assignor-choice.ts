import type { Assignor } from '../assignors/group-spec.ts';
import { JavaHashMap, stringHash } from '../assignors/java-hash-map.ts';
import { assignRange } from '../assignors/range.ts';
import { assignUniform } from '../assignors/uniform.ts';
import type { ConsumerMember } from './consumer-member.ts';

/** The server-side assignors by name; the first is the default. */
export const ASSIGNORS: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', assignUniform],
  ['range', assignRange],
]);
const DEFAULT_ASSIGNOR = 'uniform';

/** The name of the assignor that most members ask for; Kafka's choice where several are asked for alike. */
export function preferredAssignor(members: Iterable<ConsumerMember>): string {
  const votes = new JavaHashMap<string, number>(stringHash);
  for (const { assignorName } of members) {
    if (assignorName !== null) votes.set(assignorName, (votes.get(assignorName) ?? 0) + 1);
  }
  let preferred: string | undefined;
  for (const name of votes.keys()) {
    if (preferred === undefined || votes.get(name)! > votes.get(preferred)!) preferred = name;
  }
  return preferred ?? DEFAULT_ASSIGNOR;
}
