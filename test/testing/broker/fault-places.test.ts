// Every API can be made to answer an error, before its work and after it, and every request says what it is about.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AnyApi } from '../../../src/core/protocol/api.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { addPartitionsToTxnApi } from '../../../src/core/protocol/messages/24-add-partitions-to-txn.ts';
import { findCoordinatorApi } from '../../../src/core/protocol/messages/10-find-coordinator.ts';
import { initProducerIdApi } from '../../../src/core/protocol/messages/22-init-producer-id.ts';
import { endTxnApi } from '../../../src/core/protocol/messages/26-end-txn.ts';
import { describeGroupsApi } from '../../../src/core/protocol/messages/15-describe-groups.ts';
import { offerApis } from '../../../src/testing/broker/apis/registry.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import type { FaultAction } from '../../../src/testing/broker/faults/fault.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { ValidRequests } from '../../helpers/fuzz/valid-request.ts';
import { batchOf } from './requests.ts';
import { simulated } from './simulated.ts';
import type { Simulated } from './simulated.ts';
import type { WireClient } from './wire-client.ts';

/** One that no request of this test is answered otherwise. */
const CODE = ERRORS.KAFKA_STORAGE_ERROR;

let sim: Simulated;
let client: WireClient;

beforeEach(async () => {
  sim = await simulated({ features: { 'group.version': 1, 'transaction.version': 2 } });
  client = sim.connect();
});

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

/** Every error code in an answer. */
function codesIn(value: unknown): number[] {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    /^(partitionE|e)rrorCode$/.test(name) ? [inner as number] : codesIn(inner),
  );
}

/** APIs whose answers have parts only, and none when nothing was asked. */
const offered = [...offerApis().values()];

/** A request with something in every list. */
async function ask(api: AnyApi, version: number, action: FaultAction): Promise<number[]> {
  const words = {
    topics: ['lines'],
    topicIds: [sim.box.topicId('lines')],
    batches: [batchOf({ values: ['x'] })],
  };
  const rule = sim.box.fault({ match: { api: api.name }, do: action, count: Infinity });
  for (let seed = 1; seed < 40; seed++) {
    const requests = new ValidRequests(seededRandom(seed), words);
    const body = requests.body(api, version) as { acks?: number };
    if (body.acks !== undefined) body.acks = -1;
    client.close();
    client = sim.connect();
    const answer = await sim.run(client.call(api, version, body as never).catch(() => undefined));
    const codes = codesIn(answer);
    if (codes.includes(CODE)) {
      rule.remove();
      return codes;
    }
  }
  rule.remove();
  return [];
}

describe('an error', () => {
  const cases = offered.flatMap(({ handler, name, minVersion, maxVersion }) =>
    [...new Set([minVersion, maxVersion])].map((version) => [name, version, handler.api] as const),
  );

  it.each(cases)('instead of the work of %s v%d', async (_name, version, api) => {
    expect(await ask(api, version, fault.error(CODE))).toContain(CODE);
  });

  it.each(cases)('after the work of %s v%d', async (_name, version, api) => {
    expect(await ask(api, version, fault.applyThenError(CODE))).toContain(CODE);
  });
});

describe('a rule about a transactional id', () => {
  it('finds it wherever a request has it', async () => {
    const seen: string[] = [];
    sim.box.fault({ match: { transactionalId: 'mine' }, observe: ({ api }) => seen.push(api) });
    const send = async (api: AnyApi, version: number, body: object): Promise<void> => {
      await sim.run(client.call(api, version, body));
    };
    for (const id of ['mine', 'other']) {
      await send(findCoordinatorApi, 4, { keyType: 1, coordinatorKeys: [id] });
      await send(findCoordinatorApi, 2, { keyType: 1, key: id });
      await send(initProducerIdApi, 4, { transactionalId: id, transactionTimeoutMs: 1000 });
      const identity = { producerId: 1000, producerEpoch: 0 };
      await send(addPartitionsToTxnApi, 3, {
        v3AndBelowTransactionalId: id,
        v3AndBelowProducerId: 1000,
        v3AndBelowProducerEpoch: 0,
        v3AndBelowTopics: [{ name: 'lines', partitions: [0] }],
      });
      await send(endTxnApi, 3, { transactionalId: id, ...identity, committed: true });
    }
    // A group of the same name is something else.
    await send(findCoordinatorApi, 4, { keyType: 0, coordinatorKeys: ['mine'] });
    expect(seen).toEqual([
      'FindCoordinator',
      'FindCoordinator',
      'InitProducerId',
      'AddPartitionsToTxn',
      'EndTxn',
    ]);
  });
});

describe('a rule about a group', () => {
  it('leaves the others in the same request alone', async () => {
    for (const action of [fault.error(CODE), fault.applyThenError(CODE)]) {
      sim.box.fault({ match: { group: 'mine' }, do: action });
      const { groups } = await sim.run(client.call(describeGroupsApi, 5, { groups: ['other', 'mine'] }));
      expect(groups.map(({ errorCode }) => errorCode)).toEqual([ERRORS.NONE, CODE]);
    }
  });
});
