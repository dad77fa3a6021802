// What a group's coordinator wrote down, in order, as Kafka's own DumpLogSegments decodes it.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { lines, runJava } from '../../testing/broker/command.ts';
import type { OwnKafka } from './own-kafka.ts';

/** Of `startRealKafka`. */
const OFFSETS_PARTITIONS = 4;

/** An offset that was committed. `at` is milliseconds since 1970, by the broker's clock. */
export interface LoggedCommit {
  readonly kind: 'commit';
  readonly at: number;
  readonly partition: number;
  readonly offset: number;
}

/** A generation of a classic group: who owns what from here on. */
export interface LoggedGeneration {
  readonly kind: 'generation';
  readonly at: number;
  readonly generation: number;
  readonly owners: ReadonlyMap<string, readonly number[]>;
}

/** What a member of the consumer protocol has from here on, partitions that it is to give up included; undefined when it has left. */
export interface LoggedMember {
  readonly kind: 'member';
  readonly at: number;
  readonly memberId: string;
  readonly has:
    | { readonly epoch: number; readonly previousEpoch: number; readonly partitions: readonly number[] }
    | undefined;
}

export type LoggedEntry = LoggedCommit | LoggedGeneration | LoggedMember;

interface Key {
  readonly type: string;
  readonly data: {
    readonly group?: string;
    readonly groupId?: string;
    readonly partition?: number;
    readonly memberId?: string;
  };
}

interface Assigned {
  readonly partitions: readonly number[];
}

interface Payload {
  readonly data: {
    readonly offset?: number;
    readonly generation?: number;
    readonly members?: readonly {
      readonly memberId: string;
      readonly assignment: { readonly assignedPartitions?: readonly Assigned[] } | null;
    }[];
    readonly memberEpoch?: number;
    readonly previousMemberEpoch?: number;
    readonly assignedPartitions?: readonly Assigned[];
    readonly partitionsPendingRevocation?: readonly Assigned[];
  };
}

const COMMIT_KEYS = ['0', '1'];
const GENERATION_KEY = '2';
const CURRENT_ASSIGNMENT_KEY = '8';
const LINE = /^\| offset: \d+ CreateTime: (\d+) .* key: (\{.*\}) payload: (.*)$/;

/** Reads the log of one group, all of whose partitions are of one topic. */
export async function coordinatorLog({ lib, logDir }: OwnKafka, groupId: string): Promise<LoggedEntry[]> {
  const partition = Math.abs(hashOf(groupId)) % OFFSETS_PARTITIONS;
  const file = path.join(logDir, `__consumer_offsets-${partition}`, `${'0'.repeat(20)}.log`);
  if (!existsSync(file)) throw new Error(`${file} is not there`);
  const dumped = await runJava(lib, 'org.apache.kafka.tools.DumpLogSegments', [
    '--offsets-decoder',
    '--files',
    file,
  ]);
  return lines(dumped).flatMap((line) => entryIn(line, groupId) ?? []);
}

function entryIn(line: string, groupId: string): LoggedEntry | undefined {
  const match = LINE.exec(line);
  if (match === null) return undefined;
  const at = Number(match[1]);
  const { type, data: key } = JSON.parse(match[2]!) as Key;
  if ((key.group ?? key.groupId) !== groupId) return undefined;
  const value = match[3]!.startsWith('{') ? (JSON.parse(match[3]!) as Payload).data : undefined;
  if (COMMIT_KEYS.includes(type) && value?.offset !== undefined)
    return { kind: 'commit', at, partition: key.partition!, offset: value.offset };
  if (type === GENERATION_KEY && value !== undefined)
    return {
      kind: 'generation',
      at,
      generation: value.generation!,
      owners: new Map(
        value.members!.map(({ memberId, assignment }) => [memberId, flat(assignment?.assignedPartitions)]),
      ),
    };
  if (type !== CURRENT_ASSIGNMENT_KEY) return undefined;
  const has =
    value === undefined
      ? undefined
      : {
          epoch: value.memberEpoch!,
          previousEpoch: value.previousMemberEpoch!,
          partitions: [...flat(value.assignedPartitions), ...flat(value.partitionsPendingRevocation)],
        };
  return { kind: 'member', at, memberId: key.memberId!, has };
}

const flat = (assigned: readonly Assigned[] = []): number[] =>
  assigned.flatMap(({ partitions }) => partitions);

/** Java's String.hashCode: it says which partition a group is in. */
function hashOf(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}
