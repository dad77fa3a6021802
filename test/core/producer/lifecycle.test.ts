import { describe, expect, it, jest } from '@jest/globals';
import { OutcomeUnknownError, TimeoutError, UsageError } from '../../../src/errors.ts';
import { unreachable } from './fake-cluster.ts';
import { numbered, Setup, TOPIC } from './setup.ts';

describe('flush', () => {
  it('resolves at once when there is nothing to send', async () => {
    const setup = new Setup();
    await setup.producer.flush();
    expect(setup.cluster.produced.length).toBe(0);
  });

  it('does not wait for what is sent after it', async () => {
    const setup = new Setup();
    await setup.warmUp();
    setup.send(['a']);
    let flushed = false;
    void setup.producer.flush().then(() => (flushed = true));
    await setup.cluster.clock.advance(1);
    setup.cluster.faults = ['hang'];
    setup.send(['b']);
    await setup.cluster.clock.advance(30);
    expect(flushed).toBe(true);
    expect(setup.recorder.outcome('b')).toBe('nothing yet');
  });

  it('does not wait for lingerMs', async () => {
    const setup = new Setup(1, { lingerMs: 10_000 });
    setup.send(['a']);
    await setup.drain(100);
    expect(setup.recorder.outcome('a')).toBe('acked');
  });

  it('resolves when the records have failed, also for want of a topic', async () => {
    const { cluster, producer, recorder } = new Setup(1, { metadataTimeoutMs: 500 });
    producer.send('nowhere', { value: 'a' }, recorder.receipt('a'));
    await cluster.clock.run(producer.flush(), 1000);
    expect(recorder.outcome('a')).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  });
});

describe('close', () => {
  it('delivers what was taken, refuses more, and leaves no timer', async () => {
    const setup = new Setup(3, { lingerMs: 100 });
    for (let partition = 0; partition < 3; partition += 1)
      setup.send(numbered(20, `p${partition}-`), partition);
    const closed = setup.producer.close();
    expect(() => setup.send(['late'])).toThrow(UsageError);
    expect(setup.producer.close()).toBe(closed);
    await setup.cluster.clock.run(closed);
    expect(setup.recorder.ids('acked').length).toBe(60);
    expect(setup.cluster.clock.pendingTimers).toBe(0);
  });

  it('fails what is left at its timeout: as unknown what was sent, as not sent what was not', async () => {
    const setup = new Setup(2);
    await setup.warmUp(0);
    setup.cluster.moveLeader(TOPIC, 1, -1);
    await setup.cluster.clock.run(setup.cluster.refresh([TOPIC]));
    setup.cluster.faults = ['hang'];
    setup.send(['sent'], 0);
    setup.send(['kept'], 1);
    setup.producer.send('nowhere', { value: 'v' }, setup.recorder.receipt('pending'));
    const closed = setup.producer.close({ timeoutMs: 1000 });
    await setup.cluster.clock.advance(999);
    expect(setup.recorder.outcome('kept')).toBe('nothing yet');
    await setup.cluster.clock.run(closed, 10);
    expect(setup.recorder.error('sent')).toBeInstanceOf(OutcomeUnknownError);
    expect(setup.recorder.error('kept')).toBeInstanceOf(TimeoutError);
    expect(setup.recorder.error('kept')).toMatchObject({ sent: false });
    expect(setup.recorder.error('pending')).toBeInstanceOf(TimeoutError);
  });
});

