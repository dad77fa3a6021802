import { describe, expect, it } from '@jest/globals';
import { BrokerError, OutcomeUnknownError, TimeoutError } from '../../../src/errors.ts';
import type { Sequence } from '../../../src/core/producer/sequence.ts';
import type { Topics } from '../../../src/core/producer/topics.ts';
import type { Fault } from './fake-cluster.ts';
import { Setup, TOPIC } from './setup.ts';

const ABC = ['a', 'b', 'c', 'd', 'e'];

describe('a producer that has to send again', () => {
  it.each<[string, Fault[]]>([
    ['a connection that breaks', ['drop', 'drop', 'drop']],
    ['answers that are lost after the append', ['apply-drop', 'apply-drop', 'apply-drop']],
    ['brokers that do not answer', ['hang', 'late', 'hang']],
    ['retriable errors', [6, 19, 5]],
    ['errors after the append', [{ apply: 7 }, { apply: 20 }, { apply: 6 }]],
  ])('keeps order and doubles nothing over %s', async (_name, faults) => {
    const setup = new Setup();
    await setup.warmUp();
    setup.cluster.faults = faults;
    await setup.sendApart(ABC);
    await setup.drain();
    expect(setup.values().slice(1)).toEqual(ABC);
    expect(setup.recorder.ids('acked').slice(1)).toEqual(ABC);
    expect(setup.cluster.log(TOPIC, 0).conflicts).toBe(0);
  });

  it('reports the offset of a batch whose first answer was lost', async () => {
    const setup = new Setup();
    await setup.warmUp();
    setup.cluster.faults = ['apply-drop'];
    setup.send(['a', 'b']);
    await setup.drain();
    expect(setup.recorder.fates.get('b')).toMatchObject({ kind: 'acked', offset: 2 });
  });

  it('takes DUPLICATE_SEQUENCE_NUMBER as success without an offset', async () => {
    const setup = new Setup();
    await setup.warmUp();
    setup.cluster.faults = [{ apply: 46 }];
    setup.send(['a']);
    await setup.drain();
    expect(setup.recorder.fates.get('a')).toMatchObject({ kind: 'acked', offset: -1 });
  });

  it('follows a leader hint at once', async () => {
    const setup = new Setup();
    await setup.warmUp();
    setup.cluster.hints = true;
    setup.cluster.moveLeader(TOPIC, 0, 1);
    const refreshes = setup.cluster.refreshes;
    setup.send(['a']);
    await setup.cluster.clock.advance(11);
    expect(setup.recorder.outcome('a')).toBe('acked');
    expect(setup.cluster.refreshes).toBe(refreshes);
    expect(setup.cluster.produced.map(({ nodeId }) => nodeId)).toEqual([0, 0, 1]);
  });

  it('asks for the new leader where there is no hint', async () => {
    const setup = new Setup();
    await setup.warmUp();
    setup.cluster.moveLeader(TOPIC, 0, 1);
    setup.send(['a']);
    await setup.drain();
    expect(setup.recorder.outcome('a')).toBe('acked');
    expect(setup.cluster.produced.at(-1)!.nodeId).toBe(1);
  });

  it('waits longer from one try to the next', async () => {
    const setup = new Setup(1, { retryBackoffMs: 100, retryBackoffMaxMs: 1000 });
    await setup.warmUp();
    setup.cluster.faults = [19, 19, 19, 19, 19, 19];
    setup.send(['a']);
    await setup.drain();
    const at = setup.cluster.produced.slice(1).map((request) => request.at);
    const gaps = at.slice(1).map((time, i) => time - at[i]! - 5);
    for (const [i, gap] of gaps.entries()) {
      const base = Math.min(1000, 100 * 2 ** i);
      expect(gap).toBeGreaterThanOrEqual(base * 0.8);
      expect(gap).toBeLessThanOrEqual(base * 1.2 + 1);
    }
    expect(gaps.length).toBe(6);
  });

  it('waits for every answer that is out before it sends again, and then sends one batch ahead', async () => {
    const setup = new Setup();
    await setup.warmUp();
    setup.cluster.latencyMs = 100;
    setup.cluster.faults = [19];
    await setup.sendApart(ABC);
    await setup.cluster.clock.advance(450);
    expect(setup.cluster.produced.length).toBe(6);
    await setup.cluster.clock.advance(140);
    expect(setup.cluster.produced.length).toBe(7);
    await setup.cluster.clock.advance(20);
    expect(setup.cluster.produced.length).toBe(11);
    await setup.drain();
    expect(setup.values().slice(1)).toEqual(ABC);
  });

  it('fails what is refused for good and goes on with the rest', async () => {
    const setup = new Setup();
    await setup.warmUp();
    setup.cluster.faults = ['ok', 87];
    await setup.sendApart(ABC);
    await setup.drain();
    expect(setup.outcomes(ABC)).toEqual(['acked', 'INVALID_RECORD', 'acked', 'acked', 'acked']);
    expect(setup.values()).toEqual(['warm-0', 'a', 'c', 'd', 'e']);
    expect(setup.recorder.order).toEqual(['warm-0', ...ABC]);
    expect(setup.recorder.error('b')).toMatchObject({ retriable: false, topic: TOPIC, partition: 0 });
    expect(setup.producer.counters.epochBumps).toBe(1);
  });

  it('calls a refusal after an unanswered try what it is: unknown', async () => {
    const setup = new Setup();
    await setup.warmUp();
    setup.cluster.faults = ['apply-drop', 29];
    setup.send(['a']);
    await setup.drain();
    expect(setup.recorder.error('a')).toBeInstanceOf(OutcomeUnknownError);
    expect(setup.recorder.error('a').cause).toBeInstanceOf(BrokerError);
  });

  it('goes on when the log has lost records and with them its sequence', async () => {
    const setup = new Setup();
    await setup.warmUp();
    setup.send(['lost']);
    await setup.drain();
    setup.cluster.log(TOPIC, 0).truncate(1);
    await setup.sendApart(ABC);
    await setup.drain();
    expect(setup.values()).toEqual(['warm-0', ...ABC]);
    expect(setup.outcomes(ABC)).toEqual(ABC.map(() => 'acked'));
  });

  it.each([
    ['UNKNOWN_PRODUCER_ID', 59],
    ['INVALID_PRODUCER_EPOCH', 47],
    ['INVALID_PRODUCER_ID_MAPPING', 49],
    ['PRODUCER_FENCED', 90],
  ])('goes on after %s', async (_name, code) => {
    const setup = new Setup();
    await setup.warmUp();
    setup.cluster.faults = [code];
    await setup.sendApart(ABC);
    await setup.drain();
    expect(setup.values().slice(1)).toEqual(ABC);
    expect(setup.outcomes(ABC)).toEqual(ABC.map(() => 'acked'));
  });

  it('keeps its producer id after INVALID_PRODUCER_EPOCH, so that the next epoch shuts out what is still on its way', async () => {
    const setup = new Setup(1, { requestTimeoutMs: 300, deliveryTimeoutMs: 5000 });
    await setup.warmUp();
    const { producerId, producerEpoch } = sequenceOf(setup);
    setup.cluster.faults = ['late', 47];
    setup.send(['late']);
    await setup.cluster.clock.advance(320);
    setup.send(['next']);
    await setup.drain();
    await setup.cluster.clock.advance(1000);
    expect(setup.recorder.error('late')).toBeInstanceOf(OutcomeUnknownError);
    expect(setup.recorder.outcome('next')).toBe('acked');
    expect(setup.values()).not.toEqual(['warm-0', 'next', 'late']);
    expect(sequenceOf(setup)).toMatchObject({ producerId, producerEpoch: producerEpoch + 1 });
  });

  it('starts again under a new producer id when the epochs of one are used up', async () => {
    const setup = new Setup();
    await setup.warmUp();
    const sequence = sequenceOf(setup);
    sequence.producerEpoch = 0x7fff;
    setup.cluster.log(TOPIC, 0).forgetProducers();
    setup.cluster.faults = [87];
    setup.send(['a']);
    await setup.drain();
    setup.send(['b']);
    await setup.drain();
    expect(setup.outcomes(['a', 'b'])).toEqual(['INVALID_RECORD', 'acked']);
    expect(sequence).toMatchObject({ producerId: 1001, producerEpoch: 0 });
  });
});

