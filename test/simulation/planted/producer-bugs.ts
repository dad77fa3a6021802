// Bugs of a producer.
import { RemoteCluster } from '../../../src/core/cluster/remote-cluster.ts';
import { Answers } from '../../../src/core/producer/answers.ts';
import type { Batch } from '../../../src/core/producer/batch.ts';
import { Flight } from '../../../src/core/producer/flight.ts';
import { PartitionQueue } from '../../../src/core/producer/partition-queue.ts';
import { Sequence } from '../../../src/core/producer/sequence.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { TimeoutError } from '../../../src/errors.ts';
import type { KafkaError } from '../../../src/errors.ts';
import { replaceMethod } from './replace.ts';

const EVERY = 12;

interface ProduceBody {
  readonly topicData: readonly {
    readonly name: string;
    readonly topicId: string;
    readonly partitionData: readonly { readonly index: number }[];
  }[];
}

/** The private side of a flight. */
interface Inside {
  batches: Batch[];
  gap: boolean;
}

type Again = (this: Inside, batch: Batch, error: KafkaError, unclear: boolean, pause: boolean) => void;

/** Now and then a request is not sent, and counts as acknowledged. */
export function dropAcked(): () => void {
  let requests = 0;
  type Send = (
    this: RemoteCluster,
    node: number,
    api: { readonly name: string },
    body: unknown,
    options: object,
  ) => Promise<unknown>;
  return replaceMethod<Send>(
    RemoteCluster,
    'send',
    (send) =>
      function (node, api, body, options) {
        if (api.name !== 'Produce' || ++requests % EVERY !== 0)
          return send.call(this, node, api, body, options);
        const responses = (body as ProduceBody).topicData.map(({ name, topicId, partitionData }) => ({
          name,
          topicId,
          partitionResponses: partitionData.map(({ index }) => ({
            index,
            errorCode: 0,
            errorMessage: null,
            baseOffset: -1,
            logAppendTimeMs: -1,
            logStartOffset: 0,
            recordErrors: [],
            currentLeader: { leaderId: -1, leaderEpoch: -1 },
          })),
        }));
        return Promise.resolve({ responses, throttleTimeMs: 0, nodeEndpoints: [] });
      },
  );
}

/** A batch without an answer is sent again as a new one. */
export function doubleSendOnTimeout(): () => void {
  return replaceMethod<Again>(
    Flight,
    'again',
    (again) =>
      function (batch, error, unclear, pause) {
        again.call(this, batch, error, false, pause);
        if (unclear) this.gap = true;
      },
  );
}

/** Now and then two batches get the same sequence numbers. */
export function reuseSequence(): () => void {
  let takes = 0;
  type Take = (this: Sequence, count: number) => number;
  return replaceMethod<Take>(
    Sequence,
    'take',
    (take) =>
      function (count) {
        const first = take.call(this, count);
        if (++takes % EVERY === 0) this.next = first;
        return first;
      },
  );
}

/** After a failure the sequence starts again at 0 under the same epoch. */
export function resetSequenceWithoutEpoch(): () => void {
  return replaceMethod<(this: Sequence) => void>(
    Sequence,
    'bump',
    () =>
      function () {
        this.next = 0;
      },
  );
}

/** "I am not the leader" counts as an acknowledgement. */
export function staleLeaderWrite(): () => void {
  type Settle = (
    this: Answers,
    entry: unknown,
    part: { readonly errorCode: number },
    answer: unknown,
  ) => void;
  return replaceMethod<Settle>(
    Answers,
    'settle',
    (settle) =>
      function (entry, part, answer) {
        const isStale = part.errorCode === ERRORS.NOT_LEADER_OR_FOLLOWER;
        settle.call(this, entry, isStale ? { ...part, errorCode: 0 } : part, answer);
      },
  );
}

/** While a batch is sent again, the two behind it change places. */
export function swapTwoBatchesOnRetry(): () => void {
  interface Queue {
    readonly flight: { readonly batches: readonly Batch[] };
    readonly backlog: { readonly closed: Batch[] };
  }
  const swapped = new WeakSet<Batch>();
  type Select = (this: Queue, now: number) => Batch | undefined;
  return replaceMethod<Select>(
    PartitionQueue,
    'select',
    (select) =>
      function (now) {
        const { closed } = this.backlog;
        const [one, other] = closed;
        const retries = this.flight.batches.some(({ state }) => state === 'waiting');
        if (retries && one !== undefined && other !== undefined && !swapped.has(one)) {
          closed.splice(0, 2, other, one);
          swapped.add(one).add(other);
        }
        return select.call(this, now);
      },
  );
}

/** A send without an answer counts as failed. */
export function timeoutReportedAsFail(): () => void {
  return replaceMethod<() => KafkaError>(
    Flight,
    'unknown',
    () => () => new TimeoutError('not sent', { afterMs: 1, sent: false, api: 'Produce' }),
  );
}
