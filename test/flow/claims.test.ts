import { describe, expect, it } from '@jest/globals';
import { NEVER, Subject, type Subscriber } from 'rxjs';
import { UsageError } from '../../src/errors.ts';
import { Claim, createClaim, type ClaimControls } from '../../src/flow/claim.ts';
import { Claims, createClaims, type Rebalance } from '../../src/flow/claims.ts';
import { Flow } from '../../src/flow/flow.ts';
import { currentRuntime, withRuntime, type FlowRuntime } from '../../src/flow/runtime.ts';
import { eachClaim, map } from '../../src/operators/index.ts';
import { collect, ManualSource } from './manual-source.ts';

/** Claims driven by hand. */
class ManualClaims {
  readonly rebalances = new Subject<Rebalance>();
  opened = 0;
  closed = 0;
  out: Subscriber<Claim<string>> | undefined;
  readonly calls: string[] = [];
  readonly claims: Claims<string> = createClaims<string>({
    name: "fromGroup 'orders'",
    rebalances: this.rebalances,
    open: (out) => {
      this.opened++;
      this.out = out;
      return () => {
        this.closed++;
      };
    },
  });

  claim(partition: number): ManualSource<string> {
    const source = new ManualSource<string>();
    const controls: ClaimControls = {
      topic: 'orders',
      partition,
      claimEpoch: 3,
      generation: 7,
      startOffset: 10,
      position: 15,
      committedOffset: 12,
      highWatermark: 20,
      lag: 5,
      pause: () => void this.calls.push('pause'),
      resume: () => void this.calls.push('resume'),
      seek: (offset) => void this.calls.push(`seek ${offset}`),
    };
    this.out!.next(createClaim(controls, (subscriber) => source.flow.subscribe(subscriber)));
    return source;
  }
}

describe('Claims', () => {
  it('as a Flow, are all claims merged; a claim that ends does not end it', () => {
    const group = new ManualClaims();
    const out = collect(group.claims);
    const [zero, one] = [group.claim(0), group.claim(1)];
    zero.emit('a');
    one.emit('b');
    zero.complete();
    one.emit('c');
    expect(out.values).toEqual(['a', 'b', 'c']);
    expect(out.ended).toEqual([]);
    group.out!.complete();
    expect(out.ended).toEqual([]);
    one.complete();
    expect(out.ended).toEqual(['complete']);
    expect(group.closed).toBe(1);
  });

  it('are Flows, and so are their claims; pipe takes stages and eachClaim first', () => {
    const { claims } = new ManualClaims();
    expect(claims).toBeInstanceOf(Claims);
    expect(claims).toBeInstanceOf(Flow);
    expect(claims.pipe()).toBe(claims);
    expect(claims.pipe(map((x) => x))).toBeInstanceOf(Flow);
    expect(() => (claims as unknown as { pipe(stage: unknown): unknown }).pipe(() => NEVER)).toThrow(
      UsageError,
    );
  });

  it('are subscribed once, as a flow or claim by claim; the error names fanOut', () => {
    const group = new ManualClaims();
    const first = collect(group.claims);
    for (const again of [
      group.claims,
      group.claims.pipe(map((x) => x)),
      group.claims.pipe(eachClaim((claim) => claim)),
    ]) {
      const [error] = collect(again).ended;
      expect(error).toBeInstanceOf(UsageError);
      expect(String(error)).toMatch(/fromGroup 'orders' is subscribed a second time.*fanOut/);
    }
    const errors: unknown[] = [];
    group.claims.claims.subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).toHaveLength(1);
    first.stop();
    expect(collect(group.claims).ended).toHaveLength(1);
    expect(group.opened).toBe(1);
  });

  it('stop reading when they are unsubscribed', () => {
    const group = new ManualClaims();
    const out = collect(group.claims);
    const claim = group.claim(0);
    out.stop();
    expect(claim.subscriber?.closed).toBe(true);
    expect(group.closed).toBe(1);
  });

  it('pass the error of a claim and of the source on, and stop the rest', () => {
    for (const which of ['claim', 'source']) {
      const group = new ManualClaims();
      const out = collect(group.claims);
      const [zero, one] = [group.claim(0), group.claim(1)];
      if (which === 'claim') zero.error('lost');
      else group.out!.error('lost');
      expect(out.ended).toEqual(['lost']);
      expect(one.subscriber?.closed).toBe(true);
      expect(group.closed).toBe(1);
    }
  });

  it('tell of rebalances', () => {
    const group = new ManualClaims();
    const seen: Rebalance[] = [];
    group.claims.rebalances.subscribe((event) => seen.push(event));
    const event: Rebalance = { kind: 'claimed', topic: 'orders', partition: 0, claimEpoch: 1 };
    group.rebalances.next(event);
    expect(seen).toEqual([event]);
  });
});

