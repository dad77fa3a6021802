// What members of a group did, and whether it is what a group may do. Pure functions over what the members said and what the coordinator wrote down.
import type { SentCommit } from './commit-spy.ts';
import type { LoggedCommit, LoggedEntry, LoggedGeneration } from './coordinator-log.ts';

/** A line of a group member. Times are milliseconds since 1970; all processes are on one machine. */
export interface MemberEvent {
  readonly at: number;
  readonly claimed?: true;
  readonly ended?: 'released' | 'lost';
  readonly got?: number;
  readonly commit?: SentCommit;
  readonly failed?: string;
  readonly partition?: number;
  readonly epoch?: number;
  readonly start?: number;
}

export interface MemberHistory {
  readonly name: string;
  readonly events: readonly MemberEvent[];
  /** When the process was killed, or had ended; undefined while it runs. */
  readonly endedAt: number | undefined;
}

export interface GroupHistory {
  readonly members: readonly MemberHistory[];
  readonly log: readonly LoggedEntry[];
  /** Records of each partition. */
  readonly records: readonly number[];
  /** The last time that somebody joined, left or was killed. */
  readonly lastActAt: number;
  /** How long a partition may be without an owner after that. */
  readonly ownerlessMs: number;
  readonly endAt: number;
}

/** A claim as its member had it. */
interface Owned {
  readonly member: string;
  readonly partition: number;
  readonly from: number;
  to: number;
  readonly start: number;
  /** Undefined when the process ended first. */
  how: 'released' | 'lost' | undefined;
  readonly got: Set<number>;
}

export interface Verdict {
  /** What must not have been, in words; empty when all is well. */
  readonly violations: readonly string[];
  readonly figures: {
    readonly claims: number;
    readonly repeated: number;
    readonly commits: number;
    readonly generations: number;
    readonly longestOwnerlessMs: number;
    readonly longestAfterLastActMs: number;
  };
}

/** The partitions that have an owner at that time. */
export function ownersAt(members: readonly MemberHistory[], at: number): Set<number> {
  return new Set(
    claimsOf(members)
      .filter((claim) => claim.from <= at && claim.to >= at)
      .map(({ partition }) => partition),
  );
}

/** Looks at a whole history. */
export function judge(history: GroupHistory): Verdict {
  const claims = claimsOf(history.members);
  const violations = [
    ...failures(history.members),
    ...missing(claims, history.records),
    ...twiceInOneClaim(history.members),
    ...wrongStarts(claims, history.log),
    ...repeatedAfterRelease(claims),
    ...committedUnread(history),
    ...foreignCommits(history),
    ...twoOwners(claims),
  ];
  const gaps = ownerless(claims, history);
  const longestAfterLastActMs = Math.max(
    0,
    ...gaps.map(({ to, from }) => to - Math.max(from, history.lastActAt)),
  );
  for (const { partition, from, to } of gaps) {
    const ms = to - Math.max(from, history.lastActAt);
    if (ms > history.ownerlessMs)
      violations.push(`partition ${partition} had no owner for ${ms} ms after the last act`);
  }
  const generations = new Set(
    history.log.flatMap((entry) => {
      if (entry.kind === 'generation') return [entry.generation];
      return entry.kind === 'member' && entry.has !== undefined ? [entry.has.epoch] : [];
    }),
  );
  return {
    violations,
    figures: {
      claims: claims.length,
      repeated: repeats(claims),
      commits: history.log.filter(({ kind }) => kind === 'commit').length,
      generations: generations.size,
      longestOwnerlessMs: Math.max(
        0,
        ...gaps.filter(({ isFirst }) => !isFirst).map(({ from, to }) => to - from),
      ),
      longestAfterLastActMs,
    },
  };
}

