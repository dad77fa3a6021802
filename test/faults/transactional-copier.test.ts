// Transactional copiers, ours and Kafka's, share a group: aborted by chance and, in the long form, stopped and killed.
import { afterEach, describe, expect, it } from '@jest/globals';
import { kafkaTool, sluice, type Tool } from '../cli/support/tool.ts';
import { brokers, short, testKafka, uniqueName } from '../helpers/brokers.ts';
import { lib } from '../helpers/interop/java-side.ts';
import { until } from '../helpers/until.ts';
import { readAll } from '../rows/support/producing.ts';

const RECORDS = short ? 3_000 : 60_000;
const PARTITIONS = 6;
const LIMIT_MS = 180_000;

(lib === undefined ? describe.skip : describe)('transactional copiers of one group', () => {
  const running: Tool[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((tool) => tool.end('SIGKILL')));
  });

  it(`copy ${RECORDS} records once, each partition in order`, async () => {
    const kafka = testKafka();
    const [from, to, group] = [uniqueName('copy-from'), uniqueName('copy-to'), uniqueName('copiers')];
    await kafka.admin().createTopics([from, to].map((name) => ({ name, partitions: PARTITIONS })));
    const producer = kafka.producer();
    const receipt = { onAcked: () => undefined, onFailed: () => undefined };
    for (let at = 0; at < RECORDS; at += 1)
      producer.send(from, { value: String(at), partition: at % PARTITIONS }, receipt);
    await producer.close();

    const member = (isOurs: boolean, id: string): Tool => {
      const args = [
        ...['--broker-list', brokers!.join(','), '--input-topic', from, '--input-partition', '0'],
        ...['--output-topic', to, '--consumer-group', group, '--transactional-id', `${to}-${id}`],
        ...['--transaction-size', '20', '--group-mode', '--use-group-metadata', '--enable-random-aborts'],
      ];
      const tool = isOurs
        ? sluice('transactional-copier', ...args)
        : kafkaTool(lib!, 'TransactionalMessageCopier', ...args);
      running.push(tool);
      return tool;
    };
    const first = member(true, 'a');
    const second = member(false, 'b');
    const third = member(true, 'c');
    if (!short) {
      const copies = (tool: Tool): Promise<void> =>
        tool.until('it copies', () => Number(tool.events.at(-1)?.['totalProcessed'] ?? 0) > 50);
      for (const tool of [first, second, third]) await copies(tool);
      expect(await first.end('SIGTERM')).toBe(0);
      await third.end('SIGKILL');
      await copies(member(true, 'c'));
    }
    const committed = async (): Promise<number> =>
      (await kafka.admin().fetchOffsets(group)).reduce((sum, { offset }) => sum + offset, 0);
    await until('all is copied', async () => (await committed()) === RECORDS, LIMIT_MS);
    await Promise.all(running.map((tool) => tool.end('SIGTERM')));

    const records = await readAll(kafka, to, 'read_committed');
    expect(records).toHaveLength(RECORDS);
    for (let partition = 0; partition < PARTITIONS; partition += 1)
      expect(records.filter((one) => one.partition === partition).map(({ value }) => Number(value))).toEqual(
        Array.from({ length: RECORDS / PARTITIONS }, (_, n) => PARTITIONS * n + partition),
      );
    await kafka.admin().deleteTopics([from, to]);
    await kafka.close();
  });
});
