// The verifiable producer's run, on the broker in the box and in simulated time.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventWriter } from '../../src/cli/event-writer.ts';
import { ProduceRun, type ProducePlan } from '../../src/cli/produce-run.ts';
import type { Producer, ProducerOptions } from '../../src/core/index.ts';
import { fault } from '../../src/testing/broker/faults/fault.ts';
import { Simulation } from '../core/group/harness.ts';
import { Reader } from './support/reader.ts';

let sim: Simulation;

beforeEach(async () => {
  sim = await Simulation.start({ out: 1 });
});

afterEach(async () => {
  await sim.close();
  expect(sim.box.internalErrors).toEqual([]);
});

class Running {
  readonly reader = new Reader();
  readonly producer: Producer;
  readonly run: ProduceRun;
  readonly stop = new AbortController();
  readonly sending: Promise<void>;
  isSent = false;

  constructor(plan: Partial<ProducePlan>, options?: ProducerOptions) {
    const { clock } = sim;
    this.producer = sim.client().producer(options);
    this.run = new ProduceRun(
      {
        topic: 'out',
        maxMessages: -1,
        throughput: -1,
        createTimeMs: undefined,
        valuePrefix: undefined,
        repeatingKeys: undefined,
        ...plan,
      },
      this.producer,
      new EventWriter(this.reader, clock),
      clock,
    );
    this.sending = this.run.send(this.stop.signal).finally(() => {
      this.isSent = true;
    });
  }

  async finish(): Promise<void> {
    await sim.clock.run(this.sending.then(() => this.producer.close()));
    await sim.clock.settle();
  }

  get acked(): string[] {
    return this.reader.named('producer_send_success').map(({ value }) => value as string);
  }
}

const values = async (): Promise<string[]> =>
  (await sim.box.records('out', 0)).map(({ value }) => value!.toString());

describe('a run', () => {
  it("reports each message as Java's tool does", async () => {
    const running = new Running({ maxMessages: 3, valuePrefix: 7, repeatingKeys: 2, createTimeMs: 1_000 });
    await running.finish();
    const { timestamp: _, ...first } = running.reader.events[0]!;
    expect(Object.keys(running.reader.events[0]!)).toEqual([
      'timestamp',
      'name',
      'key',
      'value',
      'offset',
      'topic',
      'partition',
    ]);
    expect(first).toEqual({
      name: 'producer_send_success',
      topic: 'out',
      partition: 0,
      offset: 0,
      key: '0',
      value: '7.0',
    });
    expect(running.reader.events.map(({ key, value, offset }) => [key, value, offset])).toEqual([
      ['0', '7.0', 0],
      ['1', '7.1', 1],
      ['0', '7.2', 2],
    ]);
    const records = await sim.box.records('out', 0);
    expect(records.map(({ timestamp }) => timestamp)).toEqual([1_000, 1_000, 1_000]);
    expect([running.run.sent, running.run.acked, running.run.unanswered]).toEqual([3, 3, 0]);
  });

  it('has no key unless it is told to', async () => {
    const running = new Running({ maxMessages: 1 });
    await running.finish();
    expect(running.reader.events).toMatchObject([{ key: null, value: '0' }]);
    expect(await sim.box.records('out', 0)).toMatchObject([{ key: null }]);
  });

  it.each([20, 500, 5_000])('of %d messages a second keeps that within 5 per cent', async (throughput) => {
    const forSeconds = 20;
    const running = new Running({ throughput });
    await sim.clock.advance(forSeconds * 1_000);
    running.stop.abort();
    await running.finish();
    const rate = (await values()).length / forSeconds;
    expect(Math.abs(rate / throughput - 1)).toBeLessThan(0.05);
    expect(running.acked).toEqual(await values());
    expect(Math.abs(running.run.averageSince(0) / throughput - 1)).toBeLessThan(0.05);
  });

  it('of 0 messages a second waits to be stopped', async () => {
    const running = new Running({ throughput: 0 });
    await sim.clock.advance(60_000);
    expect([running.isSent, running.run.sent]).toEqual([false, 0]);
    running.stop.abort();
    await running.finish();
  });

  it('stopped in the middle loses nothing that was acknowledged and answers for everything that was sent', async () => {
    sim.box.fault({ match: { api: 'Produce' }, do: fault.delay(50), count: Infinity });
    const running = new Running({ throughput: 2_000 });
    await sim.clock.advance(3_000);
    running.stop.abort();
    await running.finish();
    expect(running.run.unanswered).toBe(0);
    expect(running.run.failed).toBe(0);
    expect(running.acked).toEqual(await values());
    expect(running.acked).toHaveLength(running.run.sent);
  });
});

describe('what goes wrong', () => {
  it('is an event for each message, and the run goes on', async () => {
    const rule = sim.box.fault({
      match: { api: 'Produce' },
      do: fault.error('TOPIC_AUTHORIZATION_FAILED'),
      count: Infinity,
    });
    const running = new Running({ maxMessages: 5, throughput: 1 });
    await sim.clock.advance(2_500);
    rule.remove();
    await running.finish();
    const failed = running.reader.named('producer_send_error');
    expect(failed.length).toBeGreaterThan(0);
    expect(failed[0]).toMatchObject({
      topic: 'out',
      key: null,
      value: '0',
      exception: 'TOPIC_AUTHORIZATION_FAILED',
      message: expect.stringContaining('out'),
    });
    expect(failed.length + running.acked.length).toBe(5);
    expect(running.acked).toEqual(await values());
  });

  it('with the topic too', async () => {
    const running = new Running({ maxMessages: 2, topic: 'nowhere' }, { metadataTimeoutMs: 1_000 });
    await running.finish();
    expect(
      running.reader.named('producer_send_error').map(({ value, exception }) => [value, exception]),
    ).toEqual([
      ['0', 'UNKNOWN_TOPIC_OR_PARTITION'],
      ['1', 'UNKNOWN_TOPIC_OR_PARTITION'],
    ]);
  });
});

describe('a bound', () => {
  it('is kept on messages without an answer', async () => {
    const rule = sim.box.fault({ match: { api: 'Produce' }, do: fault.delay(60_000), count: Infinity });
    const running = new Running({});
    await sim.clock.advance(10_000);
    expect(running.run.unanswered).toBe(20_000);
    rule.remove();
    running.stop.abort();
    await running.finish();
    expect(running.acked).toHaveLength(running.run.sent);
  });

  it('is kept on events that nobody reads', async () => {
    const running = new Running({});
    await sim.clock.advance(20);
    running.reader.standStill();
    await sim.clock.advance(1_000);
    const { sent } = running.run;
    await sim.clock.advance(5_000);
    expect(running.run.sent).toBe(sent);
    running.reader.goOn();
    await sim.clock.advance(20);
    expect(running.run.sent).toBeGreaterThan(sent);
    running.stop.abort();
    await running.finish();
    expect(running.acked).toHaveLength(running.run.sent);
  });
});