describe('what a caller does wrong', () => {
  it.each<[string, unknown]>([
    ['an undefined value', { value: undefined }],
    ['a number as value', { value: 5 }],
    ['an object as key', { key: {}, value: 'a' }],
  ])('refuses %s', (_name, record) => {
    const { producer, recorder } = new Setup();
    expect(() => producer.send(TOPIC, record as { value: string }, recorder.receipt('a'))).toThrow(
      UsageError,
    );
  });

  it('refuses an empty topic name', () => {
    const { producer, recorder } = new Setup();
    expect(() => producer.send('', { value: 'a' }, recorder.receipt('a'))).toThrow(UsageError);
  });

  it('refuses a partitioner that points past the topic', async () => {
    const setup = new Setup(2, { partitioner: () => 2 });
    setup.send(['known'], 0);
    await setup.drain();
    expect(() => setup.producer.send(TOPIC, { key: 'a', value: 'a' }, setup.recorder.receipt('a'))).toThrow(
      UsageError,
    );
  });

  it('writes null and empty as different things', async () => {
    const setup = new Setup(1);
    setup.producer.send(TOPIC, { key: '', value: null }, setup.recorder.receipt('tombstone'));
    setup.producer.send(TOPIC, { key: null, value: '' }, setup.recorder.receipt('empty'));
    await setup.drain();
    expect(setup.values()).toEqual(['null', '']);
  });
});

describe('a receipt', () => {
  it('that throws stops neither the others nor the producer', async () => {
    const setup = new Setup();
    await setup.warmUp();
    const seen: unknown[] = [];
    const { context } = setup.producer as unknown as { context: { report: (error: unknown) => void } };
    jest.spyOn(context, 'report').mockImplementation((error) => seen.push(error));
    setup.send(['a']);
    setup.producer.send(
      TOPIC,
      { value: 'bad', partition: 0 },
      {
        onAcked: () => {
          throw new Error('mine');
        },
        onFailed: () => undefined,
      },
    );
    setup.send(['b']);
    await setup.drain();
    expect(setup.outcomes(['a', 'b'])).toEqual(['acked', 'acked']);
    expect(seen).toEqual([new Error('mine')]);
  });

  it('may send from inside its call', async () => {
    const setup = new Setup();
    await setup.warmUp();
    let left = 20;
    const again = {
      onAcked: (): void => {
        left -= 1;
        if (left > 0) setup.producer.send(TOPIC, { value: `v${left}`, partition: 0 }, again);
      },
      onFailed: (): void => undefined,
    };
    setup.producer.send(TOPIC, { value: 'v20', partition: 0 }, again);
    await setup.cluster.clock.advance(1000);
    expect(setup.values().slice(1)).toEqual(numbered(21, 'v').slice(1).reverse());
  });
});

describe('what stands between a producer and its first batch', () => {
  it('asks again for a producer id after errors that pass', async () => {
    const setup = new Setup();
    setup.cluster.initErrors = [14, 15];
    setup.send(['a']);
    await setup.drain();
    expect(setup.recorder.outcome('a')).toBe('acked');
  });

  it('fails what it has when it may not have a producer id, and asks again for the next', async () => {
    const setup = new Setup();
    setup.cluster.initErrors = [31];
    setup.send(['a']);
    await setup.drain();
    expect(setup.recorder.outcome('a')).toBe('CLUSTER_AUTHORIZATION_FAILED');
    setup.send(['b']);
    await setup.drain();
    expect(setup.recorder.outcome('b')).toBe('acked');
  });

  it('goes on when the cluster can be reached after all', async () => {
    const setup = new Setup();
    setup.cluster.refreshError = unreachable();
    setup.send(['a']);
    await setup.cluster.clock.advance(20_000);
    setup.cluster.refreshError = undefined;
    await setup.drain();
    expect(setup.recorder.outcome('a')).toBe('acked');
  });

  it('fails at once when the client is closed', async () => {
    const setup = new Setup();
    setup.cluster.refreshError = new UsageError('closed');
    setup.send(['a']);
    await setup.cluster.clock.advance(10);
    expect(setup.recorder.error('a')).toBeInstanceOf(UsageError);
  });

  it('heeds a throttle', async () => {
    const setup = new Setup();
    setup.cluster.throttleTimeMs = 500;
    await setup.warmUp();
    setup.cluster.throttleTimeMs = 0;
    const before = setup.cluster.clock.now();
    setup.send(['a']);
    await setup.drain();
    expect(setup.cluster.produced[1]!.at - before).toBeGreaterThanOrEqual(499);
  });
});
