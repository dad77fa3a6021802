import { describe, expect, it } from '@jest/globals';
import { Subject, take, type Subscriber } from 'rxjs';
import { createClaim, type Claim, type ClaimControls } from '../../src/flow/claim.ts';
import { createClaims, type Claims, type Rebalance } from '../../src/flow/claims.ts';
import type { Flow } from '../../src/flow/flow.ts';
import { fail, retry, skip } from '../../src/flow/policy.ts';
import {
  batch,
  countWindow,
  dropping,
  eachClaim,
  filter,
  map,
  mapAsync,
  merge,
} from '../../src/operators/index.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

/** A source of claims driven by hand; it counts the subscriptions of each. */
class Group {
  readonly opened: string[] = [];
  readonly closed: string[] = [];
  private out: Subscriber<Claim<string>> | undefined;
  private epochs = 0;
  readonly claims: Claims<string> = createClaims<string>({
    name: "fromGroup 'orders'",
    rebalances: new Subject<Rebalance>(),
    open: (out) => {
      this.out = out;
      return () => void this.closed.push('group');
    },
  });

  claim(partition: number): ManualSource<string> {
    const source = new ManualSource<string>();
    const claimEpoch = ++this.epochs;
    const name = `${partition}/${claimEpoch}`;
    const controls: ClaimControls = {
      topic: 'orders',
      partition,
      generation: 1,
      position: 0,
      committedOffset: undefined,
      claimEpoch,
      startOffset: 0,
      highWatermark: 0,
      lag: 0,
      pause: () => undefined,
      resume: () => undefined,
      seek: () => undefined,
    };
    const claim = createClaim<string>(controls, (subscriber) => {
      this.opened.push(name);
      subscriber.add(() => void this.closed.push(name));
      return source.flow.subscribe(subscriber);
    });
    this.out!.next(claim);
    return source;
  }

  complete(): void {
    this.out!.complete();
  }

  error(cause: unknown): void {
    this.out!.error(cause);
  }
}

/** What a source does when its claim is given away: `revoking`, then the end of the inner flow. */
function revoke(source: ManualSource<string>): void {
  source.revoke();
  source.complete();
}

function lose(source: ManualSource<string>): void {
  source.lose();
  source.complete();
}

const named = (claim: Claim<string>): Flow<string> =>
  claim.pipe(map((value) => `${claim.partition}/${claim.claimEpoch}:${value}`));

describe('a lane of eachClaim', () => {
  it('begins with its claim, ends with it, and begins anew with the next epoch', () => {
    const group = new Group();
    const out = collect(group.claims.pipe(eachClaim(named)));
    const [zero, one] = [group.claim(0), group.claim(1)];
    zero.emit('a');
    one.emit('b');
    revoke(zero);
    expect(group.closed).toEqual(['0/1']);
    const again = group.claim(0);
    again.emit('a');
    one.emit('c');
    expect(out.values).toEqual(['0/1:a', '1/2:b', '0/3:a', '1/2:c']);
    expect(group.opened).toEqual(['0/1', '1/2', '0/3']);
    expect(out.ended).toEqual([]);
  });

  it('is over with the flow: when it is unsubscribed, all claims and the group are', () => {
    const group = new Group();
    const out = collect(group.claims.pipe(eachClaim(named)));
    group.claim(0);
    group.claim(1);
    out.stop();
    expect(group.closed.sort()).toEqual(['0/1', '1/2', 'group']);
  });

  it('keeps the flow open until the last one has ended, after the group has', () => {
    const group = new Group();
    const answer = new Subject<string>();
    const asked = eachClaim((claim: Claim<string>) =>
      claim.pipe(mapAsync(() => answer, { concurrency: 1, order: 'input' })),
    );
    const out = collect(group.claims.pipe(asked));
    const zero = group.claim(0);
    zero.emit('a');
    group.complete();
    zero.complete();
    expect(out.ended).toEqual([]);
    answer.next('A');
    expect(out.values).toEqual(['A']);
    expect(out.ended).toEqual(['complete']);
  });

  it('that ends before its claim leaves that partition, and the others go on', () => {
    const group = new Group();
    const out = collect(group.claims.pipe(eachClaim((claim) => claim.pipe(dropping(take(1), 0)))));
    const [zero, one] = [group.claim(0), group.claim(1)];
    zero.emit('a');
    expect(group.closed).toEqual(['0/1']);
    one.emit('b');
    expect(out.values).toEqual(['a', 'b']);
    expect(out.ended).toEqual([]);
    group.complete();
    expect(out.ended).toEqual(['complete']);
  });

  it('may leave its claim unread', () => {
    const group = new Group();
    const empty = merge<readonly string[]>();
    const out = collect(group.claims.pipe(eachClaim(() => empty)));
    group.claim(0);
    expect(group.opened).toEqual([]);
    group.complete();
    expect(out.ended).toEqual(['complete']);
  });

  it('emits when another one’s value brings its own, in between', () => {
    const group = new Group();
    const sources: ManualSource<string>[] = [];
    const flow = group.claims.pipe(
      eachClaim(named),
      map((value) => {
        if (value === '0/1:a') sources[1]!.emit('b');
        return value;
      }),
    );
    const out = collect(flow);
    sources.push(group.claim(0), group.claim(1));
    sources[0]!.emit('a');
    expect(out.values).toEqual(['1/2:b', '0/1:a']);
    expect(sources.map((source) => source.marked('ack'))).toEqual(['a', 'b']);
  });
});

