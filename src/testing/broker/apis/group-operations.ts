/** Kafka's codes of what may be done to a group: READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS. */
const OPERATIONS = [3, 6, 8, 10, 11];
const NOT_ASKED_FOR = -2147483648;

/** What the client may do to a group, as a bit field: everything, as the box knows no permissions. */
export function groupOperations(isAskedFor: boolean): number {
  return isAskedFor ? OPERATIONS.reduce((bits, code) => bits | (1 << code), 0) : NOT_ASKED_FOR;
}
