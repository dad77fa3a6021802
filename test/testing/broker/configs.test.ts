// Configurations of topics and brokers. The words of refusals are those of Kafka 4.3.1.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { createTopicsApi } from '../../../src/core/protocol/messages/19-create-topics.ts';
import { incrementalAlterConfigsApi } from '../../../src/core/protocol/messages/44-incremental-alter-configs.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import { describeConfigsApi } from '../../../src/core/protocol/messages/32-describe-configs.ts';
import { alterConfigsApi } from '../../../src/testing/broker/tables/33-alter-configs.ts';
import { batchOf, produceRequest } from './requests.ts';
import { simulated } from './simulated.ts';
import type { Simulated } from './simulated.ts';
import type { WireClient } from './wire-client.ts';

const TOPIC = 2;
const BROKER = 4;
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3] as const;

let sim: Simulated;
let client: WireClient;

beforeEach(async () => {
  sim = await simulated({ brokers: 2 });
  client = sim.connect();
});

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

type Change = readonly [name: string, operation: number, value: string | null];

async function alter(changes: readonly Change[], name = 'lines', type = TOPIC, validateOnly = false) {
  const configs = changes.map(([config, configOperation, value]) => ({
    name: config,
    configOperation,
    value,
  }));
  const resources = [{ resourceType: type, resourceName: name, configs }];
  const { responses } = await sim.run(
    client.call(incrementalAlterConfigsApi, 1, { resources, validateOnly }),
  );
  const { errorCode, errorMessage } = responses[0]!;
  return [errorCode, errorMessage];
}

async function describeOf(name = 'lines', type = TOPIC, keys: string[] | null = null) {
  const resources = [{ resourceType: type, resourceName: name, configurationKeys: keys }];
  const { results } = await sim.run(client.call(describeConfigsApi, 4, { resources, includeSynonyms: true }));
  return results[0]!;
}

async function valueOf(config: string, name = 'lines', type = TOPIC) {
  const { configs } = await describeOf(name, type, [config]);
  expect(configs).toHaveLength(1);
  return [configs[0]!.value, configs[0]!.configSource];
}

