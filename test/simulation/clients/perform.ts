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
      | 'fault'
      | 'deleteRecords'
      | 'restartCluster'
      | 'addNode'
      | 'removeNode';
  }
>;

const MAX_PARTITIONS = 5;
const MAX_NODES = 5;

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

/** Those that change the number of partitions, or tell what is lost themselves. */
const TELLS_ITSELF: ReadonlySet<Act['act']> = new Set(['grow', 'restartCluster']);

export function performOnCluster(world: World, act: ClusterAct): void {
  // While it restarts nobody is there for anything to befall.
  if (world.isRestarting) return;
  if (TELLS_ITSELF.has(act.act)) perform(world, act);
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
      stopNode(world, act.node, (node) => box.stop(node), act.forMs);
      break;
    case 'crashNode':
      if (act.node >= scenario.brokers) break;
      stopNode(world, act.node, (node) => box.crash(node, { loseUnreplicated: act.loses }), act.forMs);
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
    case 'deleteRecords':
      deleteRecords(world, topic, partition, act.part);
      break;
    case 'restartCluster':
      void world.restart();
      break;
    case 'addNode':
      if (world.nodeIds.length < MAX_NODES) void box.addNode();
      break;
    case 'removeNode':
      removeNode(world, act.node);
      break;
  }
}

function stopNode(world: World, node: number, stop: (node: number) => Promise<void>, forMs: number): void {
  if (!world.nodeIds.includes(node)) return;
  void stop(node);
  world.clock.setTimeout(() => {
    if (!world.isRestarting && world.nodeIds.includes(node)) void world.box.start(node);
  }, forMs);
}

/** Clients know the first nodes: one of them stays. */
function removeNode({ box, scenario, nodeIds }: World, at: number): void {
  const node = nodeIds[at % nodeIds.length]!;
  const first = nodeIds.filter((id) => id < scenario.brokers);
  if (nodeIds.length > 1 && (node >= scenario.brokers || first.length > 1)) void box.removeNode(node);
}

/** The topic is a new one that is empty. */
export function recreateTopic(world: World, at: number): void {
  const topic = inputOf(world, at);
  const byName = world.scenario.cluster.speaks === 'all' ? {} : ({ byName: true } as const);
  world.recorder.add({ kind: 'recreated', topic, ...byName });
  world.box.recreateTopic(topic);
  for (const place of world.logEnds.keys()) if (place.startsWith(`${topic}-`)) world.logEnds.delete(place);
}

function deleteRecords({ box, recorder }: World, topic: string, partition: number, part: number): void {
  const { logStartOffset, highWatermark } = box.partition(topic, partition);
  const before = logStartOffset + Math.floor((highWatermark - logStartOffset) * part);
  if (before === logStartOffset) return;
  box.deleteRecords(topic, partition, before);
  recorder.add({ kind: 'deleted', topic, partition, before });
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
