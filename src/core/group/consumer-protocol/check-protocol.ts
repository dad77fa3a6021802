// Which options go with which protocol.

import { UsageError } from '../../../errors.ts';
import type { GroupConsumerOptions } from '../options.ts';

/** What the coordinator decides in the consumer protocol, and where. */
const DECIDED_BY_BROKER = {
  sessionTimeoutMs: "the group's consumer.session.timeout.ms",
  heartbeatIntervalMs: "the group's consumer.heartbeat.interval.ms",
  assignors: 'groupRemoteAssignor',
} as const;

/** Throws UsageError naming the option that the protocol does not have. */
export function checkProtocol(options: GroupConsumerOptions): void {
  const { groupProtocol = 'classic', groupRemoteAssignor } = options;
  if (groupProtocol === 'classic') {
    if (groupRemoteAssignor === undefined) return;
    throw new UsageError(
      `groupRemoteAssignor goes with groupProtocol: 'consumer'; members of the classic protocol divide among themselves (assignors)`,
      'groupRemoteAssignor',
    );
  }
  if (groupProtocol !== 'consumer') {
    throw new UsageError(
      `groupProtocol must be 'classic' or 'consumer', not '${String(groupProtocol)}'`,
      'groupProtocol',
    );
  }
  for (const [option, instead] of Object.entries(DECIDED_BY_BROKER)) {
    if (options[option as keyof typeof DECIDED_BY_BROKER] === undefined) continue;
    throw new UsageError(
      `${option} cannot be set with groupProtocol: 'consumer', where the broker decides: ${instead}`,
      option,
    );
  }
  if (
    groupRemoteAssignor !== undefined &&
    (typeof groupRemoteAssignor !== 'string' || groupRemoteAssignor === '')
  ) {
    throw new UsageError(
      `groupRemoteAssignor must be 'uniform', 'range', or another of the broker's group.consumer.assignors`,
      'groupRemoteAssignor',
    );
  }
}
