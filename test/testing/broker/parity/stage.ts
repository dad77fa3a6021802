// One side of a comparison: the same requests go to the box and to a real Kafka, and what comes back is written down so that it can be compared.
import type { AnyApi, RequestOf, ResponseOf } from '../../../../src/core/protocol/api.ts';
import { listOffsetsApi } from '../../../../src/core/protocol/messages/02-list-offsets.ts';
import { offsetFetchApi } from '../../../../src/core/protocol/messages/09-offset-fetch.ts';
import { findCoordinatorApi } from '../../../../src/core/protocol/messages/10-find-coordinator.ts';
import { metadataApi } from '../../../../src/core/protocol/messages/03-metadata.ts';
import { createTopicsApi } from '../../../../src/core/protocol/messages/19-create-topics.ts';
import { describeTransactionsApi } from '../../../../src/core/protocol/messages/65-describe-transactions.ts';
import type { WireClient } from '../wire-client.ts';

const GROUP = 0;
const TRANSACTION = 1;
const RETRIES = 200;

/** Code of this name in any part of an answer. */
const COORDINATOR_NOT_READY = [14, 15, 16];

export class Stage {
  /** What was written down, in order. */
  readonly notes: unknown[] = [];
  readonly client: WireClient;
  /** The time of the first record: ahead of the brokers' clocks, so that markers are never the youngest. */
  readonly baseMs: number;
  readonly #run: string;
  readonly #producerIds = new Map<number, string>();
  readonly #pause: () => Promise<void>;

  constructor(client: WireClient, run: string, baseMs: number, pause: () => Promise<void>) {
    this.baseMs = baseMs;
    this.client = client;
    this.#run = run;
    this.#pause = pause;
  }

  /** A name of this run: comparisons leave nothing behind that the next one would trip over. */
  name(base: string): string {
    return `${base}-${this.#run}`;
  }

  call<A extends AnyApi>(api: A, version: number, body: RequestOf<A>): Promise<ResponseOf<A>> {
    return this.client.call(api, version, body);
  }

  /** Writes something down under a label. */
  note(label: string, value: unknown): void {
    this.notes.push([label, this.#plain(value)]);
  }

  /** Creates a topic and waits until it has a leader. */
  async topic(
    base: string,
    options: { readonly partitions?: number; readonly configs?: Readonly<Record<string, string>> } = {},
  ): Promise<string> {
    const name = this.name(base);
    const configs = Object.entries(options.configs ?? {}).map(([key, value]) => ({ name: key, value }));
    const numPartitions = options.partitions ?? 1;
    await this.call(createTopicsApi, 5, {
      timeoutMs: 10_000,
      topics: [{ name, numPartitions, replicationFactor: 1, assignments: [], configs }],
    });
    await this.until(async () => {
      const { topics } = await this.call(metadataApi, 9, { topics: [{ name }] });
      const partitions = topics[0]?.partitions ?? [];
      return partitions.length === numPartitions && partitions.every(({ errorCode }) => errorCode === 0);
    });
    for (let partitionIndex = 0; partitionIndex < numPartitions; partitionIndex++) {
      await this.until(async () => {
        const wanted = { name, partitions: [{ partitionIndex, timestamp: -1 }] };
        const { topics } = await this.call(listOffsetsApi, 2, {
          replicaId: -1,
          isolationLevel: 0,
          topics: [wanted],
        });
        return topics[0]!.partitions[0]!.errorCode === 0;
      });
    }
    return name;
  }

  async topicId(name: string): Promise<string> {
    const { topics } = await this.call(metadataApi, 12, { topics: [{ name }] });
    return topics[0]!.topicId;
  }

  /** Waits until somebody coordinates a transactional id, and its coordinator is ready. */
  async coordinator(transactionalId: string): Promise<void> {
    await this.until(async () => {
      const request = { key: transactionalId, keyType: TRANSACTION };
      const { errorCode } = await this.call(findCoordinatorApi, 3, request);
      if (errorCode !== 0) return false;
      const state = await this.describe(transactionalId);
      return !COORDINATOR_NOT_READY.includes(state.errorCode);
    });
  }

  /** Waits until a group may be spoken to. */
  async group(groupId: string): Promise<void> {
    await this.until(async () => {
      const { errorCode } = await this.call(findCoordinatorApi, 3, { key: groupId, keyType: GROUP });
      if (errorCode !== 0) return false;
      const answer = await this.call(offsetFetchApi, 7, { groupId, topics: [] });
      return answer.errorCode === 0;
    });
  }

  async describe(
    transactionalId: string,
  ): Promise<ResponseOf<typeof describeTransactionsApi>['transactionStates'][number]> {
    const answer = await this.call(describeTransactionsApi, 0, { transactionalIds: [transactionalId] });
    return answer.transactionStates[0]!;
  }

  /** Waits until the markers of the id's last transaction are written. */
  async settled(transactionalId: string): Promise<void> {
    await this.until(
      async () => !(await this.describe(transactionalId)).transactionState.startsWith('Prepare'),
    );
  }

  async until(holds: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < RETRIES; tries++) {
      if (await holds()) return;
      await this.#pause();
    }
    throw new Error('what was waited for did not come');
  }

  close(): void {
    this.client.close();
  }

  /** Producer ids by the order in which they appeared, names without what belongs to the run, bytes as hexadecimal. */
  #plain(value: unknown): unknown {
    if (typeof value === 'string') return value.replaceAll(`-${this.#run}`, '');
    if (Buffer.isBuffer(value)) return value.toString('hex');
    if (Array.isArray(value)) return value.map((element) => this.#plain(element));
    if (value === null || typeof value !== 'object') return value;
    // An answer that is an error has no producer, and says so with -1 or 0.
    const isError = 'errorCode' in value && value.errorCode !== 0;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => {
        if (key !== 'producerId') return [key, this.#plain(inner)];
        return [key, isError ? inner : this.#producer(inner as number)];
      }),
    );
  }

  /** A name for a producer id that is the same on both sides. */
  #producer(id: number): string {
    if (id < 0) return 'none';
    let name = this.#producerIds.get(id);
    if (name === undefined) {
      name = `producer ${this.#producerIds.size + 1}`;
      this.#producerIds.set(id, name);
    }
    return name;
  }
}