describe('a delivery deadline', () => {
  const options = { deliveryTimeoutMs: 2000, requestTimeoutMs: 500 };

  it('fails what was never sent with a TimeoutError that can be retried', async () => {
    const setup = new Setup(1, options);
    setup.cluster.moveLeader(TOPIC, 0, -1);
    setup.send(['a']);
    await setup.cluster.clock.advance(1990);
    expect(setup.recorder.outcome('a')).toBe('nothing yet');
    await setup.cluster.clock.advance(20);
    expect(setup.recorder.error('a')).toBeInstanceOf(TimeoutError);
    expect(setup.recorder.error('a')).toMatchObject({ retriable: true, sent: false });
    setup.cluster.moveLeader(TOPIC, 0, 1);
    setup.send(['b']);
    await setup.drain();
    expect(setup.values()).toEqual(['b']);
  });

  it('fails what was sent with an OutcomeUnknownError, and sends nothing new before all behind it is resolved', async () => {
    const setup = new Setup(1, options);
    await setup.warmUp();
    setup.cluster.faults = Array.from({ length: 30 }, () => 'hang' as const);
    await setup.sendApart(['a']);
    await setup.cluster.clock.advance(1000);
    await setup.sendApart(['b']);
    await setup.cluster.clock.advance(1000);
    expect(setup.recorder.error('a')).toBeInstanceOf(OutcomeUnknownError);
    expect(setup.recorder.outcome('b')).toBe('nothing yet');
    setup.cluster.faults = [];
    setup.send(['c']);
    await setup.drain();
    expect(setup.recorder.outcome('c')).toBe('acked');
    expect(setup.recorder.order).toEqual(['warm-0', 'a', 'b', 'c']);
    expect(setup.values().at(-1)).toBe('c');
    expect(setup.producer.counters.epochBumps).toBe(1);
  });

  it('fails a batch without an answer that the log refuses because the one before it is missing, for both may still arrive', async () => {
    const setup = new Setup(1, options);
    await setup.warmUp();
    setup.cluster.faults = Array.from({ length: 30 }, () => 'hang' as const);
    await setup.sendApart(['a']);
    await setup.cluster.clock.advance(300);
    await setup.sendApart(['b']);
    await setup.cluster.clock.advance(1710);
    setup.cluster.faults = [];
    setup.send(['c']);
    await setup.drain();
    expect(setup.recorder.error('a')).toBeInstanceOf(OutcomeUnknownError);
    expect(setup.recorder.error('b')).toBeInstanceOf(OutcomeUnknownError);
    expect(setup.recorder.error('b').cause).toMatchObject({ errorName: 'OUT_OF_ORDER_SEQUENCE_NUMBER' });
    expect(setup.values()).toEqual(['warm-0', 'c']);
  });

  describe('that cuts the last attempt short', () => {
    const fewAttempts = {
      deliveryTimeoutMs: 2000,
      requestTimeoutMs: 1700,
      retryBackoffMs: 600,
      retryBackoffMaxMs: 600,
    };
    const NOT_ENOUGH_REPLICAS = 19;
    const REQUEST_TIMED_OUT = 7;

    it.each<[string, Fault]>([
      ['the broker had no time to wait for its followers', REQUEST_TIMED_OUT],
      ['there was no time for an answer', 'hang'],
    ])('tells of the error before it: %s', async (_name, fault) => {
      const setup = new Setup(1, fewAttempts);
      await setup.warmUp();
      setup.cluster.faults = [NOT_ENOUGH_REPLICAS, fault, fault, fault];
      setup.send(['a']);
      await setup.drain();
      const error = setup.recorder.error('a');
      expect(error).toBeInstanceOf(OutcomeUnknownError);
      expect(error.cause).toMatchObject({ errorName: 'NOT_ENOUGH_REPLICAS' });
      expect(error.message).toMatch(
        /^orders-0: 1 records were sent \d times and may or may not be in the log; the last error was: Produce for orders-0: NOT_ENOUGH_REPLICAS/,
      );
    });

    it('says that it was cut short, and what sets the limit', async () => {
      const setup = new Setup(1, fewAttempts);
      await setup.warmUp();
      setup.cluster.faults = [NOT_ENOUGH_REPLICAS, REQUEST_TIMED_OUT, REQUEST_TIMED_OUT, REQUEST_TIMED_OUT];
      setup.send(['a']);
      await setup.drain();
      expect(setup.recorder.error('a').message).toContain('for which deliveryTimeoutMs left too little time');
    });

    it('tells of it where no byte was sent either', async () => {
      const setup = new Setup(1, fewAttempts);
      await setup.warmUp();
      setup.cluster.faults = [NOT_ENOUGH_REPLICAS];
      const send = setup.cluster.send.bind(setup.cluster);
      let attempts = 0;
      setup.cluster.send = (nodeId, api, request, sendOptions) => {
        attempts += 1;
        if (attempts === 1) return send(nodeId, api, request, sendOptions);
        const afterMs = sendOptions!.timeoutMs!;
        return Promise.reject(new TimeoutError('no connection', { afterMs, sent: false, api: 'Produce' }));
      };
      setup.send(['a']);
      await setup.drain();
      expect(attempts).toBeGreaterThan(1);
      const error = setup.recorder.error('a');
      expect(error).toBeInstanceOf(TimeoutError);
      expect(error).toMatchObject({ sent: false, cause: { errorName: 'NOT_ENOUGH_REPLICAS' } });
      expect(error.message).toMatch(
        /^orders-0: 1 records were not sent within 2000 ms; .*NOT_ENOUGH_REPLICAS/,
      );
    });

    it('tells of itself when nothing was wrong before, or all that was is over', async () => {
      const setup = new Setup(1, fewAttempts);
      await setup.warmUp();
      setup.cluster.faults = [NOT_ENOUGH_REPLICAS];
      setup.send(['a']);
      await setup.drain();
      expect(setup.recorder.outcome('a')).toBe('acked');
      setup.cluster.faults = Array.from({ length: 5 }, () => REQUEST_TIMED_OUT);
      setup.send(['b']);
      await setup.drain();
      expect(setup.recorder.error('b').cause).toMatchObject({ errorName: 'REQUEST_TIMED_OUT' });
      expect(setup.recorder.error('b').message).not.toContain('NOT_ENOUGH_REPLICAS');
    });
  });

  it('fails records of an unreachable cluster with a TimeoutError that names the trouble', async () => {
    const setup = new Setup(1, options);
    setup.cluster.refreshError = new BrokerError('NETWORK_EXCEPTION', 'nobody there', { retriable: true });
    setup.send(['a']);
    await setup.cluster.clock.advance(1999);
    expect(setup.recorder.outcome('a')).toBe('nothing yet');
    await setup.cluster.clock.advance(1);
    const error = setup.recorder.error('a');
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ retriable: true, sent: false });
    expect(error.message).toContain('nobody there');
  });
});

function sequenceOf(setup: Setup): Sequence {
  const { topics } = setup.producer as unknown as { topics: Topics };
  return topics.get(TOPIC).partitions[0]!.flight.sequence;
}
