// Small histories written by hand: a good one passes, and each planted fault is found.
import { describe, expect, it } from '@jest/globals';
import { checkHistory } from './check-history.ts';
import { handingKey } from './history.ts';
import type { History, HistoryEvent } from './history.ts';

const SOURCE = 'one:in-1-0';

type Untimed<E> = E extends { readonly atMs: number } ? Omit<E, 'atMs'> : never;
type Step = Untimed<HistoryEvent>;

interface Claim {
  readonly member: string;
  readonly source: string;
  readonly epoch: number;
}

const claim = (member = 'a', epoch = 1): Claim => ({ member, source: SOURCE, epoch });
const key = ({ member, source, epoch }: Claim, offset: number): string =>
  handingKey(member, source, epoch, offset);
const tokenOf = ({ member, epoch }: Claim, offset: number): number =>
  offset + 100 * epoch + 10_000 * member.charCodeAt(0);

/** A record on its whole way through a pipeline of one sink. */
function handed(of: Claim, offset: number): Step[] {
  const token = tokenOf(of, offset);
  return [
    { kind: 'handed', ...of, offset },
    { kind: 'made', token, shares: 1, of: [key(of, offset)], at: 'the source' },
    { kind: 'sent', token, records: 1, at: 'sink' },
  ];
}

function written(of: Claim, offset: number): Step[] {
  const token = tokenOf(of, offset);
  return [
    { kind: 'appended', token, index: 0, at: 'sink' },
    { kind: 'passed', token, at: 'sink' },
    { kind: 'delivered', token },
  ];
}

const acked = (of: Claim, offset: number): Step => ({ kind: 'acked', ...of, offset });
const whole = (of: Claim, offset: number): Step[] => [
  ...handed(of, offset),
  ...written(of, offset),
  acked(of, offset),
];
const committed = (offset: number, member = 'a', generation = 1): Step => ({
  kind: 'committed',
  member,
  source: SOURCE,
  generation,
  offset,
});
const claimed = (of: Claim): Step => ({ kind: 'claimed', ...of });
const lost = (of: Claim): Step => ({ kind: 'ended', how: 'lost', ...of });

function history(steps: readonly Step[], endOffset: number, rest: Partial<History> = {}): History {
  return {
    sources: [{ source: SOURCE, endOffset, poison: [] }],
    creditRecords: 3,
    order: 'input',
    mixesClaims: false,
    buriesPoison: false,
    events: steps.map((step, atMs) => ({ atMs, ...step })),
    writes: [],
    ...rest,
  };
}

const one = claim();

