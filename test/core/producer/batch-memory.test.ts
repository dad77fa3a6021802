import { describe, expect, it } from '@jest/globals';
import { BatchMemory } from '../../../src/core/producer/batch-memory.ts';
import { numbered, Setup } from './setup.ts';

describe('memory of batches that is used again', () => {
  it('is handed out again after it came back', () => {
    const memory = new BatchMemory(1000);
    const first = memory.take();
    const second = memory.take();
    expect(second).not.toBe(first);
    memory.give(first);
    expect(memory.take()).toBe(first);
  });

  it('is kept up to 16 MiB, and not at all at rest', () => {
    const memory = new BatchMemory(8 * 1024 * 1024);
    const buffers = [memory.take(), memory.take(), memory.take()];
    for (const buffer of buffers) memory.give(buffer);
    expect(
      [memory.take(), memory.take(), memory.take()].filter((buffer) => buffers.includes(buffer)).length,
    ).toBe(2);
    memory.give(buffers[0]!);
    memory.clear();
    expect(memory.take()).not.toBe(buffers[0]);
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
