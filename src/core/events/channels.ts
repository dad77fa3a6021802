// Everything that can be listened to, by `node:diagnostics_channel`. Whoever publishes asks `hasSubscribers` first and makes no message without
// one: nobody listening costs a look at a flag for each batch or request, and nothing for a record.

import diagnosticsChannel from 'node:diagnostics_channel';
import type { BlockedProcessEvent, GroupEvent, OffsetsEvent, TransactionEvent } from './group-events.ts';
import type { ConnectionEvent, MetadataEvent, RequestEvent } from './network-events.ts';
import type { CreditEvent, FetchEvent, ProduceEvent } from './record-events.ts';
import type {
  DeliveryProblemEvent,
  RestartEvent,
  StuckRecordEvent,
  TopologyEvent,
  UndoneTransactionEvent,
} from './topology-events.ts';

/** The channels and the type of their messages. Messages hold no secrets and nothing of what records hold; they are not to be changed. */
export interface SluiceEvents {
  readonly 'sluice:connection': ConnectionEvent;
  readonly 'sluice:request': RequestEvent;
  readonly 'sluice:metadata': MetadataEvent;
  readonly 'sluice:produce': ProduceEvent;
  readonly 'sluice:fetch': FetchEvent;
  readonly 'sluice:credit': CreditEvent;
  readonly 'sluice:rebalance': GroupEvent;
  readonly 'sluice:blocked': BlockedProcessEvent;
  readonly 'sluice:commit': OffsetsEvent;
  readonly 'sluice:transaction': TransactionEvent;
  readonly 'sluice:topology': TopologyEvent;
  readonly 'sluice:topology-restart': RestartEvent;
  readonly 'sluice:transaction-undone': UndoneTransactionEvent;
  readonly 'sluice:delivery-problem': DeliveryProblemEvent;
  readonly 'sluice:record-stuck': StuckRecordEvent;
}

/** One channel, from the side of who publishes. */
export interface EventChannel<T> {
  readonly hasSubscribers: boolean;
  publish(event: T): void;
}

function channel<N extends keyof SluiceEvents>(name: N): EventChannel<SluiceEvents[N]> {
  return diagnosticsChannel.channel(name);
}

export const connectionEvents = channel('sluice:connection');
export const requestEvents = channel('sluice:request');
export const metadataEvents = channel('sluice:metadata');
export const produceEvents = channel('sluice:produce');
export const fetchEvents = channel('sluice:fetch');
export const creditEvents = channel('sluice:credit');
export const groupEvents = channel('sluice:rebalance');
export const blockedEvents = channel('sluice:blocked');
export const commitEvents = channel('sluice:commit');
export const transactionEvents = channel('sluice:transaction');
export const topologyEvents = channel('sluice:topology');
export const restartEvents = channel('sluice:topology-restart');
export const undoneEvents = channel('sluice:transaction-undone');
export const problemEvents = channel('sluice:delivery-problem');
export const stuckEvents = channel('sluice:record-stuck');

/**
 * Calls `listener` for each event of one channel, in the turn in which it happens, until the function that is returned is called. Events are those of
 * every client of the process; all but the topologies' name their `clientId`. A listener that throws stops nothing: what it threw becomes an
 * uncaught exception. It should be quick, and not call the client back: keep what it is told and do the work later.
 *
 * The same as `subscribe` of `node:diagnostics_channel`, with types.
 *
 * @example
 * ```ts
 * import { onEvent } from 'sluice';
 *
 * const stop = onEvent('sluice:rebalance', (event) => {
 *   if (event.kind === 'lost') console.error(`${event.topic}-${event.partition} was lost`);
 * });
 * stop();
 * ```
 */
export function onEvent<N extends keyof SluiceEvents>(
  name: N,
  listener: (event: SluiceEvents[N]) => void,
): () => void {
  const onMessage = (message: unknown): void => {
    listener(message as SluiceEvents[N]);
  };
  diagnosticsChannel.subscribe(name, onMessage);
  return () => {
    diagnosticsChannel.unsubscribe(name, onMessage);
  };
}