describe('an error in one claim', () => {
  const lane =
    (onError = fail) =>
    (claim: Claim<string>): Flow<string> =>
      claim.pipe(
        map(
          (value) => {
            if (value === 'bad') throw new Error('boom');
            return value;
          },
          { onError },
        ),
      );

  it('that a policy takes is that record’s alone', () => {
    const group = new Group();
    const out = collect(group.claims.pipe(eachClaim(lane(skip))));
    const [zero, one] = [group.claim(0), group.claim(1)];
    zero.emit('bad');
    zero.emit('a');
    one.emit('b');
    expect(out.values).toEqual(['a', 'b']);
    expect(zero.marked('ack')).toBe('bad a');
  });

  it('that no policy takes is told to its claim, and the other lanes go on until the source says so', () => {
    const group = new Group();
    const out = collect(group.claims.pipe(eachClaim(lane())));
    const [zero, one] = [group.claim(0), group.claim(1)];
    zero.emit('bad');
    one.emit('b');
    expect(zero.marked('nack')).toBe('bad');
    expect(out.values).toEqual(['b']);
    expect(out.ended).toEqual([]);
  });

  it('of the lane’s flow ends them all, and what they keep is left unsettled', () => {
    const group = new Group();
    const collected = eachClaim((claim: Claim<string>) => claim.pipe(countWindow({ records: 10 })));
    const out = collect(group.claims.pipe(collected));
    const [zero, one] = [group.claim(0), group.claim(1)];
    zero.emit('a');
    one.emit('b');
    zero.error(new Error('lost its mind'));
    expect(out.ended).toEqual([new Error('lost its mind')]);
    expect(out.values).toEqual([]);
    expect(zero.marked('give-up')).toBe('a');
    expect(one.marked('give-up')).toBe('b');
    expect(group.closed.sort()).toEqual(['0/1', '1/2', 'group']);
  });

  it('of the source of claims does too', () => {
    const group = new Group();
    const out = collect(
      group.claims.pipe(eachClaim((claim) => claim.pipe(batch({ maxRecords: 10, withinMs: 100 })))),
    );
    const zero = group.claim(0);
    zero.emit('a');
    group.error('fenced');
    expect(out.ended).toEqual(['fenced']);
    expect(zero.marked('give-up')).toBe('a');
    expect(group.closed.sort()).toEqual(['0/1', 'group']);
  });

  it('that waits for its next attempt does not hold the others up', async () => {
    const group = new Group();
    let failures = 0;
    const flow = group.claims.pipe(
      eachClaim((claim) =>
        claim.pipe(
          map(
            (value) => {
              if (value === 'bad' && ++failures < 3) throw new Error('boom');
              return value;
            },
            { onError: retry({ attempts: 3, minDelayMs: 100 }) },
          ),
        ),
      ),
    );
    const out = collect(flow);
    const [zero, one] = [group.claim(0), group.claim(1)];
    zero.emit('bad');
    zero.emit('a');
    one.emit('b');
    expect(out.values).toEqual(['b']);
    await zero.time.advance(300);
    expect(out.values).toEqual(['b', 'bad', 'a']);
  });
});

