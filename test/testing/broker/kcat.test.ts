// librdkafka through kcat, where it is installed.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import { isOnPath, lines, run } from './command.ts';

const suite = isOnPath('kcat') ? describe : describe.skip;

suite('kcat', () => {
  let box: BrokerBox;
  const sent = Array.from({ length: 1000 }, (_, at) => `line-${at}`);

  beforeAll(async () => {
    box = await createBroker({ brokers: 3, topics: { lines: 3 } });
  });

  afterAll(async () => {
    await box.close();
    expect(box.internalErrors).toEqual([]);
  });

  const kcat = (args: readonly string[], input?: string) =>
    run('kcat', ['-b', box.bootstrap.join(','), ...args], input);

  it('lists, and compresses what it produces', async () => {
    expect(await kcat(['-L'])).toContain('topic "lines" with 3 partitions');
    await kcat(['-P', '-t', 'lines', '-z', 'gzip', '-X', 'enable.idempotence=true'], sent.join('\n'));
    const bytes = [0, 1, 2].reduce((sum, partition) => sum + box.partition('lines', partition).bytes, 0);
    expect(bytes).toBeLessThan(sent.join('').length);
  });

  it('consumes alone and in a group', async () => {
    const alone = await kcat(['-C', '-t', 'lines', '-o', 'beginning', '-e', '-q']);
    expect(lines(alone).sort()).toEqual([...sent].sort());
    const grouped = await kcat(['-G', 'readers', '-e', '-q', '-X', 'auto.offset.reset=earliest', 'lines']);
    expect(lines(grouped).sort()).toEqual([...sent].sort());
    const committed = [0, 1, 2].map((partition) => box.committed('readers', 'lines', partition)?.offset ?? 0);
    expect(committed.reduce((sum, offset) => sum + offset)).toBe(1000);
  });
});
