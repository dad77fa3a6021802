import { describe, expect, it } from '@jest/globals';
import { BatchMemory } from '../../../src/core/producer/batch-memory.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';
import { numbered, Setup } from './setup.ts';

describe('memory of batches that is used again', () => {
  it('is handed out again after it came back, to who asks for its size', () => {
    const memory = new BatchMemory(new VirtualClock());
    const first = memory.take(1000);
    const second = memory.take(1000);
    expect(second).not.toBe(first);
    memory.give(first);
    expect(memory.take(2000)).toHaveLength(2000);
    expect(memory.take(1000)).toBe(first);
    expect(memory.take(1000)).not.toBe(first);
  });

  it('is kept up to 16 MiB', () => {
    const memory = new BatchMemory(new VirtualClock());
    const bytes = 8 * 1024 * 1024;
    const buffers = [memory.take(bytes), memory.take(bytes), memory.take(bytes)];
    for (const buffer of buffers) memory.give(buffer);
    const again = [memory.take(bytes), memory.take(bytes), memory.take(bytes)];
    expect(again.filter((buffer) => buffers.includes(buffer)).length).toBe(2);
  });

  it('is let go of a second or two after the last use, and when it is cleared', async () => {
    const clock = new VirtualClock();
    const memory = new BatchMemory(clock);
    const first = memory.take(1000);
    memory.give(first);
    await clock.advance(900);
    expect(memory.take(1000)).toBe(first);
    memory.give(first);
    await clock.advance(900);
    expect(memory.take(1000)).toBe(first);
    memory.give(first);
    await clock.advance(3_000);
    expect(clock.pendingTimers).toBe(0);
    expect(memory.take(1000)).not.toBe(first);
    memory.give(first);
    memory.clear();
    expect(clock.pendingTimers).toBe(0);
    expect(memory.take(1000)).not.toBe(first);
  });

  it('changes no batch that is still to be sent, over faults of every kind', async () => {
    const setup = new Setup(1, { batchBytes: 4096, requestTimeoutMs: 500 });
    await setup.warmUp();
    setup.cluster.faults = [
      'ok',
      'drop',
      'late',
      'ok',
      'apply-drop',
      'hang',
      'ok',
      19,
      { apply: 7 },
      'ok',
      'late',
      'drop',
    ];
    const values = numbered(10_000, 'value-');
    for (let at = 0; at < values.length; at += 500) {
      setup.send(values.slice(at, at + 500));
      await setup.cluster.clock.advance(60);
    }
    await setup.drain();
    expect(setup.values().slice(1)).toEqual(values);
    expect(setup.cluster.log('orders', 0).conflicts).toBe(0);
  });
});
