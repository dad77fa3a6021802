import { beforeEach, describe, expect, it } from '@jest/globals';
import { EventWriter } from '../../src/cli/event-writer.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';
import { Reader } from './support/reader.ts';

let clock: VirtualClock;
let reader: Reader;
let writer: EventWriter;

beforeEach(() => {
  clock = new VirtualClock({ wallStartMs: 5_000 });
  reader = new Reader();
  writer = new EventWriter(reader, clock);
});

describe('events', () => {
  it('are JSON objects, one a line, time and name first, many in one write', async () => {
    writer.event('startup_complete');
    await clock.advance(7);
    writer.event('done', { topic: 'a\nb', key: null });
    writer.event('done', { topic: 'ü' });
    await clock.settle();
    expect(reader.lines).toEqual([
      '{"timestamp":5000,"name":"startup_complete"}',
      '{"timestamp":5007,"name":"done","topic":"a\\nb","key":null}',
      '{"timestamp":5007,"name":"done","topic":"ü"}',
    ]);
    expect(reader.writes).toBe(2);
  });

  it('are with the operating system when they are flushed', async () => {
    reader.standStill();
    writer.event('one');
    let flushed = false;
    const flushing = writer.flushed().then(() => {
      flushed = true;
    });
    await clock.settle();
    expect([flushed, reader.events]).toEqual([false, []]);
    reader.goOn();
    await flushing;
    expect(reader.events).toHaveLength(1);
    await writer.flushed();
  });
});

describe('a reader', () => {
  it('that is behind stops whoever asks, until it has caught up', async () => {
    reader.standStill();
    expect(writer.isFull).toBe(false);
    for (let at = 0; !writer.isFull; at++) writer.event('filler', { at });
    let goesOn = false;
    const room = writer.whenRoom().then(() => {
      goesOn = true;
    });
    await clock.settle();
    expect(goesOn).toBe(false);
    reader.goOn();
    await room;
    expect(writer.isFull).toBe(false);
    await clock.settle();
    expect(reader.named('filler').map(({ at }) => at)).toEqual(reader.lines.map((_, at) => at));
  });

  it('that leaves is told of once; nothing waits for it and nothing fails', async () => {
    reader.standStill();
    for (let at = 0; !writer.isFull; at++) writer.event('filler', { at });
    const waiting = Promise.all([writer.whenRoom(), writer.flushed()]);
    reader.leave();
    await waiting;
    expect(writer.closed.aborted).toBe(true);
    expect(writer.closed.reason).toMatchObject({ code: 'EPIPE' });
    expect(writer.isFull).toBe(false);
    writer.event('more');
    await writer.flushed();
    await writer.whenRoom();
  });
});
