// Acts upon the cluster: what the box can do, and where it cannot yet, the nearest it can.
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import type { FaultAction } from '../../../src/testing/broker/faults/fault.ts';
import type { Act } from './scenario.ts';
import type { World } from './world.ts';

type FaultAct = Act & { readonly act: 'fault' };
export type ClusterAct = Extract<
  Act,
  {
    readonly act:
      | 'moveLeader'
      | 'elect'
      | 'leaderless'
      | 'stopNode'
      | 'crashNode'
      | 'rehash'
      | 'drop'
      | 'snapshot'
      | 'grow'
      | 'delete'
      | 'fault';
  }
>;

const MAX_PARTITIONS = 5;

function actionOf({ does, error, ms }: FaultAct): FaultAction {
  switch (does) {
    case 'error':
      return fault.error(error);
    case 'applyThenError':
      return fault.applyThenError(error);
    case 'delay':
      return fault.delay(ms);
    case 'throttle':
      return fault.throttle(ms);
    case 'answerOnly':
      return fault.answerOnly(ms % 13);
    default:
      return fault[does];
  }
}

/** Somebody leads it only while a node is up. */
function moveLeader(box: BrokerBox, topic: string, partition: number): void {
  if (box.leaderOf(topic, partition) >= 0) box.moveLeader(topic, partition);
}

export function performOnCluster(world: World, act: ClusterAct): void {
  const { box, clock, scenario } = world;
  switch (act.act) {
    case 'fault':
      box.fault({ match: { api: act.api }, do: actionOf(act), count: act.count });
      break;
    case 'moveLeader':
    case 'elect':
      moveLeader(box, `in-${act.topic}`, act.partition);
      break;
    case 'leaderless':
      box.leaderless(`in-${act.topic}`, act.partition);
      clock.setTimeout(() => leadAgain(box, `in-${act.topic}`, act.partition), act.forMs);
      break;
    case 'stopNode':
    case 'crashNode':
      if (act.node >= scenario.brokers) break;
      void box.stop(act.node);
      clock.setTimeout(() => void box.start(act.node), act.forMs);
      break;
    case 'rehash':
      box.rehashCoordinators();
      break;
    case 'drop':
      box.dropConnections(undefined, { reset: true });
      break;
    case 'grow': {
      const topic = `in-${act.topic}`;
      const count = world.partitionsOf(topic);
      if (count < MAX_PARTITIONS) box.expandPartitions(topic, count + 1);
      break;
    }
  }
}

/** Ends an act that left a partition without a leader; with no node up, the next start does. */
export function leadAgain(box: BrokerBox, topic: string, partition: number): void {
  try {
    if (box.leaderOf(topic, partition) < 0) box.moveLeader(topic, partition);
  } catch {
    // No node is up.
  }
}