describe('Claim', () => {
  it('shows and steers its partition', () => {
    const group = new ManualClaims();
    const claims: Claim<string>[] = [];
    group.claims.claims.subscribe((claim) => claims.push(claim));
    group.claim(7);
    const [claim] = claims;
    expect(claim).toBeInstanceOf(Claim);
    expect(claim).toMatchObject({
      topic: 'orders',
      partition: 7,
      claimEpoch: 3,
      generation: 7,
      startOffset: 10,
      position: 15,
      committedOffset: 12,
      highWatermark: 20,
      lag: 5,
    });
    claim!.pause();
    claim!.resume();
    claim!.seek(12);
    expect(group.calls).toEqual(['pause', 'resume', 'seek 12']);
  });
});

describe('pausing', () => {
  function opened(): { group: ManualClaims; claims: Claim<string>[] } {
    const group = new ManualClaims();
    const claims: Claim<string>[] = [];
    group.claims.claims.subscribe((claim) => claims.push(claim));
    return { group, claims };
  }

  it('all claims pauses those that come later too, until all are resumed', () => {
    const { group } = opened();
    group.claim(0);
    group.claims.pauseAll();
    expect(group.calls).toEqual(['pause']);
    group.claim(1);
    expect(group.calls).toEqual(['pause', 'pause']);
    group.claims.pauseAll();
    expect(group.calls).toHaveLength(2);
    group.claims.resumeAll();
    expect(group.calls).toEqual(['pause', 'pause', 'resume', 'resume']);
    group.claim(2);
    expect(group.calls).toHaveLength(4);
  });

  it('before there are claims holds for the first', () => {
    const group = new ManualClaims();
    group.claims.pauseAll('orders');
    group.claims.claims.subscribe();
    group.claim(0);
    expect(group.calls).toEqual(['pause']);
  });

  it('of one topic is apart from the others; the last word about it counts', () => {
    const { group } = opened();
    group.claim(0);
    group.claims.pauseAll('invoices');
    expect(group.calls).toEqual([]);
    group.claims.pauseAll();
    group.claims.resumeAll('orders');
    expect(group.calls).toEqual(['pause', 'resume']);
    group.claims.pauseAll();
    expect(group.calls).toEqual(['pause', 'resume', 'pause']);
  });

  it('a claim and all claims are two things: it goes on when neither has it paused', () => {
    const { group, claims } = opened();
    group.claim(0);
    claims[0]!.pause();
    group.claims.pauseAll();
    claims[0]!.resume();
    expect(group.calls).toEqual(['pause']);
    claims[0]!.pause();
    group.claims.resumeAll();
    expect(group.calls).toEqual(['pause']);
    claims[0]!.resume();
    claims[0]!.resume();
    expect(group.calls).toEqual(['pause', 'resume']);
  });
});

describe('eachClaim', () => {
  it('opens a lane for each claim and merges what the lanes emit', () => {
    const group = new ManualClaims();
    const out = collect(
      group.claims.pipe(eachClaim((claim) => claim.pipe(map((x) => `${claim.partition}${x}`)))),
    );
    const [zero, one] = [group.claim(0), group.claim(1)];
    one.emit('a');
    zero.emit('b');
    zero.complete();
    const again = group.claim(0);
    again.emit('c');
    expect(out.values).toEqual(['1a', '0b', '0c']);
    expect(out.ended).toEqual([]);
    for (const source of [zero, one, again]) expect(source.marked('nack')).toBe('');
  });

  it('begins every lane anew', () => {
    const group = new ManualClaims();
    const counts = eachClaim((claim: Claim<string>) => {
      let count = 0;
      return claim.pipe(map(() => ++count));
    });
    const out = collect(group.claims.pipe(counts));
    const first = group.claim(0);
    first.emit('a');
    first.emit('b');
    first.complete();
    group.claim(0).emit('c');
    expect(out.values).toEqual([1, 2, 1]);
  });

  it('is called by its name in messages', () => {
    const group = new ManualClaims();
    const out = collect(group.claims.pipe(eachClaim((() => NEVER) as never, { name: 'counts' })));
    group.claim(0);
    expect(String(out.ended[0])).toMatch(/eachClaim 'counts': the lane did not answer with a Flow/);
  });

  it('ends with a UsageError for a lane that is no Flow, and with what the lane function throws', () => {
    for (const [lane, message] of [
      [(() => NEVER) as never, /the lane did not answer with a Flow/],
      [
        () => {
          throw new Error('boom');
        },
        /boom/,
      ],
    ] as const) {
      const group = new ManualClaims();
      const out = collect(group.claims.pipe(eachClaim(lane)));
      group.claim(0);
      expect(String(out.ended[0])).toMatch(message);
      expect(group.closed).toBe(1);
    }
  });

  it('makes lanes within the topology that subscribed, long after', () => {
    const group = new ManualClaims();
    const runtime = {} as FlowRuntime;
    const seen: unknown[] = [];
    const flow = group.claims.pipe(eachClaim((claim) => (seen.push(currentRuntime()), claim)));
    withRuntime(runtime, () => collect(flow));
    group.claim(0);
    expect(seen).toEqual([runtime]);
    expect(currentRuntime()).toBeUndefined();
  });
});