function claimsOf(members: readonly MemberHistory[]): Owned[] {
  const all: Owned[] = [];
  for (const { name, events, endedAt } of members) {
    const open = new Map<string, Owned>();
    for (const event of events) {
      const key = `${event.partition}/${event.epoch}`;
      if (event.claimed === true) {
        const claim: Owned = {
          member: name,
          partition: event.partition!,
          from: event.at,
          to: endedAt ?? Infinity,
          start: event.start!,
          how: undefined,
          got: new Set(),
        };
        open.set(key, claim);
        all.push(claim);
      }
      const claim = open.get(key);
      if (claim === undefined) continue;
      if (event.got !== undefined) claim.got.add(event.got);
      if (event.ended !== undefined) {
        claim.to = event.at;
        claim.how = event.ended;
      }
    }
  }
  return all.sort((a, b) => a.from - b.from);
}

function failures(members: readonly MemberHistory[]): string[] {
  return members.flatMap(({ name, events }) =>
    events.flatMap(({ failed }) => (failed === undefined ? [] : [`${name} failed: ${failed}`])),
  );
}

function missing(claims: readonly Owned[], records: readonly number[]): string[] {
  return records.flatMap((count, partition) => {
    const got = new Set(
      claims.filter((claim) => claim.partition === partition).flatMap((claim) => [...claim.got]),
    );
    const lacking = Array.from({ length: count }, (_, offset) => offset).filter((offset) => !got.has(offset));
    return lacking.length === 0
      ? []
      : [`partition ${partition}: ${lacking.length} records are missing, the first is ${lacking[0]}`];
  });
}

function twiceInOneClaim(members: readonly MemberHistory[]): string[] {
  const found: string[] = [];
  for (const { name, events } of members) {
    const seen = new Set<string>();
    for (const { got, partition, epoch } of events) {
      if (got === undefined) continue;
      const key = `${partition}-${got} in claim epoch ${epoch}`;
      if (seen.has(key)) found.push(`${name} got ${key} twice`);
      seen.add(key);
    }
  }
  return found;
}

/** A claim starts where the group's commit is: then whatever is read again is of the uncommitted part. */
function wrongStarts(claims: readonly Owned[], log: readonly LoggedEntry[]): string[] {
  return claims.flatMap(({ member, partition, from, start }) => {
    const last = log.findLast(
      (entry): entry is LoggedCommit =>
        entry.kind === 'commit' && entry.partition === partition && entry.at <= from,
    );
    const committed = last?.offset ?? 0;
    return committed === start
      ? []
      : [`${member} began partition ${partition} at ${start}, but ${committed} was committed`];
  });
}

/** What was given up in order is committed whole. */
function repeatedAfterRelease(claims: readonly Owned[]): string[] {
  const found: string[] = [];
  const last = new Map<number, Owned>();
  for (const claim of claims) {
    const before = last.get(claim.partition);
    last.set(claim.partition, claim);
    if (before?.how !== 'released' || before.got.size === 0) continue;
    const next = Math.max(...before.got) + 1;
    if (claim.start < next)
      found.push(
        `${before.member} released partition ${claim.partition} having read to ${next}, and ${claim.member} began at ${claim.start}`,
      );
  }
  return found;
}

function repeats(claims: readonly Owned[]): number {
  const got = claims.reduce((sum, claim) => sum + claim.got.size, 0);
  return (
    got -
    new Set(
      claims.flatMap(({ partition, got: offsets }) => [...offsets].map((offset) => `${partition}-${offset}`)),
    ).size
  );
}

/** Nothing is committed before every record below it was done by somebody. */
function committedUnread({ members, log, records }: GroupHistory): string[] {
  const firstAt = records.map((count) => new Array<number>(count).fill(Infinity));
  for (const { events } of members) {
    for (const { at, got, partition } of events) {
      if (got === undefined) continue;
      const times = firstAt[partition!]!;
      times[got] = Math.min(times[got] ?? Infinity, at);
    }
  }
  const allBelowAt = firstAt.map((times) => {
    let latest = -Infinity;
    return times.map((at) => (latest = Math.max(latest, at)));
  });
  return log.flatMap((entry) => {
    if (entry.kind !== 'commit' || entry.offset === 0) return [];
    const { partition, offset, at } = entry;
    return allBelowAt[partition]![offset - 1]! <= at
      ? []
      : [`partition ${partition} was committed at ${offset} before all below was done`];
  });
}

