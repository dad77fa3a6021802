// Before a window, a stage that does not keep order: a record may be passed by others that close the window without it. After a restart it is late, as it
// would have been without one; it is no part of what is done.
import { describe, expect, it } from '@jest/globals';
import { of, Subject } from 'rxjs';
import { mapAsync, sessionWindow, tap, tumblingWindow } from '../../../src/operators/index.ts';
import { collect } from '../../flow/manual-source.ts';
import { CommittingSource } from './committing-source.ts';
import { HITS, type Hit } from './hits.ts';

/** One life of a claim: `slow` waits before the window until `finish` is called. */
function life(kind: 'tumbling' | 'session', slow: string, metadata = '') {
  const source = new CommittingSource<Hit>(metadata);
  const late: string[] = [];
  const gate = new Subject<Hit>();
  const options = {
    graceMs: 0,
    key: () => 'all',
    timestamp: ({ at }: Hit) => at,
    onFull: 'fail' as const,
    late: tap(({ name }: Hit) => {
      late.push(name);
    }),
    seed: () => '',
    add: (row: string, { name }: Hit) => row + name,
    merge: (one: string, other: string) => one + other,
  };
  const window =
    kind === 'tumbling'
      ? tumblingWindow({ ...options, sizeMs: 100 })
      : sessionWindow({ ...options, gapMs: 50 });
  const out = collect(
    source.flow.pipe(
      mapAsync((hit: Hit) => (hit.name === slow ? gate : of(hit)), { concurrency: 100, order: 'none' }),
      window,
    ),
  );
  return {
    late,
    rows: () => out.values.map(({ value }) => value),
    hand: (from: number) => {
      HITS.slice(from).forEach((hit, at) => source.emit(hit, 0, { offset: from + at } as never));
    },
    finish: (hit: Hit) => {
      gate.next(hit);
      gate.complete();
    },
    commit: (offset: number) => source.commit(offset),
    stop: () => out.stop(),
  };
}

describe('a record that others passed on the way to a tumbling window', () => {
  it('is late when it comes, with or without a restart', () => {
    const one = life('tumbling', 'b');
    one.hand(0);
    expect(one.rows()).toEqual(['a', 'cd']);
    const metadata = one.commit(1);
    one.finish(HITS[1]!);
    expect([one.rows(), one.late]).toEqual([['a', 'cd'], ['b']]);
    one.stop();

    const two = life('tumbling', '', metadata);
    two.hand(1);
    expect([two.rows(), two.late]).toEqual([[], ['b']]);
    two.stop();
  });

  it('is still missing when it has not come before the next restart', () => {
    const one = life('tumbling', 'b');
    one.hand(0);
    const first = one.commit(1);
    one.stop();
    const two = life('tumbling', 'b', first);
    two.hand(1);
    const second = two.commit(1);
    two.stop();
    const three = life('tumbling', '', second);
    three.hand(1);
    expect([three.rows(), three.late]).toEqual([[], ['b']]);
    three.stop();
  });

  it('is not missing any more once it is settled', () => {
    const one = life('tumbling', 'b');
    one.hand(0);
    one.finish(HITS[1]!);
    expect(one.late).toEqual(['b']);
    const two = life('tumbling', '', one.commit(1));
    two.hand(1);
    expect([two.rows(), two.late]).toEqual([[], []]);
    one.stop();
    two.stop();
  });
});

describe('a record that others passed on the way to a session window', () => {
  it('has no session taken for done that was closed without it', () => {
    const one = life('session', 'b');
    one.hand(0);
    expect(one.rows()).toEqual(['a', 'cd']);
    const two = life('session', '', one.commit(1));
    two.hand(1);
    expect([...two.rows(), ...two.late].join('')).toContain('b');
    one.stop();
    two.stop();
  });
});