describe('a claim that is given away', () => {
  it('flushes what its lane collects, and no other lane', () => {
    const group = new Group();
    const out = collect(group.claims.pipe(eachClaim((claim) => claim.pipe(countWindow({ records: 10 })))));
    const [zero, one] = [group.claim(0), group.claim(1)];
    zero.emit('a');
    zero.emit('b');
    one.emit('c');
    revoke(zero);
    expect(out.values).toEqual([['a', 'b']]);
    expect(zero.marked('ack')).toBe('a b');
    expect(one.events).toEqual([]);
  });

  it('may still be settled: calls that run, their results, and stages behind the lanes', async () => {
    const group = new Group();
    const answers = new Map<string, (value: string) => void>();
    const flow = group.claims.pipe(
      eachClaim((claim) =>
        claim.pipe(
          mapAsync((value) => new Promise<string>((resolve) => answers.set(value, resolve)), {
            concurrency: 4,
            order: 'input',
          }),
        ),
      ),
      filter((value) => value !== 'B'),
    );
    const out = collect(flow);
    const zero = group.claim(0);
    for (const value of 'abc') zero.emit(value);
    revoke(zero);
    const again = group.claim(0);
    again.emit('d');
    for (const value of 'dcba') answers.get(value)!(value.toUpperCase());
    await new Promise((resolve) => setImmediate(resolve));
    expect(out.values.sort()).toEqual(['A', 'C', 'D']);
    expect(zero.marked('ack')).toBe('a b c');
    expect(again.marked('ack')).toBe('d');
    expect(group.closed).toEqual(['0/1']);
  });

  it('leaves the records that wait for their next attempt to the next owner', async () => {
    const group = new Group();
    const flow = group.claims.pipe(
      eachClaim((claim) =>
        claim.pipe(
          map(
            (value): string => {
              throw new Error(value);
            },
            { onError: retry({ attempts: 3, minDelayMs: 1_000 }) },
          ),
        ),
      ),
    );
    const out = collect(flow);
    const zero = group.claim(0);
    zero.emit('a');
    zero.emit('b');
    revoke(zero);
    await zero.time.advance(10_000);
    expect(zero.marked('give-up')).toBe('a b');
    expect(zero.marked('nack')).toBe('');
    expect(out.values).toEqual([]);
    group.complete();
    expect(out.ended).toEqual(['complete']);
  });
});

describe('a claim that is lost', () => {
  it('gives up what its lane collects, aborts its calls, and the other lanes go on', async () => {
    const group = new Group();
    const signals: AbortSignal[] = [];
    const flow = group.claims.pipe(
      eachClaim((claim) =>
        claim.pipe(
          mapAsync(
            (value, { signal }) => {
              signals.push(signal);
              return value === 'slow'
                ? new Promise<string>((_, reject) => {
                    signal.addEventListener('abort', () => reject(new Error('stopped')));
                  })
                : Promise.resolve(value);
            },
            { concurrency: 4, order: 'input' },
          ),
          batch({ maxRecords: 2, withinMs: 100 }),
        ),
      ),
    );
    const out = collect(flow);
    const [zero, one] = [group.claim(0), group.claim(1)];
    for (const value of ['a', 'slow', 'b']) zero.emit(value);
    for (const value of ['c', 'd']) one.emit(value);
    await new Promise((resolve) => setImmediate(resolve));
    expect(out.values).toEqual([['c', 'd']]);
    lose(zero);
    await new Promise((resolve) => setImmediate(resolve));
    expect(signals[1]!.aborted).toBe(true);
    expect(zero.marked('ack')).toBe('');
    expect(zero.marked('nack')).toBe('');
    expect(zero.marked('give-up').split(' ').sort()).toEqual(['a', 'b', 'slow']);
    expect(out.values).toEqual([['c', 'd']]);
    expect(out.ended).toEqual([]);
    group.claim(0).emit('a');
    one.emit('e');
    one.emit('f');
    await new Promise((resolve) => setImmediate(resolve));
    expect(out.values).toEqual([
      ['c', 'd'],
      ['e', 'f'],
    ]);
  });
});
