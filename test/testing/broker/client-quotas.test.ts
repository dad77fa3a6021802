// Quotas of clients: who may set what, and how they slow producing and fetching down.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { describeClientQuotasApi } from '../../../src/core/protocol/messages/48-describe-client-quotas.ts';
import { alterClientQuotasApi } from '../../../src/core/protocol/messages/49-alter-client-quotas.ts';
import { batchOf, fetchRequest, produceRequest } from './requests.ts';
import { simulated } from './simulated.ts';
import type { Simulated } from './simulated.ts';

let sim: Simulated;

beforeEach(async () => {
  sim = await simulated();
});

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

type Part = readonly [type: string, name: string | null];

async function set(parts: readonly Part[], key: string, value: number | undefined): Promise<unknown> {
  const entity = parts.map(([entityType, entityName]) => ({ entityType, entityName }));
  const ops = [{ key, value: value ?? 0, remove: value === undefined }];
  const { entries } = await sim.run(
    sim.connect().call(alterClientQuotasApi, 1, { entries: [{ entity, ops }], validateOnly: false }),
  );
  return [entries[0]!.errorCode, entries[0]!.errorMessage];
}

async function described(entityType: string, matchType: number, match: string | null = null) {
  const components = [{ entityType, matchType, match }];
  const { entries } = await sim.run(
    sim.connect().call(describeClientQuotasApi, 1, { components, strict: false }),
  );
  return entries?.map(({ entity, values }) => [entity.map((part) => part.entityName), values]);
}

/** A batch of about `bytes`; how long the client is told to be quiet, and how long it is. */
async function produce(bytes: number, clientId: string): Promise<[told: number, waited: number]> {
  const client = sim.connect(0, clientId);
  const request = produceRequest(batchOf({ values: ['x'.repeat(bytes)] }));
  const { throttleTimeMs } = await sim.run(client.call(produceApi, 9, request));
  const before = sim.clock.now();
  await sim.run(client.call(produceApi, 9, produceRequest(batchOf({ values: ['x'] }))));
  const waited = sim.clock.now() - before;
  client.close();
  return [throttleTimeMs, waited];
}

describe('quotas', () => {
  it('are set, described and removed', async () => {
    expect(await set([['client-id', 'one']], 'producer_byte_rate', 1000)).toEqual([ERRORS.NONE, null]);
    await set([['client-id', null]], 'consumer_byte_rate', 2000);
    expect(await described('client-id', 0, 'one')).toEqual([
      [['one'], [{ key: 'producer_byte_rate', value: 1000 }]],
    ]);
    expect(await described('client-id', 2)).toHaveLength(2);
    expect(await described('user', 2)).toEqual([]);
    await set([['client-id', 'one']], 'producer_byte_rate', undefined);
    expect(await described('client-id', 0, 'one')).toEqual([]);
    expect(await described('client-id', 1)).toHaveLength(1);
  });

  it('refuse what nobody knows', async () => {
    const { INVALID_REQUEST } = ERRORS;
    expect(await set([['client-id', 'one']], 'speed', 1)).toEqual([
      INVALID_REQUEST,
      'Invalid configuration key speed',
    ]);
    expect(await set([['planet', 'earth']], 'producer_byte_rate', 1)).toEqual([
      INVALID_REQUEST,
      'Unhandled client quota entity type: planet',
    ]);
    expect(await set([], 'producer_byte_rate', 1)).toEqual([INVALID_REQUEST, expect.any(String)]);
    expect(await set([['client-id', 'one']], 'producer_byte_rate', 0)).toEqual([
      INVALID_REQUEST,
      expect.stringContaining('greater than 0'),
    ]);
    expect(await described('planet', 2)).toBeUndefined();
  });

  it('slow a producer down to its rate over ten seconds, and nobody else', async () => {
    await set([['client-id', 'fast']], 'producer_byte_rate', 1000);
    expect(await produce(5_000, 'other')).toEqual([0, 0]);
    const [told, waited] = await produce(30_000, 'fast');
    // Thirty thousand bytes in a window of ten seconds are three times what is allowed: so the window has to be three times as long.
    expect(told).toBeGreaterThan(20_000);
    expect(told).toBeLessThan(21_000);
    expect(waited).toBe(told);
  });

  it('slow a consumer down by the bytes of its answers', async () => {
    await sim.run(
      sim.connect().call(produceApi, 9, produceRequest(batchOf({ values: ['x'.repeat(30_000)] }))),
    );
    await set([['user', null]], 'consumer_byte_rate', 1000);
    const { throttleTimeMs } = await sim.run(sim.connect(0, 'reader').call(fetchApi, 12, fetchRequest()));
    expect(throttleTimeMs).toBeGreaterThan(20_000);
  });

  it('of the most particular name count', async () => {
    await set([['client-id', null]], 'producer_byte_rate', 10);
    await set([['client-id', 'rich']], 'producer_byte_rate', 1_000_000);
    expect((await produce(1000, 'rich'))[0]).toBe(0);
    expect((await produce(1000, 'poor'))[0]).toBeGreaterThan(0);
  });

  it('are kept over a restart', async () => {
    await set([['client-id', 'one']], 'producer_byte_rate', 1000);
    const restore = sim.box.snapshot();
    await sim.box.close();
    sim = await simulated({ restore });
    expect(await described('client-id', 0, 'one')).toHaveLength(1);
  });
});
