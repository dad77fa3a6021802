// docs/configuration.md names every option there is.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { DEFAULT_GROUP_TIMES } from '../../src/core/group/options.ts';
import { clusterOptions } from '../../src/core/options.ts';
import { producerSettings } from '../../src/core/producer/options.ts';

const page = readFileSync(path.resolve(__dirname, '../../docs/configuration.md'), 'utf8');
const FETCHER = [
  'budgetBytes',
  'partitionFetchBytes',
  'prefetchBytes',
  'maxBatchBytes',
  'fetchMaxWaitMs',
  'fetchMinBytes',
  'isolationLevel',
  'outOfRange',
  'rackId',
];

/** What the client says it knows when it is given something else. */
function knownTo(check: () => unknown): string[] {
  try {
    check();
  } catch (error) {
    return /known are (.*)$/.exec((error as Error).message)![1]!.split(', ');
  }
  throw new Error('accepted');
}

const client = knownTo(() => clusterOptions({ brokers: [], nonsense: 1 } as never)).filter(
  (name) => name !== 'retry',
);
const retry = knownTo(() => clusterOptions({ brokers: [], retry: { nonsense: 1 } } as never)).map(
  (name) => `retry.${name}`,
);
const producer = Object.keys(producerSettings()).filter((name) => name !== 'numbering');

it.each([...client, ...retry, ...producer, 'idempotent', ...FETCHER, ...Object.keys(DEFAULT_GROUP_TIMES)])(
  'docs/configuration.md names %s',
  (option) => {
    expect(page).toContain(`\`${option}\``);
  },
);
