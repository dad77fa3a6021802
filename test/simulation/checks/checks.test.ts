// Each invariant on small histories written by hand: a good one passes, and a bad one is found under its name.
import { describe, expect, it } from '@jest/globals';
import type { Event, OfClaim, Untimed } from '../history/event.ts';
import { CHECKS, checkEvents } from './all-checks.ts';

type Step = Untimed<Event>;

const IN = { topic: 'in', partition: 0 };
const CREDIT = { records: 2, bytes: 100, span: 4 };
const claim = (process = 'a', epoch = 1): OfClaim => ({ process, group: 'g', epoch, ...IN });
const one = claim();

const invoked = (send: string, rest: object = {}): Step => ({
  kind: 'invoked',
  process: 'p',
  send,
  topic: 'in',
  ...rest,
});
const appended = (offset: number, send: string, rest: object = {}): Step => ({
  kind: 'appended',
  client: 'p',
  offset,
  send,
  ...IN,
  ...rest,
});
const ok = (offset: number, send: string): Step => ({ kind: 'ok', process: 'p', send, offset, ...IN });
/** Sent, written and acknowledged. */
const written = (offset: number, send: string, rest: object = {}): Step[] => [
  invoked(send, rest),
  appended(offset, send),
  ok(offset, send),
];
const assigned = (of = one, start = 0, rest: object = {}): Step => ({
  kind: 'assigned',
  ...of,
  generation: 1,
  start,
  isolation: 'read_uncommitted',
  credit: CREDIT,
  ...rest,
});
const polled = (offset: number, send: string, of = one, rest: object = {}): Step => ({
  kind: 'polled',
  ...of,
  offset,
  send,
  bytes: 10,
  ...rest,
});
const settled = (offset: number, of = one): Step => ({ kind: 'settled', ...of, offset });
const committed = (offset: number, process = 'a', generation = 1): Step => ({
  kind: 'committed',
  process,
  group: 'g',
  generation,
  offset,
  ...IN,
});
const final = (
  offset: number,
  send: string,
  isolation: 'read_uncommitted' | 'read_committed' = 'read_uncommitted',
): Step => ({
  kind: 'final',
  isolation,
  offset,
  send,
  ...IN,
});
const end = (to: number, start = 0): Step => ({ kind: 'end', start, end: to, ...IN });
const progress = (to: number, at: number, well = true): Step => ({
  kind: 'progress',
  group: 'g',
  end: to,
  committed: at,
  well,
  ...IN,
});
/** The topic is another one since, and the first record sent to it went through. */
const madeAgain = (byName: boolean): Step[] => [
  { kind: 'recreated', topic: 'in', ...(byName ? ({ byName } as const) : {}) },
  ...written(0, 'first'),
  progress(1, 0),
];
const txn = (kind: 'begun' | 'committing' | 'aborting', name: string): Step => ({
  kind,
  process: 'p',
  txn: name,
});
const ended = (name: string, how: 'committed' | 'aborted'): Step => ({
  kind: 'ended',
  process: 'p',
  txn: name,
  how,
});

/** A second between two steps. */
function history(steps: readonly Step[]): Event[] {
  return steps.map((step, at) => ({ atMs: at * 1000, ...step }));
}

function namesOf(steps: readonly Step[]): string[] {
  return [...new Set(checkEvents(history(steps)).map(({ check }) => check))];
}

/** Two records on their whole way. */
const GOOD: readonly Step[] = [
  ...written(0, 'x'),
  ...written(1, 'y'),
  assigned(),
  polled(0, 'x'),
  settled(0),
  polled(1, 'y'),
  settled(1),
  committed(2),
  { kind: 'revoking', ...one },
  { kind: 'revoked', ...one },
  {
    kind: 'drained',
    process: 'a',
    group: 'g',
    isCommitted: true,
    unsettled: 0,
    points: [{ ...IN, commitPoint: 2 }],
  },
  final(0, 'x'),
  final(1, 'y'),
  end(2),
];