describe('configurations of a topic', () => {
  it('are all described, with their defaults, types and where they come from', async () => {
    const { errorCode, configs } = await describeOf();
    expect([errorCode, configs.length]).toEqual([ERRORS.NONE, 33]);
    expect(configs.find(({ name }) => name === 'retention.ms')).toMatchObject({
      value: '604800000',
      configSource: 5,
      configType: 5,
      synonyms: [{ name: 'log.retention.ms', value: '604800000', source: 5 }],
    });
  });

  it('are set, deleted, and lists grown and shrunk', async () => {
    expect(await alter([['retention.ms', SET, '1000']])).toEqual([ERRORS.NONE, null]);
    expect(await valueOf('retention.ms')).toEqual(['1000', 1]);
    await alter([['retention.ms', DELETE, null]]);
    expect(await valueOf('retention.ms')).toEqual(['604800000', 5]);
    await alter([['cleanup.policy', APPEND, 'compact']]);
    expect(await valueOf('cleanup.policy')).toEqual(['delete,compact', 1]);
    await alter([['cleanup.policy', SUBTRACT, 'delete']]);
    expect(await valueOf('cleanup.policy')).toEqual(['compact', 1]);
  });

  it.each<[Change[], number, string | null]>([
    [
      [['retention.ms', SET, 'abc']],
      ERRORS.INVALID_CONFIG,
      'Invalid value abc for configuration retention.ms: Not a number of type LONG',
    ],
    [[['no.such', SET, '1']], ERRORS.INVALID_CONFIG, 'Unknown topic config name: no.such'],
    [
      [['retention.ms', APPEND, '5']],
      ERRORS.INVALID_CONFIG,
      "Can't APPEND to key retention.ms because its type is not LIST.",
    ],
    [
      [['cleanup.policy', SET, 'nope']],
      ERRORS.INVALID_CONFIG,
      'Invalid value nope for configuration cleanup.policy: String must be one of: compact, delete',
    ],
    [
      [['max.message.bytes', SET, '-5']],
      ERRORS.INVALID_CONFIG,
      'Invalid value -5 for configuration max.message.bytes: Value must be at least 0',
    ],
    [
      [['preallocate', SET, 'yes']],
      ERRORS.INVALID_CONFIG,
      'Invalid value yes for configuration preallocate: Expected value to be either true or false',
    ],
    [[['retention.ms', SET, null]], ERRORS.INVALID_REQUEST, 'Null value not supported for : retention.ms'],
    [
      [
        ['retention.ms', SET, '5'],
        ['retention.ms', DELETE, null],
      ],
      ERRORS.INVALID_REQUEST,
      'Error due to duplicate config keys',
    ],
  ])('refuse %j', async (changes, code, message) => {
    expect(await alter(changes)).toEqual([code, message]);
    expect((await describeOf()).configs.every(({ configSource }) => configSource === 5)).toBe(true);
  });

  it('belong to topics that are there, each named once', async () => {
    const change: Change[] = [['retention.ms', SET, '1']];
    expect(await alter(change, 'nosuch')).toEqual([
      ERRORS.UNKNOWN_TOPIC_OR_PARTITION,
      "The topic 'nosuch' does not exist.",
    ]);
    expect(await alter(change, '')).toEqual([
      ERRORS.INVALID_REQUEST,
      'Default topic resources are not allowed.',
    ]);
    expect(await alter(change, 'x', 99)).toEqual([ERRORS.INVALID_REQUEST, 'Unknown resource type 99']);
    expect((await describeOf('nosuch')).errorCode).toBe(ERRORS.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await describeOf('bad name')).errorCode).toBe(ERRORS.INVALID_TOPIC_EXCEPTION);
    const twice = { resourceType: TOPIC, resourceName: 'lines', configs: [] };
    const { responses } = await sim.run(
      client.call(incrementalAlterConfigsApi, 0, { resources: [twice, twice], validateOnly: false }),
    );
    expect(responses.map(({ errorCode }) => errorCode)).toEqual([
      ERRORS.INVALID_REQUEST,
      ERRORS.INVALID_REQUEST,
    ]);
  });

  it('have an effect from now on, and none when only checked', async () => {
    const produce = async (value: string) => {
      const { responses } = await sim.run(
        sim
          .connect(sim.box.leaderOf('lines', 0))
          .call(produceApi, 9, produceRequest(batchOf({ values: [value] }))),
      );
      return responses[0]!.partitionResponses[0]!.errorCode;
    };
    await alter([['max.message.bytes', SET, '100']], 'lines', TOPIC, true);
    expect(await produce('x'.repeat(200))).toBe(ERRORS.NONE);
    await alter([['max.message.bytes', SET, '100']]);
    expect(await produce('x'.repeat(200))).toBe(ERRORS.MESSAGE_TOO_LARGE);
  });

  it('are replaced as a whole by the older request', async () => {
    await alter([['retention.ms', SET, '1000']]);
    const configs = [{ name: 'retention.bytes', value: '5000' }];
    const resources = [{ resourceType: TOPIC, resourceName: 'lines', configs }];
    const { responses } = await sim.run(client.call(alterConfigsApi, 2, { resources, validateOnly: false }));
    expect(responses[0]!.errorCode).toBe(ERRORS.NONE);
    expect(await valueOf('retention.ms')).toEqual(['604800000', 5]);
    expect(await valueOf('retention.bytes')).toEqual(['5000', 1]);
  });

  it('stand in the answer to the creation, and are checked there', async () => {
    const create = async (value: string) => {
      const topics = [
        {
          name: 'fresh',
          numPartitions: 1,
          replicationFactor: 1,
          assignments: [],
          configs: [{ name: 'segment.bytes', value }],
        },
      ];
      return (await sim.run(client.call(createTopicsApi, 7, { topics }))).topics[0]!;
    };
    expect((await create('12')).errorMessage).toMatch(/segment.bytes: Value must be at least 1048576/);
    const { errorCode, configs } = await create('2000000');
    expect([errorCode, configs?.length]).toEqual([ERRORS.NONE, 33]);
  });

  it('obey faults', async () => {
    sim.box.fault({
      match: { api: 'IncrementalAlterConfigs', topic: 'lines' },
      do: fault.error('NOT_CONTROLLER'),
    });
    expect((await alter([['retention.ms', SET, '1']]))[0]).toBe(ERRORS.NOT_CONTROLLER);
    expect((await alter([['retention.ms', SET, '1']]))[0]).toBe(ERRORS.NONE);
  });
});

describe('configurations of a broker', () => {
  it('show what the box was started with, and cannot be changed there', async () => {
    expect(await valueOf('num.partitions', '0', BROKER)).toEqual(['1', 4]);
    expect(await alter([['node.id', SET, '5']], '0', BROKER)).toEqual([
      ERRORS.INVALID_REQUEST,
      'Cannot update these configs dynamically: [node.id]',
    ]);
  });

  it('are changed for one node or for all, and asked of the node itself', async () => {
    await alter([['log.retention.ms', SET, '1000']], '', BROKER);
    expect(await valueOf('log.retention.ms', '0', BROKER)).toEqual(['1000', 3]);
    await alter([['log.retention.ms', SET, '2000']], '0', BROKER);
    expect(await valueOf('log.retention.ms', '0', BROKER)).toEqual(['2000', 2]);
    expect(await valueOf('log.retention.ms', '', BROKER)).toEqual(['1000', 3]);
    const message = 'Unexpected broker id, expected 0, but received 1';
    expect(await alter([['log.retention.ms', SET, '1']], '1', BROKER)).toEqual([
      ERRORS.INVALID_REQUEST,
      message,
    ]);
  });
});