type Allowed = Map<
  string,
  { readonly generations: readonly number[]; readonly partitions: readonly number[] }
>;

/** A cooperative member gives up what a generation takes from it, and commits it, before anybody else gets it in the next one. */
function allowedIn({ generation, owners }: LoggedGeneration, before: Allowed): Allowed {
  const given = new Set([...owners.values()].flat());
  return new Map(
    [...owners].map(([memberId, partitions]) => {
      const kept = before.get(memberId)?.partitions.filter((partition) => !given.has(partition)) ?? [];
      return [memberId, { generations: [generation], partitions: [...partitions, ...kept] }];
    }),
  );
}

/** Every commit in the log was sent by a member that owned the partition in the generation of that place in the log. */
function foreignCommits({ members, log }: GroupHistory): string[] {
  const sent = new Map<string, number>();
  const keyOf = (memberId: string, generation: number, partition: number, offset: number): string =>
    `${memberId}/${generation}/${partition}/${offset}`;
  for (const { events } of members)
    for (const { commit } of events)
      for (const [partition, offset] of commit?.points ?? []) {
        const key = keyOf(commit!.memberId, commit!.generation, partition, offset);
        sent.set(key, (sent.get(key) ?? 0) + 1);
      }
  const found: string[] = [];
  /** Who may commit which partitions now, and with which generations or epochs. */
  let allowed: Allowed = new Map();
  for (const entry of log) {
    if (entry.kind === 'generation') allowed = allowedIn(entry, allowed);
    else if (entry.kind === 'member') {
      if (entry.has === undefined) allowed.delete(entry.memberId);
      else
        allowed.set(entry.memberId, {
          generations: [entry.has.epoch, entry.has.previousEpoch],
          partitions: entry.has.partitions,
        });
    } else {
      const { partition, offset } = entry;
      const from = [...allowed]
        .filter(([, { partitions }]) => partitions.includes(partition))
        .flatMap(([memberId, { generations }]) =>
          generations.map((generation) => keyOf(memberId, generation, partition, offset)),
        )
        .find((key) => (sent.get(key) ?? 0) > 0);
      if (from === undefined)
        found.push(`the commit of partition ${partition} at ${offset} came from no owner of its time`);
      else sent.set(from, sent.get(from)! - 1);
    }
  }
  return found;
}

function twoOwners(claims: readonly Owned[]): string[] {
  const last = new Map<number, Owned>();
  return claims.flatMap((claim) => {
    const before = last.get(claim.partition);
    last.set(claim.partition, claim);
    return before === undefined || before.to <= claim.from
      ? []
      : [
          `${claim.member} had partition ${claim.partition} ${before.to - claim.from} ms before ${before.member} had given it up (${before.how ?? 'ended'})`,
        ];
  });
}

interface Gap {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
  /** Before anybody had it. */
  readonly isFirst: boolean;
}

function ownerless(claims: readonly Owned[], { records, endAt }: GroupHistory): Gap[] {
  const beganAt = claims[0]?.from ?? endAt;
  return records.flatMap((_, partition) => {
    const gaps: Gap[] = [];
    let from = beganAt;
    let isFirst = true;
    for (const claim of claims) {
      if (claim.partition !== partition) continue;
      if (claim.from > from) gaps.push({ partition, from, to: claim.from, isFirst });
      from = Math.max(from, Math.min(claim.to, endAt));
      isFirst = false;
    }
    if (endAt > from) gaps.push({ partition, from, to: endAt, isFirst });
    return gaps;
  });
}
