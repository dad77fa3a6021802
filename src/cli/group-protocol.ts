// Which protocol a verifiable consumer's group speaks, by the names of Kafka's tool.

import type { AssignorName, GroupConsumerOptions } from '../core/index.ts';

/** Kafka's classes, and what the client calls them. */
const ASSIGNORS: ReadonlyMap<string, AssignorName> = new Map([
  ['RangeAssignor', 'range'],
  ['RoundRobinAssignor', 'roundrobin'],
  ['StickyAssignor', 'sticky'],
  ['CooperativeStickyAssignor', 'cooperative-sticky'],
]);
const PACKAGE = 'org.apache.kafka.clients.consumer.';

export const DEFAULT_STRATEGY = `${PACKAGE}RangeAssignor`;
export const KNOWN_STRATEGIES = [...ASSIGNORS.keys()].join(', ');

/** The assignors of a list of classes or names; undefined when one is none of Kafka's own. */
export function assignorsOf(strategies: string): readonly AssignorName[] | undefined {
  const found = strategies.split(',').map((strategy) => assignorOf(strategy.trim()));
  return found.every((one) => one !== undefined) ? found : undefined;
}

function assignorOf(strategy: string): AssignorName | undefined {
  const name = strategy.startsWith(PACKAGE) ? strategy.slice(PACKAGE.length) : strategy;
  return ASSIGNORS.get(name) ?? [...ASSIGNORS.values()].find((one) => one === name);
}

/** What a command line says about it. */
export interface ProtocolOptions {
  readonly 'group-protocol': string;
  readonly 'group-remote-assignor': string | undefined;
  readonly 'assignment-strategy': string;
}

type Divided = Pick<GroupConsumerOptions, 'groupProtocol' | 'groupRemoteAssignor' | 'assignors'>;

/** As in Kafka's tool, what belongs to the other protocol is not looked at. */
export function protocolOf(options: ProtocolOptions): Divided {
  if (options['group-protocol'] === 'consumer')
    return { groupProtocol: 'consumer', groupRemoteAssignor: options['group-remote-assignor'] };
  return { assignors: assignorsOf(options['assignment-strategy']) };
}
