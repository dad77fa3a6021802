import { beforeEach, describe, expect, it } from '@jest/globals';
import { InFlight } from '../../../src/core/network/in-flight.ts';
import { ProtocolError } from '../../../src/errors.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';

const STALL_MS = 30_000;

let clock: VirtualClock;
let log: string[];
let stalls: number[];
let table: InFlight;

beforeEach(() => {
  clock = new VirtualClock();
  log = [];
  stalls = [];
  table = new InFlight(clock, STALL_MS, (silentMs) => stalls.push(silentMs));
});

function ask(name: string, timeoutMs = 1000): number {
  const id = table.nextCorrelationId;
  table.add(
    {
      onResponse: (frame) => log.push(`${name}=${frame.subarray(4).toString()}`),
      onTimeout: () => log.push(`${name} timed out at ${clock.now()}`),
      onError: (error) => log.push(`${name}: ${error.message}`),
    },
    timeoutMs,
  );
  return id;
}

function answer(correlationId: number, text = 'ok'): Buffer {
  const head = Buffer.alloc(4);
  head.writeInt32BE(correlationId);
  return Buffer.concat([head, Buffer.from(text)]);
}

describe('answers', () => {
  it('go to their requests, in order', () => {
    const ids = [ask('a'), ask('b'), ask('c')];
    expect(new Set(ids).size).toBe(3);
    ids.forEach((id, at) => {
      table.respond(answer(id, String(at)));
    });
    expect(log).toEqual(['a=0', 'b=1', 'c=2']);
    expect(table.size).toBe(0);
  });

  it('go to their requests over thousands of them, with some always open', () => {
    const open: number[] = [];
    for (let n = 0; n < 5000; n += 1) {
      open.push(ask(`r${n}`));
      if (open.length > 5) table.respond(answer(open.shift()!));
    }
    for (const id of open) table.respond(answer(id));
    expect(log).toEqual(Array.from({ length: 5000 }, (_, n) => `r${n}=ok`));
  });

  it('wrap the correlation id around below 2^31', () => {
    table.nextCorrelationId = 2 ** 31 - 1;
    expect([ask('a'), ask('b')]).toEqual([2 ** 31 - 1, 1]);
  });

  it('with the wrong correlation id break the stream', () => {
    const id = ask('a');
    ask('b');
    expect(() => {
      table.respond(answer(id + 1));
    }).toThrow(ProtocolError);
    expect(() => {
      table.respond(answer(77));
    }).toThrow(/answered request 77 where the answer to 1 is due/);
    expect(log).toEqual([]);
  });

  it('to nothing break the stream', () => {
    expect(() => {
      table.respond(answer(5));
    }).toThrow(/nothing was asked/);
    expect(() => {
      table.respond(Buffer.alloc(3));
    }).toThrow(/3 bytes, too short/);
  });
});

describe('deadlines', () => {
  it('fire at their time, whatever the order they came in', async () => {
    ask('slow', 500);
    ask('fast', 100);
    ask('medium', 300);
    await clock.advance(1000);
    expect(log).toEqual(['fast timed out at 100', 'medium timed out at 300', 'slow timed out at 500']);
  });

  it('use one timer', () => {
    for (let n = 0; n < 100; n += 1) ask(`r${n}`, 1000 - n);
    expect(clock.pendingTimers).toBe(1);
  });

  it('leave no timer behind once all is answered and the deadline has passed', async () => {
    const id = ask('a', 100);
    table.respond(answer(id));
    await clock.advance(100);
    expect(clock.pendingTimers).toBe(0);
    expect(log).toEqual(['a=ok']);
  });

  it('keep the place: the late answer is dropped and the next one fits', async () => {
    const late = ask('late', 100);
    const next = ask('next', 1000);
    await clock.advance(200);
    expect(table.size).toBe(2);
    table.respond(answer(late));
    table.respond(answer(next));
    expect(log).toEqual(['late timed out at 100', 'next=ok']);
    expect(table.lateResponses).toBe(1);
  });

  it('let a request be added from the callback', async () => {
    table.add(
      { onResponse: () => undefined, onTimeout: () => ask('again', 50), onError: () => undefined },
      100,
    );
    await clock.advance(200);
    expect(log).toEqual(['again timed out at 150']);
  });
});

describe('requests that are given up', () => {
  it('are not told anything, and their answer is dropped', async () => {
    const id = ask('a');
    const next = ask('b');
    table.abandon(id);
    table.respond(answer(id));
    table.respond(answer(next));
    await clock.advance(2000);
    expect(log).toEqual(['b=ok']);
  });

  it('free their place when they were never written', () => {
    ask('never');
    const id = ask('b');
    table.withdraw(id - 1);
    table.respond(answer(id));
    expect(log).toEqual(['b=ok']);
  });
});

describe('a peer that keeps silent', () => {
  it('is given up when the oldest request was, and nothing came since it was sent', async () => {
    ask('a', 1000);
    await clock.advance(STALL_MS - 1);
    expect(stalls).toEqual([]);
    await clock.advance(1);
    expect(stalls).toEqual([STALL_MS]);
  });

  it('is not given up while it says something', async () => {
    ask('a', 1000);
    await clock.advance(20_000);
    table.heard();
    await clock.advance(STALL_MS - 1);
    expect(stalls).toEqual([]);
    await clock.advance(1);
    expect(stalls).toEqual([STALL_MS]);
  });

  it('is not given up while a long poll waits in front', async () => {
    const poll = ask('poll', 100_000);
    const behind = ask('behind', 1000);
    await clock.advance(90_000);
    expect(stalls).toEqual([]);
    table.heard();
    table.respond(answer(poll));
    await clock.advance(STALL_MS - 1);
    expect(stalls).toEqual([]);
    await clock.advance(1);
    expect(stalls).toEqual([STALL_MS]);
    table.respond(answer(behind));
    expect(log).toEqual(['behind timed out at 1000', 'poll=ok']);
  });

  it('is silent only for as long as it owes an answer', async () => {
    await clock.advance(5000);
    expect(table.silentMs).toBe(0);
    const id = ask('a', 60_000);
    await clock.advance(3000);
    expect(table.silentMs).toBe(3000);
    table.respond(answer(id));
    expect(table.silentMs).toBe(0);
  });
});

it('failAll tells everyone who still waits, and stops the timer', async () => {
  ask('a');
  table.abandon(ask('b'));
  ask('c');
  table.failAll(new Error('gone'));
  expect(log).toEqual(['a: gone', 'c: gone']);
  expect(table.size).toBe(0);
  expect(clock.pendingTimers).toBe(0);
  await clock.advance(100_000);
  expect(stalls).toEqual([]);
});
