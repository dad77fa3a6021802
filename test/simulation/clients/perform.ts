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
      | 'leaderless'
      | 'hold'
      | 'stall'
      | 'stopNode'
      | 'crashNode'
      | 'rehash'
      | 'drop'
      | 'grow'
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

/** A topic and a partition that are there, whatever was left out of the scenario. */
function inputOf({ inputs }: World, topic: number): string {
  return inputs[topic % inputs.length]!;
}

/** Somebody leads it only while a node is up. */
function moveLeader(box: BrokerBox, topic: string, partition: number): void {
  if (box.leaderOf(topic, partition) >= 0) box.moveLeader(topic, partition);
}

export function performOnCluster(world: World, act: ClusterAct): void {
  // No number of partitions may change on the way.
  if (act.act === 'grow') perform(world, act);
  else world.tellingLosses(() => perform(world, act));
}

function perform(world: World, act: ClusterAct): void {
  const { box, clock, scenario } = world;
  const topic = inputOf(world, 'topic' in act ? act.topic : 0);
  const partition = 'partition' in act ? act.partition % world.partitionsOf(topic) : 0;
  switch (act.act) {
    case 'fault':
      box.fault({ match: { api: act.api }, do: actionOf(act), count: act.count });
      break;
    case 'moveLeader':
      moveLeader(box, topic, partition);
      break;
    case 'leaderless':
      box.leaderless(topic, partition);
      clock.setTimeout(() => leadAgain(world, topic, partition), act.forMs);
      break;
    case 'hold':
      world.forAWhile(act.forMs, box.holdReplication(topic, partition));
      break;
    case 'stall':
      world.forAWhile(act.forMs, box.stallTransactions());
      break;
    case 'stopNode':
      if (act.node >= scenario.brokers) break;
      void box.stop(act.node);
      clock.setTimeout(() => void box.start(act.node), act.forMs);
      break;
    case 'crashNode':
      if (act.node >= scenario.brokers) break;
      void box.crash(act.node, { loseUnreplicated: act.loses });
      clock.setTimeout(() => void box.start(act.node), act.forMs);
      break;
    case 'rehash':
      box.rehashCoordinators();
      break;
    case 'drop':
      box.dropConnections(undefined, { reset: true });
      break;
    case 'grow': {
      const count = world.partitionsOf(topic);
      if (count < MAX_PARTITIONS) box.expandPartitions(topic, count + 1);
      break;
    }
  }
}

/** Ends an act that left a partition without a leader; with no node up, the next start does. */
export function leadAgain(world: World, topic: string, partition: number): void {
  const { box } = world;
  try {
    if (box.leaderOf(topic, partition) < 0) world.tellingLosses(() => box.moveLeader(topic, partition));
  } catch {
    // No node is up.
  }
}