interface Case {
  readonly check: string;
  readonly good: readonly Step[];
  readonly bad: readonly Step[];
}

const many = (count: number, make: (at: number) => Step): Step[] =>
  Array.from({ length: count }, (_, at) => make(at));

const CASES: readonly Case[] = [
  { check: 'wrong', good: [], bad: [{ kind: 'wrong', what: 'the run stopped' }] },
  {
    check: 'inconsistent-offsets',
    // Not replicated when its leader died: the offset is used again.
    good: [
      invoked('x'),
      appended(0, 'x'),
      { kind: 'truncated', to: 0, ...IN },
      invoked('y'),
      appended(0, 'y'),
      ok(0, 'y'),
    ],
    bad: [...written(0, 'x'), invoked('y'), ok(0, 'y')],
  },
  {
    check: 'duplicate',
    good: [invoked('x', { mayRepeat: true }), appended(0, 'x'), appended(1, 'x')],
    bad: [invoked('x'), appended(0, 'x'), appended(1, 'x')],
  },
  {
    check: 'lost-write',
    good: [...written(0, 'x'), ...written(1, 'y'), assigned(), polled(0, 'x'), polled(1, 'y')],
    bad: [invoked('x'), ok(0, 'x'), ...written(1, 'y'), assigned(one, 1), polled(1, 'y')],
  },
  {
    check: 'unseen',
    // Deleted since.
    good: [...written(0, 'x'), end(1, 1)],
    bad: [invoked('x'), ok(0, 'x'), end(0)],
  },
  {
    check: 'G1a',
    good: [
      invoked('x'),
      { kind: 'unknown', process: 'p', send: 'x', error: 'timed out' },
      appended(0, 'x'),
      final(0, 'x'),
    ],
    bad: [
      invoked('x'),
      { kind: 'failed', process: 'p', send: 'x', error: 'refused' },
      appended(0, 'x'),
      final(0, 'x'),
    ],
  },
  {
    check: 'G1a',
    // Who reads uncommitted records may see what is aborted later.
    good: [
      txn('begun', 't'),
      invoked('x', { txn: 't' }),
      appended(0, 'x', { producerId: 7 }),
      assigned(),
      polled(0, 'x'),
      ended('t', 'aborted'),
    ],
    bad: [
      txn('begun', 't'),
      invoked('x', { txn: 't' }),
      appended(0, 'x', { producerId: 7 }),
      txn('aborting', 't'),
      ended('t', 'aborted'),
      final(0, 'x', 'read_committed'),
    ],
  },
  {
    check: 'precommitted-read',
    good: [
      invoked('x', { txn: 't' }),
      txn('committing', 't'),
      assigned(one, 0, { isolation: 'read_committed' }),
      polled(0, 'x'),
    ],
    bad: [
      invoked('x', { txn: 't' }),
      assigned(one, 0, { isolation: 'read_committed' }),
      polled(0, 'x', one, { txn: 't' }),
    ],
  },
  { check: 'garbage', good: [invoked('x'), final(0, 'x')], bad: [final(0, 'x')] },
  {
    check: 'torn-transaction',
    good: [
      ...written(0, 'x', { txn: 't' }),
      ...written(1, 'y', { txn: 't' }),
      ended('t', 'committed'),
      final(0, 'x', 'read_committed'),
      final(1, 'y', 'read_committed'),
      end(3),
    ],
    bad: [
      ...written(0, 'x', { txn: 't' }),
      ...written(1, 'y', { txn: 't' }),
      final(0, 'x', 'read_committed'),
      final(1, 'y'),
      end(3),
    ],
  },
  {
    check: 'poll-skip',
    // Aborted records are passed over.
    good: [
      ...written(0, 'x'),
      invoked('y'),
      appended(1, 'y', { producerId: 7 }),
      { kind: 'marked', offset: 2, producerId: 7, how: 'abort', ...IN },
      ...written(3, 'z'),
      assigned(one, 0, { isolation: 'read_committed' }),
      polled(0, 'x'),
      polled(3, 'z'),
    ],
    bad: [
      ...written(0, 'x'),
      ...written(1, 'y'),
      ...written(2, 'z'),
      assigned(),
      polled(0, 'x'),
      polled(2, 'z'),
      final(1, 'y'),
    ],
  },
  {
    check: 'nonmonotonic-poll',
    good: [
      ...written(0, 'x'),
      assigned(),
      polled(0, 'x'),
      { kind: 'sought', ...one, offset: 0 },
      polled(0, 'x'),
    ],
    bad: [...written(0, 'x'), assigned(), polled(0, 'x'), polled(0, 'x')],
  },
  {
    check: 'int-poll-skip',
    good: [
      ...written(0, 'x'),
      ...written(1, 'y'),
      assigned(),
      polled(0, 'x', one, { txn: 't' }),
      polled(1, 'y', one, { txn: 't' }),
    ],
    bad: [
      ...written(0, 'x'),
      ...written(1, 'y'),
      ...written(2, 'z'),
      assigned(),
      polled(0, 'x', one, { txn: 't' }),
      polled(2, 'z', one, { txn: 't' }),
      final(1, 'y'),
    ],
  },
  {
    check: 'int-nonmonotonic-poll',
    good: [...written(0, 'x'), assigned(), polled(0, 'x', one, { txn: 't' })],
    bad: [
      ...written(0, 'x'),
      ...written(1, 'y'),
      assigned(),
      polled(0, 'x', one, { txn: 't' }),
      polled(1, 'y', one, { txn: 't' }),
      { kind: 'lost', ...one },
      assigned(claim('a', 2)),
      // A rebalance brings it again, which is no excuse inside of a transaction.
      polled(0, 'x', claim('a', 2), { txn: 't' }),
    ],
  },
  {
    check: 'nonmonotonic-send',
    good: [invoked('x'), invoked('y'), appended(0, 'x'), appended(1, 'y'), ok(0, 'x'), ok(1, 'y')],
    bad: [invoked('x'), invoked('y'), appended(0, 'y'), appended(1, 'x'), ok(1, 'x'), ok(0, 'y')],
  },
  {
    check: 'int-nonmonotonic-send',
    good: [invoked('x', { txn: 't' }), invoked('y', { txn: 't' }), ok(3, 'x'), ok(7, 'y')],
    bad: [invoked('x', { txn: 't' }), invoked('y', { txn: 't' }), ok(1, 'x'), ok(0, 'y')],
  },
  {
    check: 'G1c',
    good: [
      ...written(0, 'x', { txn: 't' }),
      ...written(1, 'y', { txn: 'u' }),
      assigned(),
      polled(0, 'x', one, { txn: 'u' }),
    ],
    bad: [
      ...written(0, 'x', { txn: 't' }),
      ...written(1, 'y', { txn: 'u' }),
      assigned(),
      polled(0, 'x', one, { txn: 'u' }),
      polled(1, 'y', one, { txn: 't' }),
    ],
  },
  {
    check: 'unassigned-poll',
    good: [...written(0, 'x'), assigned(), polled(0, 'x'), { kind: 'lost', ...one }],
    bad: [...written(0, 'x'), assigned(), { kind: 'revoking', ...one }, polled(0, 'x')],
  },
  {
    check: 'double-claim',
    good: [assigned(), { kind: 'lost', ...one }, assigned(claim('a', 2))],
    bad: [assigned(), assigned(claim('a', 2))],
  },
  {
    check: 'paused-poll',
    good: [
      ...written(0, 'x'),
      assigned(),
      { kind: 'paused', ...one },
      { kind: 'resumed', ...one },
      polled(0, 'x'),
    ],
    bad: [...written(0, 'x'), assigned(), { kind: 'paused', ...one }, polled(0, 'x')],
  },
  {
    check: 'drained-leaves',
    good: [
      ...written(0, 'x'),
      assigned(),
      polled(0, 'x'),
      { kind: 'held', ...one, offset: 0 },
      { kind: 'revoked', ...one },
    ],
    bad: [...written(0, 'x'), assigned(), polled(0, 'x'), { kind: 'revoked', ...one }],
  },
  {
    check: 'drained-uncommitted',
    good: [
      {
        kind: 'drained',
        process: 'a',
        group: 'g',
        isCommitted: false,
        unsettled: 0,
        points: [{ ...IN, commitPoint: 2 }],
      },
    ],
    bad: [
      {
        kind: 'drained',
        process: 'a',
        group: 'g',
        isCommitted: true,
        unsettled: 0,
        points: [{ ...IN, commitPoint: 2 }],
      },
    ],
  },
  {
    check: 'lost-claim-append',
    // It was on its way when its claim was lost.
    good: [
      assigned(),
      invoked('x', { from: one }),
      { kind: 'sealed', send: 'x' },
      { kind: 'lost', ...one },
      appended(0, 'x'),
    ],
    bad: [
      assigned(),
      invoked('x', { from: one }),
      { kind: 'lost', ...one },
      { kind: 'sealed', send: 'x' },
      appended(0, 'x'),
    ],
  },
  {
    check: 'lost-claim-append',
    good: [assigned(), invoked('x', { from: one }), { kind: 'withdrawn', send: 'x' }],
    bad: [assigned(), invoked('x', { from: one }), { kind: 'withdrawn', send: 'x' }, appended(0, 'x')],
  },
  {
    check: 'commit-beyond-position',
    // Over the marker of a transaction.
    good: [...written(0, 'x'), assigned(), polled(0, 'x'), settled(0), committed(2)],
    bad: [...written(0, 'x'), ...written(1, 'y'), assigned(), polled(0, 'x'), settled(0), committed(2)],
  },
  {
    check: 'commit-beyond-position',
    // The group was empty in between, was made anew, and counts from the first generation again; another member had committed the first record.
    good: [
      ...written(0, 'x'),
      ...written(1, 'y'),
      assigned(),
      { kind: 'revoked', ...one },
      assigned(claim('b'), 0, { generation: 2 }),
      polled(0, 'x', claim('b')),
      settled(0, claim('b')),
      committed(1, 'b', 2),
      assigned(claim('a', 2), 1),
      polled(1, 'y', claim('a', 2)),
      settled(1, claim('a', 2)),
      committed(2),
    ],
    bad: [
      ...written(0, 'x'),
      ...written(1, 'y'),
      ...written(2, 'z'),
      assigned(),
      { kind: 'revoked', ...one },
      assigned(claim('a', 2), 1),
      polled(1, 'y', claim('a', 2)),
      settled(1, claim('a', 2)),
      committed(3),
    ],
  },
  {
    check: 'commit-beyond-settled',
    good: [
      ...written(0, 'x'),
      ...written(1, 'y'),
      assigned(),
      polled(0, 'x'),
      polled(1, 'y'),
      settled(1),
      committed(0),
    ],
    bad: [
      ...written(0, 'x'),
      ...written(1, 'y'),
      assigned(),
      polled(0, 'x'),
      polled(1, 'y'),
      settled(1),
      committed(2),
    ],
  },
  {
    check: 'commit-beyond-settled',
    // What was settled before the rewind, and came again after it, counts only when it is settled again.
    good: [
      ...written(0, 'x'),
      assigned(),
      polled(0, 'x'),
      { kind: 'lost', ...one },
      settled(0),
      committed(1),
    ],
    bad: [
      ...written(0, 'x'),
      assigned(),
      polled(0, 'x'),
      { kind: 'lost', ...one },
      assigned(claim('a', 2)),
      settled(0),
      polled(0, 'x', claim('a', 2)),
      committed(1),
    ],
  },
  { check: 'commit-unassigned', good: [assigned(), committed(0)], bad: [committed(0, 'b')] },
  {
    check: 'commit-regressed',
    // A late commit of the same generation, repeated.
    good: [
      ...written(0, 'x'),
      assigned(),
      polled(0, 'x'),
      settled(0),
      committed(1),
      committed(0),
      committed(1),
      progress(1, 1),
    ],
    bad: [
      ...written(0, 'x'),
      assigned(),
      polled(0, 'x'),
      settled(0),
      committed(1),
      { kind: 'lost', ...one },
      assigned(claim('b'), 1, { generation: 2 }),
      committed(0, 'b', 2),
    ],
  },
  {
    check: 'commit-regressed',
    good: [
      assigned(),
      { kind: 'lost', ...one },
      assigned(claim('b'), 0, { generation: 2 }),
      committed(1, 'b', 2),
      assigned(claim('a', 2), 0),
    ],
    bad: [
      assigned(),
      { kind: 'lost', ...one },
      assigned(claim('b'), 0, { generation: 2 }),
      committed(1, 'b', 2),
      assigned(claim('a', 2), 0, { generation: 2 }),
    ],
  },
  {
    check: 'commit-regressed',
    good: [
      assigned(),
      committed(1),
      committed(0),
      { kind: 'lost', ...one },
      ...many(40, () => progress(0, 0)),
    ],
    bad: [assigned(), committed(1), committed(0), ...many(40, () => progress(0, 0))],
  },
  {
    check: 'start-skip',
    good: [
      ...written(0, 'x'),
      assigned(),
      polled(0, 'x'),
      settled(0),
      { kind: 'lost', ...one },
      assigned(claim('a', 2), 1),
    ],
    bad: [...written(0, 'x'), assigned(one, 1)],
  },
  {
    check: 'start-skip',
    good: [
      ...written(0, 'x'),
      assigned(),
      polled(0, 'x'),
      settled(0),
      committed(1),
      { kind: 'lost', ...one },
      committed(0),
      assigned(claim('a', 2), 1, { generation: 2 }),
    ],
    bad: [
      ...written(0, 'x'),
      assigned(),
      committed(0),
      { kind: 'lost', ...one },
      assigned(claim('a', 2), 1, { generation: 2 }),
    ],
  },
  {
    check: 'credit-exceeded',
    good: [
      assigned(),
      ...many(3, (at) => invoked(`x${at}`)),
      polled(0, 'x0'),
      polled(1, 'x1'),
      settled(1),
      polled(2, 'x2'),
    ],
    bad: [
      assigned(),
      ...many(3, (at) => invoked(`x${at}`)),
      polled(0, 'x0'),
      polled(1, 'x1'),
      polled(2, 'x2'),
    ],
  },
  {
    check: 'credit-exceeded',
    // The first one may be larger than all there is.
    good: [assigned(), invoked('x'), polled(0, 'x', one, { bytes: 500 })],
    bad: [assigned(), invoked('x'), invoked('y'), polled(0, 'x', one, { bytes: 500 }), polled(1, 'y')],
  },
  {
    check: 'credit-exceeded',
    good: [
      assigned(),
      ...many(5, (at) => invoked(`x${at}`)),
      ...[0, 1, 2, 3].flatMap((at): Step[] => [polled(at, `x${at}`), settled(at)]),
      polled(4, 'x4'),
    ],
    bad: [
      assigned(),
      ...many(5, (at) => invoked(`x${at}`)),
      polled(0, 'x0'),
      { kind: 'held', ...one, offset: 0 },
      ...[1, 2, 3].flatMap((at): Step[] => [polled(at, `x${at}`), settled(at)]),
      polled(4, 'x4'),
    ],
  },
  {
    check: 'memory-exceeded',
    good: [{ kind: 'memory', process: 'a', usedBytes: 9, boundBytes: 10 }],
    bad: [{ kind: 'memory', process: 'a', usedBytes: 11, boundBytes: 10 }],
  },
  {
    check: 'stuck-partition',
    good: many(40, (at) => progress(5, Math.floor(at / 20))),
    bad: many(40, () => progress(5, 3)),
  },
  // Nothing has to get on while something is broken.
  {
    check: 'stuck-partition',
    good: many(40, () => progress(5, 3, false)),
    bad: many(31, () => progress(5, 3)),
  },
  {
    check: 'stuck-send',
    good: [invoked('x'), { kind: 'crashed', process: 'p' }, end(0)],
    bad: [invoked('x'), end(0)],
  },
  {
    check: 'failed-when-well',
    good: [
      progress(0, 0, false),
      invoked('x'),
      progress(0, 0),
      { kind: 'failed', process: 'p', send: 'x', error: 'too late' },
    ],
    bad: [progress(0, 0), invoked('x'), { kind: 'failed', process: 'p', send: 'x', error: 'too late' }],
  },
  {
    check: 'failed-when-well',
    good: [
      ...madeAgain(true),
      invoked('x'),
      { kind: 'failed', process: 'p', send: 'x', error: 'another id' },
    ],
    bad: [
      ...madeAgain(false),
      invoked('x'),
      { kind: 'failed', process: 'p', send: 'x', error: 'another id' },
    ],
  },
  // One that timed out has told its producer nothing of the topic; the first that reaches the cluster does.
  {
    check: 'failed-when-well',
    good: [
      { kind: 'recreated', topic: 'in' },
      invoked('w'),
      { kind: 'failed', process: 'p', send: 'w', error: 'too late' },
      progress(0, 0),
      invoked('x'),
      { kind: 'failed', process: 'p', send: 'x', error: 'Topic in was deleted and created again' },
    ],
    bad: [
      { kind: 'recreated', topic: 'in' },
      invoked('w'),
      { kind: 'failed', process: 'p', send: 'w', error: 'Topic in was deleted and created again' },
      progress(0, 0),
      invoked('x'),
      { kind: 'failed', process: 'p', send: 'x', error: 'Topic in was deleted and created again' },
    ],
  },
  {
    check: 'failed-when-well',
    good: [],
    bad: [
      ...madeAgain(false),
      invoked('x'),
      { kind: 'failed', process: 'p', send: 'x', error: 'Topic in was deleted and created again' },
    ],
  },
  {
    check: 'slow-recovery',
    good: [{ kind: 'mended' }, progress(5, 5, false), ...many(130, () => progress(5, 5, false))],
    bad: [{ kind: 'mended' }, ...many(130, () => progress(5, 4, false))],
  },
  {
    check: 'slow-recovery',
    good: [{ kind: 'mended', workMs: 30_000 }, ...many(130, () => progress(5, 4, false))],
    bad: [{ kind: 'mended', workMs: 5_000 }, ...many(130, () => progress(5, 4, false))],
  },
];

describe('the checks', () => {
  it('are content with a good history', () => {
    expect(checkEvents(history(GOOD))).toEqual([]);
  });

  it.each(CASES)('$check: good and bad ($#)', ({ check, good, bad }) => {
    expect(namesOf(good)).toEqual([]);
    expect(namesOf(bad)).toContain(check);
  });

  it('each name the events that show a breach', () => {
    for (const { check, bad } of CASES) {
      const events = history(bad);
      const found = checkEvents(events).filter((one) => one.check === check);
      for (const { at } of found) for (const index of at) expect(events[index]).toBeDefined();
    }
  });

  it('are all tried here', () => {
    expect(new Set(CASES.map(({ check }) => check)).size).toBe(CHECKS.length);
  });
});
