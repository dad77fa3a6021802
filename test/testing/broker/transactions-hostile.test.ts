// Requests of good form with anything in them: each is answered or its connection closed, and the broker has thrown nothing.
import { describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import type { AnyApi } from '../../../src/core/protocol/api.ts';
import { apiByKey } from '../../../src/core/protocol/apis.ts';
import { encodeRequest } from '../../../src/core/protocol/frame.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { writeTxnMarkersApi } from '../../../src/core/protocol/messages/27-write-txn-markers.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { anyValue } from '../../core/protocol/helpers.ts';
import { transactional } from './parity/calls.ts';
import { batchOf, produceRequest } from './requests.ts';
import { simulated } from './simulated.ts';

const KEYS = [0, 2, 21, 22, 23, 24, 25, 26, 28, 61, 65, 66];
const APIS: readonly AnyApi[] = [...KEYS.map((key) => apiByKey(key)!), writeTxnMarkersApi];
const ROUNDS = 40;
const WAIT_MS = 100;

/** Puts names and numbers that mean something in the places of some that mean nothing. */
function meaningful(value: unknown, random: () => number): unknown {
  if (typeof value === 'string')
    return random() < 0.7 ? ['lines', 'tx', 'group', '__consumer_offsets'][Math.floor(random() * 4)] : value;
  if (typeof value === 'number') return random() < 0.6 ? Math.floor(random() * 4) - 1 : value;
  if (Array.isArray(value)) return value.map((element) => meaningful(element, random));
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value) || value instanceof Uint8Array)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, meaningful(inner, random)]));
}

describe('requests with anything in them', () => {
  it.each(APIS.map((api) => [api.name, api] as const))('%s', async (_name, api) => {
    const random = seededRandom(api.key + 1);
    const sim = await simulated({ topics: { lines: 3 }, maxRequestBytes: 1_000_000 });
    let client = sim.connect();
    for (let version = api.minVersion; version <= api.maxVersion; version++) {
      const bodies = fc.sample(anyValue(api.request.table, version), { numRuns: ROUNDS, seed: version });
      for (const body of bodies) {
        const frame = encode(api, version, meaningful(body, random));
        if (frame === undefined) continue;
        if (client.isClosed) client = sim.connect();
        await sim.run(client.write(frame));
        await sim.clock.advance(WAIT_MS);
      }
    }
    expect(sim.box.internalErrors).toEqual([]);
    await sim.box.close();
  });

  it('batches with anything in their headers', async () => {
    const random = seededRandom(7);
    const topics = { lines: 1, table: { partitions: 1, configs: { 'cleanup.policy': 'compact' } } };
    const sim = await simulated({ topics });
    let client = sim.connect();
    for (let round = 0; round < 1500; round++) {
      const batch = batchOf({
        values: ['a', 'b'],
        producerId: Math.floor(random() * 3),
        producerEpoch: Math.floor(random() * 3),
        baseSequence: Math.floor(random() * 4),
        codec: random() < 0.5 ? 'gzip' : 'none',
      });
      for (let flips = Math.floor(random() * 3); flips > 0; flips--) {
        batch[21 + Math.floor(random() * (batch.length - 21))] = Math.floor(random() * 256);
      }
      transactional(batch);
      if (random() < 0.5) batch.writeInt16BE(batch.readInt16BE(21) & ~0x10, 21);
      if (client.isClosed) client = sim.connect();
      const request = produceRequest(batch, { topic: random() < 0.5 ? 'lines' : 'table' });
      await sim.run(
        client.post(produceApi, 9, { ...request, transactionalId: random() < 0.5 ? 'tx' : null }),
      );
      if (round % 10 === 0) await sim.clock.advance(WAIT_MS);
    }
    await sim.clock.advance(WAIT_MS);
    expect(sim.box.internalErrors).toEqual([]);
    await sim.box.close();
  });
});

function encode(api: AnyApi, version: number, body: unknown): Uint8Array | undefined {
  try {
    return encodeRequest(api, version, 1, 'test', body);
  } catch {
    return undefined;
  }
}
