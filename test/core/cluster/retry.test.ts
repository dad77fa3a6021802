import { beforeEach, describe, expect, it } from '@jest/globals';
import { backoffMs, brokerError, withRetry } from '../../../src/core/cluster/retry.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import type { BrokerError } from '../../../src/errors.ts';
import { ConnectionError, TimeoutError, UsageError } from '../../../src/errors.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';
import { rejection } from '../../helpers/rejection.ts';

const backoff = { minDelayMs: 100, maxDelayMs: 1000 };

let clock: VirtualClock;
let context: { clock: VirtualClock; random: () => number; closing?: AbortSignal };

beforeEach(() => {
  clock = new VirtualClock();
  context = { clock, random: () => 0.5 };
});

const leaderMoved = (): BrokerError =>
  brokerError(ERRORS.NOT_LEADER_OR_FOLLOWER, { api: 'Produce', topic: 't', partition: 3 });
const unreachable = (): ConnectionError =>
  new ConnectionError('no way', { host: 'a', port: 1, phase: 'dial' });

describe('withRetry', () => {
  it('tries again while the error is retriable, with doubling pauses', async () => {
    const at: number[] = [];
    const result = withRetry(context, 'It', { deadlineMs: 10_000, backoff }, (n) => {
      at.push(clock.now());
      return n < 7 ? Promise.reject(leaderMoved()) : Promise.resolve(n);
    });
    expect(await clock.run(result)).toBe(7);
    expect(at).toEqual([0, 100, 300, 700, 1500, 2500, 3500]);
  });

  it('jitters the pauses by a fifth', () => {
    expect([0, 0.5, 0.999].map((value) => Math.round(backoffMs(1, 100, 1000, () => value)))).toEqual([
      80, 100, 120,
    ]);
    expect(backoffMs(500, 100, 1000, () => 0.5)).toBe(1000);
  });

  it('passes on at once what cannot be helped', async () => {
    const error = new UsageError('wrong');
    let attempts = 0;
    const result = withRetry(context, 'It', { deadlineMs: 1000 }, () => {
      attempts += 1;
      return Promise.reject(error);
    });
    expect(await rejection(result)).toBe(error);
    expect(attempts).toBe(1);
    expect(
      await rejection(
        withRetry(context, 'It', { deadlineMs: 1000 }, () => Promise.reject(new TypeError('bug'))),
      ),
    ).toBeInstanceOf(TypeError);
  });

  it('ends at its deadline with the last error as the cause', async () => {
    const result = withRetry(context, 'Finding it', { deadlineMs: 1000, backoff }, () =>
      Promise.reject(leaderMoved()),
    );
    const error = await clock.run(rejection<TimeoutError>(result));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error.message).toMatch(
      /^Finding it did not succeed within 1000 ms \(\d attempts\); the last error was: Produce for t-3: NOT_LEADER/,
    );
    expect(error).toMatchObject({ afterMs: 1000, sent: true, retriable: true });
    expect((error.cause as BrokerError).errorName).toBe('NOT_LEADER_OR_FOLLOWER');
    expect(clock.now()).toBeLessThanOrEqual(1000);
    expect(clock.now()).toBeGreaterThan(850);
  });

  it('ends at its deadline also when an attempt never comes back', async () => {
    const result = withRetry(context, 'It', { deadlineMs: 1000, backoff }, (n) =>
      n === 1 ? Promise.reject(unreachable()) : new Promise(() => undefined),
    );
    const error = await clock.run(rejection<TimeoutError>(result));
    expect(clock.now()).toBe(1000);
    expect((error.cause as Error).message).toBe('no way');
    expect(error.sent).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('names the error before an attempt that had only what was left', async () => {
    const result = withRetry(context, 'It', { deadlineMs: 1000, backoff }, (n, remainingMs) => {
      if (n === 1) return Promise.reject(leaderMoved());
      return new Promise((_resolve, reject) => {
        clock.setTimeout(
          () => reject(new TimeoutError('too late', { afterMs: remainingMs, sent: true })),
          remainingMs,
        );
      });
    });
    const error = await clock.run(rejection<TimeoutError>(result));
    expect((error.cause as BrokerError).errorName).toBe('NOT_LEADER_OR_FOLLOWER');
    expect(error.message).toContain('the last error was: Produce for t-3: NOT_LEADER');
    expect(error.sent).toBe(true);
  });

  it('says that nothing was sent when nothing was', async () => {
    const result = withRetry(context, 'It', { deadlineMs: 1000, backoff }, () =>
      Promise.reject(unreachable()),
    );
    expect(await clock.run(rejection<TimeoutError>(result))).toMatchObject({ sent: false });
  });

  it('tells each attempt what remains', async () => {
    const remaining: number[] = [];
    const result = withRetry(context, 'It', { deadlineMs: 1000, backoff }, (n, remainingMs) => {
      remaining.push(remainingMs);
      return n < 3 ? Promise.reject(leaderMoved()) : Promise.resolve();
    });
    await clock.run(result);
    expect(remaining).toEqual([1000, 900, 700]);
  });

  it('stops after as many repetitions as were asked for, with the last error itself', async () => {
    let attempts = 0;
    const result = withRetry(context, 'It', { deadlineMs: 100_000, backoff, retries: 2 }, () => {
      attempts += 1;
      return Promise.reject(leaderMoved());
    });
    expect(await clock.run(rejection<BrokerError>(result))).toMatchObject({
      errorName: 'NOT_LEADER_OR_FOLLOWER',
    });
    expect(attempts).toBe(3);
  });

  it("keeps an attempt's own timeout apart from its deadline", async () => {
    let attempts = 0;
    const result = withRetry(context, 'It', { deadlineMs: 10_000, backoff }, () => {
      attempts += 1;
      return attempts < 3
        ? Promise.reject(new TimeoutError('slow', { afterMs: 10, sent: true }))
        : Promise.resolve('done');
    });
    expect(await clock.run(result)).toBe('done');
  });

  it.each(['signal', 'closing'] as const)(
    'ends at once by its %s, in a pause and in an attempt',
    async (which) => {
      for (const attempt of [() => Promise.reject(leaderMoved()), () => new Promise(() => undefined)]) {
        const controller = new AbortController();
        const other = new AbortController();
        const result = rejection(
          withRetry(
            { ...context, closing: which === 'closing' ? controller.signal : other.signal },
            'It',
            { deadlineMs: 10_000, backoff, signal: which === 'signal' ? controller.signal : other.signal },
            attempt,
          ),
        );
        await clock.advance(50);
        controller.abort(new Error('enough'));
        expect((await result).message).toBe('enough');
        expect(clock.pendingTimers).toBe(0);
      }
    },
  );

  it('refuses to start on a closed client', async () => {
    const closing = AbortSignal.abort(new Error('closed'));
    const result = withRetry({ ...context, closing }, 'It', { deadlineMs: 10 }, () => Promise.resolve());
    expect(await rejection(result)).toBeInstanceOf(UsageError);
  });
});

describe('brokerError', () => {
  it('says what, where, and in whose words', () => {
    const error = brokerError(ERRORS.NOT_LEADER_OR_FOLLOWER, { api: 'Produce', topic: 't', partition: 3 });
    expect(error).toMatchObject({
      errorName: 'NOT_LEADER_OR_FOLLOWER',
      retriable: true,
      api: 'Produce',
      topic: 't',
      partition: 3,
    });
    expect(error.message).toMatch(
      /^Produce for t-3: NOT_LEADER_OR_FOLLOWER \(6\): the broker is not the leader/,
    );
    const detailed = brokerError(ERRORS.TOPIC_ALREADY_EXISTS, {
      api: 'CreateTopics',
      topic: 't',
      detail: "Topic 't' already exists.",
    });
    expect(detailed.message).toBe("CreateTopics for t: TOPIC_ALREADY_EXISTS (36): Topic 't' already exists.");
    expect(detailed.retriable).toBe(false);
  });

  it('survives a code Kafka has not invented yet', () => {
    const error = brokerError(9999, { api: 'Fetch' });
    expect(error.errorName).toBe('UNKNOWN_SERVER_ERROR');
    expect(error.message).toContain('9999');
  });
});
