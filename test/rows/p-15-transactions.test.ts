// Rows P-15 to P-17: transactions.
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { StatusMachine, TRANSITIONS, type TransactionStatus } from '../../src/core/transactions/status.ts';
import { transactionVerdict, type TransactionApi } from '../../src/core/transactions/verdicts.ts';
import type { ERRORS } from '../../src/core/protocol/error-codes.ts';
import { TransactionAbortableError, TransactionFatalError, UsageError, type Kafka } from '../../src/index.ts';
import { fault } from '../../src/testing/broker/faults/fault.ts';
import { brokers, isKafka39, testKafka, uniqueName } from '../helpers/brokers.ts';
import { rejection } from '../helpers/rejection.ts';
import { until } from '../helpers/until.ts';
import { startBox, type Boxed } from './support/box-producing.ts';
import { numbered, readAll } from './support/producing.ts';
import { createTopic } from './support/reading.ts';

const committedIn = async (kafka: Kafka, topic: string): Promise<(string | null)[]> =>
  (await readAll(kafka, topic, 'read_committed')).map(({ value }) => value);

(brokers === undefined ? describe.skip : describe)('P-15: transactions on a broker', () => {
  const kafka = testKafka();
  const topics: string[] = [];
  const newTopic = async (partitions = 1): Promise<string> => {
    const topic = await createTopic(kafka, uniqueName('p15'), partitions);
    topics.push(topic);
    return topic;
  };
  // An end is answered before its markers are written.
  const shows = async (topic: string, values: readonly string[]): Promise<void> => {
    await until('the markers', async () => (await committedIn(kafka, topic)).length >= values.length);
    expect((await committedIn(kafka, topic)).sort()).toEqual([...values].sort());
  };
  afterAll(async () => {
    await kafka.admin().deleteTopics(topics);
    await kafka.close();
  });

  it('shows nothing before the commit and all of it after, and nothing ever of what is aborted', async () => {
    const topic = await newTopic(3);
    const producer = kafka.producer({ transactionalId: uniqueName('p15') });
    await producer.init();
    expect(producer.transactionVersion).toBe(isKafka39 ? 1 : 2);
    producer.begin();
    await Promise.all(
      numbered(30).map((value, at) => producer.sendAsync(topic, { value, partition: at % 3 })),
    );
    expect(await committedIn(kafka, topic)).toEqual([]);
    await producer.commit();
    await shows(topic, numbered(30));
    producer.begin();
    await Promise.all(
      numbered(30, 'no').map((value, at) => producer.sendAsync(topic, { value, partition: at % 3 })),
    );
    await producer.abort();
    await producer.transaction((tx) => void tx.sendAsync(topic, { value: 'last', partition: 0 }));
    await shows(topic, [...numbered(30), 'last']);
    await producer.close();
  });

  it('takes no record outside a transaction, and asks nothing for one with nothing in it', async () => {
    const topic = await newTopic();
    const producer = kafka.producer({ transactionalId: uniqueName('p15') });
    expect(await rejection(producer.sendAsync(topic, { value: 'x' }))).toBeInstanceOf(UsageError);
    await producer.init();
    expect(await rejection(producer.sendAsync(topic, { value: 'x' }))).toBeInstanceOf(UsageError);
    const before = producer.producerIdentity;
    producer.begin();
    await producer.commit();
    producer.begin();
    await producer.abort();
    expect(producer.producerIdentity).toEqual(before);
    expect(producer.counters.requests).toBe(0);
    await producer.close();
  });

  it('moves the offsets of a group with its commit only', async () => {
    const topic = await newTopic(2);
    const groupId = uniqueName('p15-group');
    const producer = kafka.producer({ transactionalId: uniqueName('p15') });
    await producer.init();
    const offsets = async (): Promise<number[]> =>
      (await kafka.admin().fetchOffsets(groupId)).map(({ offset }) => offset);
    const points = [0, 1].map((partition) => ({ topic, partition, offset: 5 + partition }));
    producer.begin();
    await producer.sendOffsets(points, { groupId });
    await producer.abort();
    producer.begin();
    await producer.sendOffsets(points, { groupId });
    await producer.commit();
    await until('the offsets', async () => (await offsets()).length === 2);
    expect((await offsets()).sort()).toEqual([5, 6]);
    await producer.close();
  });

  it('offsets of a member that has lost its generation make the transaction abortable (KIP-447)', async () => {
    const topic = await newTopic();
    const producer = kafka.producer({ transactionalId: uniqueName('p15') });
    await producer.init();
    producer.begin();
    await producer.sendAsync(topic, { value: 'x' });
    const sending = producer.sendOffsets([{ topic, partition: 0, offset: 1 }], {
      groupId: uniqueName('p15-group'),
      memberId: 'nobody',
      generationId: 3,
    });
    expect(await rejection(sending)).toBeInstanceOf(TransactionAbortableError);
    expect(await rejection(producer.commit())).toBeInstanceOf(TransactionAbortableError);
    await producer.abort();
    await producer.transaction((tx) => void tx.sendAsync(topic, { value: 'kept' }));
    await shows(topic, ['kept']);
    await producer.close();
  });

  it('P-16: a second producer of the id shuts the first one out', async () => {
    const topic = await newTopic();
    const transactionalId = uniqueName('p16');
    const [first, second] = [kafka.producer({ transactionalId }), kafka.producer({ transactionalId })];
    await first.init();
    first.begin();
    await first.sendAsync(topic, { value: 'first' });
    await second.init();
    expect(await rejection(first.commit())).toBeInstanceOf(TransactionFatalError);
    expect(first.status).toBe('fatal-error');
    expect(() => first.begin()).toThrow(TransactionFatalError);
    await second.transaction((tx) => void tx.sendAsync(topic, { value: 'second' }));
    await shows(topic, ['second']);
    await Promise.all([first.close(), second.close()]);
  });
});