describe('checkHistory', () => {
  it('is content with a plain run', () => {
    const steps = [claimed(one), ...whole(one, 0), ...whole(one, 1), committed(2)];
    expect(checkHistory(history(steps, 2))).toEqual([]);
  });

  it('is content with a crash, whose records another member replays', () => {
    const two = claim('b');
    const steps: Step[] = [
      claimed(one),
      ...whole(one, 0),
      committed(1),
      ...whole(one, 1),
      ...handed(one, 2),
      { kind: 'crashed', member: 'a' },
      claimed(two),
      ...whole(two, 1),
      ...whole(two, 2),
      committed(3, 'b', 2),
    ];
    expect(checkHistory(history(steps, 3))).toEqual([]);
  });

  it('is content with a rewind that starts over at the commit point', () => {
    const again = claim('a', 2);
    const steps: Step[] = [
      claimed(one),
      { kind: 'begun', ...one, start: 0 },
      ...whole(one, 0),
      ...handed(one, 1),
      ...whole(one, 2),
      { kind: 'left', ...one, offset: 1 },
      { kind: 'begun', ...again, start: 1 },
      ...whole(again, 1),
      ...whole(again, 2),
      committed(3),
    ];
    expect(checkHistory(history(steps, 3))).toEqual([]);
  });

  it('finds a commit that passes the first unsettled record', () => {
    const steps = [claimed(one), ...whole(one, 0), ...handed(one, 1), ...whole(one, 2), committed(3)];
    expect(checkHistory(history(steps, 3))).toContainEqual(
      'at 18 ms: a commits 3 of one:in-1-0; 1 was settled 0 times in claim epoch 1, not once',
    );
  });

  it('finds what is sent for a claim that is lost, and not what was on its way', () => {
    const token = tokenOf(one, 0);
    const sealed: Step = { kind: 'sealed', token, at: 'sink' };
    const found = (steps: readonly Step[]): string[] => checkHistory(history(steps, 0));
    expect(found([claimed(one), ...handed(one, 0), sealed, lost(one)])).toEqual([]);
    expect(found([claimed(one), ...handed(one, 0), lost(one), sealed])).toEqual([
      `at 5 ms: sink sends value ${token}, of which every claim is lost`,
    ]);
  });

  it('has a row answer for all that is in it: neither lost before it came out, nor each by itself afterwards', () => {
    const other = claim('b');
    const [token, next] = [tokenOf(one, 0), tokenOf(other, 0)];
    const gathered: Step = { kind: 'gathered', tokens: [token, next], at: 'window' };
    const derived = { kind: 'made', token: 1, shares: 1, of: [key(one, 0)], at: 'map' } as const;
    const row = [key(one, 0), key(other, 0)];
    const sealed = (id: number): Step => ({ kind: 'sealed', token: id, at: 'sink' });
    const begin = [claimed(one), claimed(other), ...handed(one, 0), ...handed(other, 0)];
    const found = (...steps: readonly Step[]): string[] => checkHistory(history([...begin, ...steps], 0));
    expect(found(gathered, lost(one), sealed(token), { ...derived, row }, sealed(1))).toEqual([]);
    expect(found(gathered, lost(one), lost(other), sealed(token))).toEqual([
      `at 11 ms: sink sends value ${token}, of which every claim is lost`,
    ]);
    expect(found(lost(one), gathered)).toEqual([
      `at 9 ms: window gathers value ${token}, of which every claim is lost`,
    ]);
    expect(found(lost(one), derived, sealed(1))).toEqual([
      'at 10 ms: sink sends value 1, of which every claim is lost',
    ]);
  });

  it('finds a commit of the fetch position', () => {
    const steps = [claimed(one), ...whole(one, 0), committed(2)];
    expect(checkHistory(history(steps, 2))).toEqual([
      'at 8 ms: a commits 2 of one:in-1-0; 1 was not handed over in its claim epoch 1',
    ]);
  });

  it('finds a commit that counts what the claim epoch before a rewind had settled', () => {
    const again = claim('a', 2);
    const steps: Step[] = [
      claimed(one),
      { kind: 'begun', ...one, start: 0 },
      ...handed(one, 0),
      ...whole(one, 1),
      { kind: 'begun', ...again, start: 0 },
      ...whole(again, 0),
      ...handed(again, 1),
      committed(2),
    ];
    expect(checkHistory(history(steps, 2))).toEqual([
      'at 23 ms: a commits 2 of one:in-1-0; 1 was settled 0 times in claim epoch 2, not once',
    ]);
  });

  it('finds a record that is settled twice', () => {
    const steps = [claimed(one), ...whole(one, 0), acked(one, 0), committed(1)];
    expect(checkHistory(history(steps, 1))).toEqual([
      'at 8 ms: claim epoch 1 of one:in-1-0 at a is told 2 times that 0 is settled',
      'at 9 ms: a commits 1 of one:in-1-0; 0 was settled 2 times in claim epoch 1, not once',
    ]);
  });

  it('finds a commit that goes back', () => {
    const steps = [claimed(one), ...whole(one, 0), ...whole(one, 1), committed(2), committed(1, 'a', 2)];
    expect(checkHistory(history(steps, 2))).toContain(
      'at 16 ms: a (generation 2) commits 1 of one:in-1-0 after 2',
    );
  });

  it('lets a late commit of the same generation go back, when it is repeated', () => {
    const steps = [claimed(one), ...whole(one, 0), ...whole(one, 1), committed(2), committed(1)];
    expect(checkHistory(history([...steps, committed(2)], 2))).toEqual([]);
    expect(checkHistory(history(steps, 2))).toEqual([
      expect.stringContaining('one:in-1-0 ends at 2, and only 1 is committed'),
    ]);
  });

  it('finds a replay that leaves out an unsettled record', () => {
    const two = claim('b');
    const steps: Step[] = [
      claimed(one),
      ...handed(one, 0),
      ...whole(one, 1),
      lost(one),
      claimed(two),
      ...whole(two, 1),
      committed(2, 'b', 2),
    ];
    expect(checkHistory(history(steps, 2))).toContainEqual(
      expect.stringContaining('hands over 1 and leaves out what follows -1'),
    );
  });

  it('finds a rewind that starts behind an unsettled record', () => {
    const again = claim('a', 2);
    const steps: Step[] = [
      claimed(one),
      ...handed(one, 0),
      ...whole(one, 1),
      { kind: 'begun', ...again, start: 1 },
    ];
    expect(checkHistory(history(steps, 2))[0]).toBe(
      'at 11 ms: claim epoch 2 of one:in-1-0 at a starts over at 1; its commit point was 0 to 0',
    );
  });

  it('finds a record that is settled before the sink has written it', () => {
    const steps: Step[] = [claimed(one), ...handed(one, 0), acked(one, 0), committed(1)];
    expect(checkHistory(history(steps, 1))).toEqual([
      'at 4 ms: claim epoch 1 of one:in-1-0 at a settles 0 while value 970100 of the source is on its way',
    ]);
  });

  it('finds a record that is settled when only one of its children is', () => {
    const parts: Step[] = [
      { kind: 'handed', ...one, offset: 0 },
      { kind: 'made', token: 1, shares: 1, of: [key(one, 0)], at: 'flatMap' },
      { kind: 'made', token: 2, shares: 1, of: [key(one, 0)], at: 'flatMap' },
      { kind: 'used', token: 2, at: 'filter' },
      acked(one, 0),
      { kind: 'delivered', token: 1 },
      committed(1),
    ];
    expect(checkHistory(history([claimed(one), ...parts], 1))).toEqual([
      'at 5 ms: claim epoch 1 of one:in-1-0 at a settles 0 while value 1 of flatMap is on its way',
    ]);
  });

  it('finds a value that a fanOut lost in one branch, and one that came twice', () => {
    const steps: Step[] = [
      claimed(one),
      { kind: 'handed', ...one, offset: 0 },
      { kind: 'made', token: 1, shares: 2, of: [key(one, 0)], at: 'fanOut' },
      { kind: 'used', token: 1, at: 'branch' },
      acked(one, 0),
      { kind: 'used', token: 1, at: 'branch' },
      { kind: 'used', token: 1, at: 'branch' },
      committed(1),
    ];
    expect(checkHistory(history(steps, 1))).toEqual([
      'at 4 ms: claim epoch 1 of one:in-1-0 at a settles 0 while value 1 of fanOut is on its way',
      'at 6 ms: value 1 of fanOut came to branch once more than it exists',
    ]);
  });

  it('finds a record that is settled without anything having been made of it', () => {
    const steps: Step[] = [claimed(one), { kind: 'handed', ...one, offset: 0 }, acked(one, 0), committed(1)];
    expect(checkHistory(history(steps, 1))).toEqual([
      'at 2 ms: claim epoch 1 of one:in-1-0 at a settles 0, of which nothing was made',
    ]);
  });

  it('finds a dead letter that was never written', () => {
    const steps: Step[] = [
      claimed(one),
      { kind: 'handed', ...one, offset: 0 },
      { kind: 'made', token: 1, shares: 1, of: [key(one, 0)], at: 'map' },
      { kind: 'buried', token: 1, at: 'map' },
      acked(one, 0),
      committed(1),
    ];
    expect(checkHistory(history(steps, 1))).toEqual([
      'at 4 ms: claim epoch 1 of one:in-1-0 at a settles 0 before its dead letter is written',
    ]);
    const letter: Step = { kind: 'letter', place: 'in-1-0', offset: 0 };
    expect(checkHistory(history([...steps.slice(0, 4), letter, ...steps.slice(4)], 1))).toEqual([]);
  });

  it('lets records that do not decode be left out, and wants their dead letters where they are to be buried', () => {
    const sources = [{ source: SOURCE, endOffset: 3, poison: [0, 2] }];
    const steps = [claimed(one), ...whole(one, 1), committed(3)];
    expect(checkHistory(history(steps, 3, { sources }))).toEqual([]);
    expect(checkHistory(history(steps, 3, { sources, buriesPoison: true }))).toHaveLength(2);
  });

  it('finds a sink that changes the order of a claim', () => {
    const [first, second] = [0, 1].map((offset) => written(one, offset));
    const steps = [claimed(one), ...handed(one, 0), ...handed(one, 1), ...second!, ...first!];
    expect(checkHistory(history([...steps, acked(one, 0), acked(one, 1), committed(2)], 2))).toEqual([
      'at 11 ms: sink passes value 970100 on out of order, or twice',
      'at 12 ms: value 970100 of offset 0 comes to the end of a|one:in-1-0|1 after 1',
    ]);
  });

  it('finds a claim that hands over beyond its credit, or when it is over', () => {
    const steps = [0, 1, 2, 3].flatMap((offset) => handed(one, offset));
    expect(checkHistory(history([claimed(one), ...steps], 4))[0]).toBe(
      'at 10 ms: claim epoch 1 of one:in-1-0 at a has 4 records unsettled; its credit is 3',
    );
    const late = [claimed(one), ...handed(one, 0), lost(one), ...handed(one, 1)];
    expect(checkHistory(history(late, 2))[0]).toBe(
      'at 5 ms: claim epoch 1 of one:in-1-0 at a hands over 1 when it is over',
    );
  });

  it('finds what is not committed at the end, and a last drain that leaves something', () => {
    const steps: Step[] = [
      claimed(one),
      ...whole(one, 0),
      committed(1),
      { kind: 'mended' },
      { kind: 'ran', member: 'a', unsettled: 1 },
    ];
    expect(checkHistory(history(steps, 2))).toEqual([
      'at 10 ms: a was drained at the end and left 1 unsettled',
      'at 10 ms: one:in-1-0 ends at 2, and only 1 is committed',
    ]);
  });
});
