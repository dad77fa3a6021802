import { describe, expect, it } from '@jest/globals';
import type { StageError } from '../../src/flow/stage-error.ts';
import type { Op } from '../../src/flow/op.ts';
import { batch, merge, retry, rewind, skip } from '../../src/operators/index.ts';
import type { ProducerRecord } from '../../src/core/records/types.ts';
import { json, text } from '../../src/index.ts';
import { toTopicStage, type ToTopicOptions } from '../../src/sinks/to-topic.ts';
import { record } from '../../src/testing/marbles-record.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';
import { FakeProducer } from './fake-producer.ts';

const same = (value: string): ProducerRecord => ({ value });

function setUp(
  options: ToTopicOptions<string, unknown, unknown> = {},
  project: (value: string) => ProducerRecord | readonly ProducerRecord[] = same,
) {
  const producer = new FakeProducer();
  const source = new ManualSource<string>();
  const sink: Op<string, string> = toTopicStage(producer, 'out', project, options);
  return { producer, source, sink };
}

function start(...args: Parameters<typeof setUp>) {
  const parts = setUp(...args);
  return { ...parts, out: collect(parts.source.flow.pipe(parts.sink)) };
}

describe('toTopic', () => {
  it('passes a value on, for others to settle, when its record is acknowledged', () => {
    const { producer, source, sink } = setUp();
    const out = collect(source.flow.pipe(sink), { ack: false });
    source.emit('a');
    expect(producer.sent).toMatchObject([{ topic: 'out', value: 'a', record: { key: null } }]);
    expect(out.values).toEqual([]);
    producer.ack(0);
    expect(out.values).toEqual(['a']);
    expect(source.events).toEqual([]);
    out.deliveries[0]!.ack();
    expect(source.marked('ack')).toBe('a');
    expect(producer.recordsOut).toBe(1);
  });

  it('keeps the order of a claim however the answers come, and lets claims overtake each other', () => {
    const { producer, sink } = setUp();
    const [one, two] = [new ManualSource<string>(), new ManualSource<string>()];
    const out = collect(merge(one.flow, two.flow).pipe(sink));
    one.emit('a');
    two.emit('x');
    one.emit('b');
    one.emit('c');
    two.emit('y');
    producer.ack(3, 2);
    expect(out.values).toEqual([]);
    producer.ack(4, 1);
    expect(out.values).toEqual(['x', 'y']);
    producer.ack(0);
    expect(out.values).toEqual(['x', 'y', 'a', 'b', 'c']);
  });

  it('waits for all records of a value, and passes one without records on at its place', () => {
    const { producer, source, out } = start({}, (value) =>
      Array.from(value, (letter) => ({ value: letter })),
    );
    for (const value of ['ab', '', 'c']) source.emit(value);
    expect(producer.values).toEqual(['a', 'b', 'c']);
    producer.ack(2, 0);
    expect(out.values).toEqual([]);
    producer.ack(1);
    expect(out.values).toEqual(['ab', '', 'c']);
    expect(producer.recordsOut).toBe(3);
  });

  it('takes the answers of a batch at once, behind those that came before', () => {
    const { producer, source, out } = start({}, (value) =>
      Array.from(value, (letter) => ({ value: letter })),
    );
    for (const value of ['ab', 'c', 'd', 'e']) source.emit(value);
    expect(producer.values).toEqual(['a', 'b', 'c', 'd', 'e']);
    producer.ackRun(2, 4, 1);
    expect(out.values).toEqual([]);
    producer.ackRun(0);
    expect(out.values).toEqual(['ab', 'c']);
    // Answered twice: only what still waits is passed on.
    producer.ackRun(2, 3);
    expect(out.values).toEqual(['ab', 'c', 'd', 'e']);
    expect(producer.recordsOut).toBe(6);
  });

  it('gives up what is acknowledged behind others when the flow ends before its turn', () => {
    const { producer, source, out } = start();
    for (const value of ['a', 'b', 'c']) source.emit(value);
    producer.ack(1);
    producer.ackRun(2);
    out.stop();
    expect(source.marked('give-up')).toBe('a b c');
  });

  it('stands answers that come inside send, and sources that emit inside settle', () => {
    const { producer, sink } = setUp({}, (value) => [{ value }, { value: `${value}!` }]);
    producer.answersAtOnce = true;
    const source = new ManualSource<string>(1);
    const out = collect(source.flow.pipe(sink));
    source.emitAll(['a', 'b', 'c']);
    expect(out.values).toEqual(['a', 'b', 'c']);
    expect(out.ended).toEqual(['complete']);
    expect(producer.values).toEqual(['a', 'a!', 'b', 'b!', 'c', 'c!']);
  });

  describe('when the producer has no room', () => {
    it('sends nothing more until it has, and then in order', () => {
      const { producer, source, out } = start();
      producer.room = 2;
      for (const value of 'abcde') source.emit(value);
      expect(producer.values).toEqual(['a', 'b']);
      producer.makeRoom(1);
      expect(producer.values).toEqual(['a', 'b', 'c']);
      producer.makeRoom(9);
      expect(producer.values).toEqual(['a', 'b', 'c', 'd', 'e']);
      producer.ack(0, 1, 2, 3, 4);
      expect(out.values.join('')).toBe('abcde');
    });

    it('lets no later value overtake those that wait', () => {
      const { producer, source } = start();
      producer.room = 0;
      source.emit('a');
      // Room came back, and nobody was told yet.
      producer.room = 9;
      source.emit('b');
      expect(producer.values).toEqual([]);
      producer.makeRoom(9);
      expect(producer.values).toEqual(['a', 'b']);
    });
  });

  describe('what fails', () => {
    it('is a StageError that names the sink and the record', () => {
      const { producer, source, out } = start();
      source.emit('a', 1, record({ key: null, value: null, topic: 'in' }));
      source.emit('b');
      producer.ack(1);
      producer.fail(0);
      expect(source.events[0]).toMatchObject({
        kind: 'nack',
        mark: 'a',
        cause: {
          code: 'STAGE_FAILED',
          stage: "toTopic 'out'",
          attempt: 1,
          value: 'a',
          cause: { errorName: 'INVALID_RECORD' },
          message: expect.stringContaining('in-0 offset 0') as unknown,
        },
      });
      expect(out.values).toEqual(['b']);
    });

    it('is refused once, when all its records are answered', () => {
      const { producer, source } = start({}, (value) => [{ value }, { value }, { value }]);
      source.emit('a');
      producer.fail(0);
      producer.fail(2);
      expect(source.events).toEqual([]);
      producer.ack(1);
      expect(source.marked('nack')).toBe('a');
    });

    it('can be skipped', () => {
      const { producer, source, out } = start({ onError: skip });
      source.emit('a');
      source.emit('b');
      producer.fail(0);
      expect(source.marked('ack')).toBe('a');
      producer.ack(1);
      expect(out.values).toEqual(['b']);
    });

    it('is sent again after a wait, at its old place, and counted as attempts', async () => {
      const attempts: number[] = [];
      const { producer, source, out } = start({
        name: 'the sink',
        onError: ({ attempt, stage }: StageError) => {
          attempts.push(attempt);
          expect(stage).toBe('the sink');
          return retry({ attempts: 3, minDelayMs: 10 }, skip);
        },
      });
      source.emit('a');
      source.emit('b');
      producer.fail(0);
      producer.ack(1);
      await source.time.advance(9);
      expect(producer.values).toEqual(['a', 'b']);
      await source.time.advance(1);
      expect(producer.values).toEqual(['a', 'b', 'a']);
      producer.fail(2);
      await source.time.advance(20);
      expect(out.values).toEqual([]);
      producer.ack(3);
      expect(out.values).toEqual(['a', 'b']);
      expect(attempts).toEqual([1, 2]);
      expect(source.time.pendingTimers).toBe(0);
    });

    it('comes to the policy after the retries, which begin anew for each value', async () => {
      const { producer, source } = start({ onError: retry({ attempts: 2, minDelayMs: 10 }, skip) });
      for (const [at, value] of ['a', 'b'].entries()) {
        source.emit(value);
        producer.fail(at * 2);
        await source.time.advance(10);
        producer.fail(at * 2 + 1);
      }
      expect(source.marked('ack')).toBe('a b');
      expect(producer.values).toEqual(['a', 'a', 'b', 'b']);
    });

    it('is left unsettled when its claim is given away while it waits', async () => {
      const { producer, source, out } = start({ onError: retry({ attempts: 9, minDelayMs: 1_000 }) });
      source.emit('a');
      source.emit('b');
      producer.fail(0);
      producer.ack(1);
      source.revoke();
      expect(source.marked('give-up')).toBe('a');
      expect(out.values).toEqual(['b']);
      await source.time.advance(5_000);
      expect(producer.values).toEqual(['a', 'b']);
    });

    it('can start its claim over', () => {
      const { producer, source } = start({ onError: rewind({ attempts: 3, minDelayMs: 7 }) });
      source.emit('a');
      producer.fail(0);
      expect(source.events).toMatchObject([{ kind: 'nack', mark: 'a', verdict: 'rewind', rewindDelayMs: 7 }]);
    });

    it('covers what the project function and the serializers throw, and records that cannot be', () => {
      const cyclic: { self?: unknown } = {};
      cyclic.self = cyclic;
      const made: Record<string, () => unknown> = {
        throws: () => {
          throw new Error('on purpose');
        },
        nothing: () => undefined,
        text: () => 'no record',
        undefined: () => ({ value: undefined }),
        'undefined key': () => ({ key: undefined, value: 1 }),
        cyclic: () => ({ value: cyclic }),
      };
      const { producer, source } = start({ value: json() }, (value) => made[value]!() as ProducerRecord);
      for (const name of Object.keys(made)) source.emit(name);
      expect(producer.values).toEqual(['1']);
      expect(source.marked('nack')).toBe('throws nothing text undefined cyclic');
      const causes = source.events.map(({ cause }) => (cause as StageError).cause);
      expect(causes[0]).toMatchObject({ message: 'on purpose' });
      for (const cause of [causes[1], causes[2]])
        expect(cause).toMatchObject({
          code: 'USAGE',
          message: expect.stringMatching(/answers with a record/),
        });
      expect(causes[3]).toMatchObject({
        code: 'USAGE',
        message: expect.stringMatching(/null is a tombstone/),
      });
      expect(causes[4]).toBeInstanceOf(TypeError);
    });

    it('waits for what was sent already when the producer refuses the second record', () => {
      const { producer, source } = start({}, (value) => [{ value }, { value: `${value}!` }]);
      producer.throwsFor = 'a!';
      source.emit('a');
      expect(source.events).toEqual([]);
      producer.ack(0);
      expect(source.events).toMatchObject([
        { kind: 'nack', cause: { cause: { message: 'the producer refuses a!' } } },
      ]);
    });

    it('is refused with both errors when the policy itself throws', () => {
      const { producer, source } = start({
        onError: () => {
          throw new Error('no policy');
        },
      });
      source.emit('a');
      producer.fail(0);
      const { cause } = source.events[0]!;
      expect((cause as AggregateError).errors).toMatchObject([
        { code: 'STAGE_FAILED' },
        { message: 'no policy' },
      ]);
    });
  });

  describe('a claim that is lost', () => {
    it('has what was not sent yet withdrawn: not written, not passed on, not settled', () => {
      const { producer, source, out } = start();
      for (const value of 'abc') source.emit(value);
      expect(producer.seal(0)).toBe('sent');
      source.lose();
      expect([producer.seal(1), producer.seal(2)]).toEqual(['withdrawn', 'withdrawn']);
      producer.ack(0);
      expect(out.values).toEqual(['a']);
      expect(source.marked('give-up')).toBe('b c');
    });

    it('takes a batch with it only when no claim behind it lives', () => {
      const producer = new FakeProducer();
      const [one, two] = [new ManualSource<string>(), new ManualSource<string>()];
      const sink: Op<readonly string[], readonly string[]> = toTopicStage(producer, 'out', (values) => ({
        value: values.join(''),
      }));
      collect(merge(one.flow, two.flow).pipe(batch({ maxRecords: 2, withinMs: 99 }), sink));
      one.emit('a');
      two.emit('b');
      one.emit('c');
      one.emit('d');
      one.lose();
      expect(producer.seal(0)).toBe('sent');
      expect(producer.seal(1)).toBe('withdrawn');
      two.lose();
      expect(producer.seal(0)).toBe('withdrawn');
    });

    it('asks the claim itself, which may know before anybody was told', () => {
      const { producer, source } = start();
      source.emit('a');
      expect(producer.seal(0)).toBe('sent');
      Object.defineProperty(source, 'dead', { value: true });
      expect(producer.seal(0)).toBe('withdrawn');
      expect(source.lost.aborted).toBe(false);
    });
  });

  describe('its end', () => {
    it('completes when the flow has and every value is passed on', () => {
      const { producer, source, out } = start();
      source.emit('a');
      source.emit('b');
      source.complete();
      producer.ack(1);
      expect(out.ended).toEqual([]);
      producer.ack(0);
      expect([out.values.join(''), out.ended]).toEqual(['ab', ['complete']]);
    });

    it('completes at once without values, and after the last one was skipped or withdrawn', () => {
      const empty = start();
      empty.source.complete();
      expect(empty.out.ended).toEqual(['complete']);
      const skipped = start({ onError: skip });
      skipped.source.emit('a');
      skipped.source.complete();
      skipped.producer.fail(0);
      expect(skipped.out.ended).toEqual(['complete']);
      const lost = start();
      lost.source.emit('a');
      lost.source.complete();
      lost.source.lose();
      lost.producer.seal(0);
      expect(lost.out.ended).toEqual(['complete']);
    });

    it('passes an error of the flow on', () => {
      const { source, out } = start();
      source.error('broken');
      expect(out.ended).toEqual(['broken']);
    });

    it('leaves everything unsettled when it is unsubscribed, and answers after that alone', async () => {
      const { producer, source, out } = start({ onError: retry({ attempts: 9, minDelayMs: 10 }) });
      source.emit('sent');
      source.emit('failed');
      producer.fail(1);
      producer.room = 0;
      source.emit('blocked');
      expect(producer.listening).toBe(1);
      out.stop();
      expect(source.marked('give-up')).toBe('sent failed blocked');
      producer.ack(0);
      producer.makeRoom(9);
      await source.time.advance(1_000);
      expect(producer.values).toEqual(['sent', 'failed']);
      expect(out.values).toEqual([]);
      expect(source.marked('ack')).toBe('');
      expect(producer.listening).toBe(0);
    });
  });

  describe('records', () => {
    it('are serialized, with the headers at hand', () => {
      const seen: unknown[] = [];
      const { producer, source } = start(
        {
          key: text(),
          value: {
            serialize: (value, { topic, part, headers }) => {
              seen.push(topic, part, headers.text('trace'));
              return JSON.stringify(value);
            },
          },
        },
        (value) => ({ key: value, value: { value } as never, headers: { trace: '7' }, partition: 3 }),
      );
      source.emit('a');
      expect(producer.sent[0]).toMatchObject({
        value: '{"value":"a"}',
        record: { key: 'a', partition: 3, headers: { trace: '7' } },
      });
      expect(seen).toEqual(['out', 'value', '7']);
    });

    it('take the time of their origin, of a batch the latest, unless they have their own; a plain value has none', () => {
      const producer = new FakeProducer();
      const source = new ManualSource<string>();
      const own: Op<readonly string[], unknown> = toTopicStage(producer, 'out', (values) => [
        { value: values[0]! },
        { value: values[0]!, timestamp: 5 },
      ]);
      collect(source.flow.pipe(batch({ maxRecords: 2, withinMs: 99 }), own));
      const at = (timestamp: number) => record({ key: null, value: null, timestamp });
      source.emit('a', 0, at(30));
      source.emit('b', 0, at(20));
      source.emit('c');
      source.emit('d');
      expect(producer.sent.map((one) => one.record.timestamp)).toEqual([30, 5, undefined, 5]);
    });

    it('may be tombstones, and empty, which is not the same', () => {
      const { producer, source } = start({ value: text() }, (value) => ({
        key: '',
        value: value === '' ? '' : null,
      }));
      source.emit('');
      source.emit('x');
      expect(producer.sent.map((one) => [one.record.key, one.record.value])).toEqual([
        ['', ''],
        ['', null],
      ]);
    });
  });

  it('refuses what cannot be a sink where it is made', () => {
    const runtime = new FakeProducer();
    expect(() => toTopicStage(runtime, '', same)).toThrow(/'topic' is a name/);
    expect(() => toTopicStage(runtime, 'out', 'value' as never)).toThrow(
      /a function from a value to a record/,
    );
    expect(() => toTopicStage(runtime, 'out', same, { onError: 'skip' as never })).toThrow(/onError/);
  });
});