describe('P-16: the status of a transactional producer', () => {
  const all = Object.keys(TRANSITIONS) as TransactionStatus[];
  /** A way to each status along edges of the table. */
  const ways: { readonly [to in TransactionStatus]: readonly TransactionStatus[] } = {
    uninitialized: [],
    initializing: ['initializing'],
    ready: ['initializing', 'ready'],
    'in-transaction': ['initializing', 'ready', 'in-transaction'],
    committing: ['initializing', 'ready', 'in-transaction', 'committing'],
    aborting: ['initializing', 'ready', 'in-transaction', 'aborting'],
    'abortable-error': ['initializing', 'ready', 'in-transaction', 'abortable-error'],
    'fatal-error': ['fatal-error'],
  };
  const at = (status: TransactionStatus): StatusMachine => {
    const machine = new StatusMachine();
    for (const step of ways[status]) machine.to(step);
    return machine;
  };
  const pairs = all.flatMap((from) => all.map((to) => [from, to, TRANSITIONS[from].includes(to)] as const));

  it.each(pairs)('%s -> %s: %s', (from, to, isAllowed) => {
    const machine = at(from);
    if (isAllowed) {
      machine.to(to);
      expect(machine.current).toBe(to);
    } else {
      expect(() => machine.to(to)).toThrow(UsageError);
      expect(machine.current).toBe(from);
    }
  });

  it("has the edges of sarama's table, and no way out of a fatal error but taking the id back", () => {
    expect(TRANSITIONS['fatal-error']).toEqual(['initializing']);
    expect(TRANSITIONS['abortable-error']).toEqual(['aborting', 'fatal-error']);
    expect(TRANSITIONS.ready).toContain('in-transaction');
    expect(all.filter((from) => TRANSITIONS[from].includes('in-transaction'))).toEqual(['ready']);
  });
});

describe('P-17: what each error code means', () => {
  let boxed: Boxed;
  afterEach(() => boxed.close());

  type Outcome = 'retried' | 'abortable' | 'fatal';
  const expected: { readonly [code in keyof typeof ERRORS]?: Outcome } = {
    CONCURRENT_TRANSACTIONS: 'retried',
    COORDINATOR_LOAD_IN_PROGRESS: 'retried',
    NOT_COORDINATOR: 'retried',
    COORDINATOR_NOT_AVAILABLE: 'retried',
    TRANSACTION_ABORTABLE: 'abortable',
    INVALID_PRODUCER_ID_MAPPING: 'abortable',
    UNKNOWN_PRODUCER_ID: 'abortable',
    INVALID_TXN_STATE: 'fatal',
    PRODUCER_FENCED: 'fatal',
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'fatal',
    CLUSTER_AUTHORIZATION_FAILED: 'fatal',
    UNSUPPORTED_VERSION: 'fatal',
  };
  const requests: readonly [TransactionApi, 1 | 2, Partial<Record<string, Outcome>>][] = [
    [
      'InitProducerId',
      2,
      {
        TRANSACTION_ABORTABLE: 'fatal',
        INVALID_PRODUCER_ID_MAPPING: 'fatal',
        UNKNOWN_PRODUCER_ID: 'fatal',
        INVALID_TRANSACTION_TIMEOUT: 'fatal',
      },
    ],
    [
      'AddPartitionsToTxn',
      1,
      { TOPIC_AUTHORIZATION_FAILED: 'abortable', UNKNOWN_TOPIC_OR_PARTITION: 'retried' },
    ],
    ['AddOffsetsToTxn', 1, { GROUP_AUTHORIZATION_FAILED: 'abortable' }],
    [
      'TxnOffsetCommit',
      2,
      {
        ILLEGAL_GENERATION: 'abortable',
        UNKNOWN_MEMBER_ID: 'abortable',
        FENCED_INSTANCE_ID: 'abortable',
        GROUP_AUTHORIZATION_FAILED: 'abortable',
        INVALID_TXN_STATE: 'abortable',
      },
    ],
    ['EndTxn', 2, {}],
    ['EndTxn', 1, {}],
    [
      'Produce',
      2,
      {
        CONCURRENT_TRANSACTIONS: 'retried',
        INVALID_PRODUCER_EPOCH: 'abortable',
        INVALID_RECORD: 'abortable',
        OUT_OF_ORDER_SEQUENCE_NUMBER: 'abortable',
        PRODUCER_FENCED: 'fatal',
        CLUSTER_AUTHORIZATION_FAILED: 'fatal',
        TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'fatal',
        INVALID_PRODUCER_ID_MAPPING: 'fatal',
      },
    ],
  ];
  const cases = requests.flatMap(([api, version, own]) =>
    Object.entries(api === 'Produce' ? own : { ...expected, ...own }).map(
      ([code, outcome]) => [api, version, code as keyof typeof ERRORS, outcome!] as const,
    ),
  );

  it.each(cases)('%s v%i answered with %s: %s', async (api, version, code, outcome) => {
    boxed = await startBox({ t: 1 }, { features: { 'transaction.version': version } });
    const { box, kafka, run } = boxed;
    const producer = kafka.producer({ transactionalId: 'tx' });
    const refuse = (): unknown =>
      box.fault({
        match: { api },
        do: fault.error(code),
        count: outcome === 'retried' ? 2 : 1,
      });
    if (api === 'InitProducerId') {
      refuse();
      const init = run(producer.init());
      if (outcome === 'fatal') expect(await rejection(init)).toBeInstanceOf(TransactionFatalError);
      else await init;
      expect(producer.status).toBe(outcome === 'fatal' ? 'fatal-error' : 'ready');
      await run(producer.close());
      return;
    }
    await run(producer.init());
    refuse();
    producer.begin();
    const work = (async () => {
      const sent = producer.sendAsync('t', { value: 'first' });
      sent.catch(() => undefined);
      if (api.endsWith('OffsetsToTxn') || api === 'TxnOffsetCommit')
        await producer.sendOffsets([{ topic: 't', partition: 0, offset: 1 }], { groupId: 'g' });
      await producer.commit();
    })();
    if (outcome === 'retried') {
      await run(work);
      expect(producer.status).toBe('ready');
      expect(await committedInBox()).toEqual(['first']);
    } else {
      const error = await rejection(run(work));
      expect(error).toBeInstanceOf(outcome === 'fatal' ? TransactionFatalError : TransactionAbortableError);
      expect(producer.status).toBe(outcome === 'fatal' ? 'fatal-error' : 'abortable-error');
      if (outcome === 'abortable') {
        await run(producer.abort());
        await run(producer.transaction((tx) => void tx.sendAsync('t', { value: 'second' })));
        expect(await committedInBox()).toEqual(['second']);
      } else expect(() => producer.begin()).toThrow(TransactionFatalError);
    }
    await run(producer.close());

    async function committedInBox(): Promise<(string | null)[]> {
      await boxed.clock.runUntil(
        () => box.partition('t', 0).lastStableOffset === box.partition('t', 0).logEndOffset,
      );
      return run(committedIn(kafka, 't'));
    }
  });

  it('what is in no row is fatal of a coordinator and abortable of a batch', async () => {
    boxed = await startBox({ t: 1 });
    expect(transactionVerdict('EndTxn', 'UNKNOWN_SERVER_ERROR')).toBe('fatal');
    expect(transactionVerdict('Produce', 'UNKNOWN_SERVER_ERROR')).toBe('abortable');
  });

  it.each([1, 2] as const)(
    'v%i: an end without an answer is asked for again, and what comes late of it cannot end the next transaction (KAFKA-17754)',
    async (version) => {
      boxed = await startBox(
        { t: 1 },
        { features: { 'transaction.version': version } },
        { requestTimeout: 1_000 },
      );
      const { box, kafka, run } = boxed;
      const producer = kafka.producer({ transactionalId: 'tx' });
      await run(producer.init());
      const before = producer.producerIdentity!;
      box.fault({ match: { api: 'EndTxn' }, do: fault.applyThenDropResponse });
      await run(producer.transaction((tx) => void tx.sendAsync('t', { value: 'one' })));
      expect(producer.producerIdentity!.producerEpoch).toBeGreaterThan(before.producerEpoch);
      box.fault({ match: { api: 'EndTxn' }, do: fault.dropRequest });
      await run(producer.transaction((tx) => void tx.sendAsync('t', { value: 'two' })));
      producer.begin();
      await run(producer.sendAsync('t', { value: 'undone' }));
      await run(producer.abort());
      expect(producer.status).toBe('ready');
      await boxed.clock.runUntil(
        () => box.partition('t', 0).lastStableOffset === box.partition('t', 0).logEndOffset,
      );
      expect(await run(committedIn(kafka, 't'))).toEqual(['one', 'two']);
      await run(producer.close());
    },
  );

  it('transactions v2 adds no partitions by hand, v1 caps what would', async () => {
    for (const version of [1, 2] as const) {
      boxed = await startBox({ t: 1 }, { features: { 'transaction.version': version } });
      const { box, kafka, run } = boxed;
      const producer = kafka.producer({ transactionalId: 'tx' });
      await run(producer.init());
      await run(
        producer.transaction(async (tx) => {
          void tx.sendAsync('t', { value: 'x' });
          await tx.sendOffsets([{ topic: 't', partition: 0, offset: 1 }], { groupId: 'g' });
        }),
      );
      const asked = (api: string): number[] =>
        box
          .requests()
          .filter((one) => one.api === api)
          .map((one) => one.version);
      expect([...new Set(asked('AddPartitionsToTxn'))]).toEqual(version === 1 ? [3] : []);
      expect(asked('AddOffsetsToTxn').length > 0).toBe(version === 1);
      expect(asked('EndTxn')).toEqual([version === 1 ? 4 : 5]);
      expect(asked('TxnOffsetCommit')).toEqual([version === 1 ? 4 : 5]);
      expect(asked('Produce').every((one) => (version === 1 ? one <= 11 : one >= 12))).toBe(true);
      await run(producer.close());
      if (version === 1) await boxed.close();
    }
  });

  it('a transaction that is open for too long is aborted by the cluster, and the producer told', async () => {
    boxed = await startBox({ t: 1 });
    const { kafka, run, clock } = boxed;
    const producer = kafka.producer({ transactionalId: 'tx', transactionTimeoutMs: 5_000 });
    await run(producer.init());
    producer.begin();
    await run(producer.sendAsync('t', { value: 'late' }));
    await run(new Promise<void>((resolve) => clock.setTimeout(resolve, 30_000)));
    expect(await rejection(run(producer.commit()))).toBeInstanceOf(TransactionFatalError);
    await run(producer.takeOver());
    await run(producer.transaction((tx) => void tx.sendAsync('t', { value: 'again' })));
    expect(await run(committedIn(kafka, 't'))).toEqual(['again']);
    await run(producer.close());
  });
});
