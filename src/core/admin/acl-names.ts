// The words of access control and their numbers.

import type { Codes } from './codes.ts';

export type AclResourceType =
  'TOPIC' | 'GROUP' | 'CLUSTER' | 'TRANSACTIONAL_ID' | 'DELEGATION_TOKEN' | 'USER';
/** 'LITERAL': this name, '*' for every one. 'PREFIXED': names that begin so. */
export type AclPatternType = 'LITERAL' | 'PREFIXED';
export type AclOperation =
  | 'ALL'
  | 'READ'
  | 'WRITE'
  | 'CREATE'
  | 'DELETE'
  | 'ALTER'
  | 'DESCRIBE'
  | 'CLUSTER_ACTION'
  | 'DESCRIBE_CONFIGS'
  | 'ALTER_CONFIGS'
  | 'IDEMPOTENT_WRITE'
  | 'CREATE_TOKENS'
  | 'DESCRIBE_TOKENS'
  | 'TWO_PHASE_COMMIT';
export type AclPermissionType = 'DENY' | 'ALLOW';

export const RESOURCE_TYPES: Codes<AclResourceType | 'ANY'> = {
  ANY: 1,
  TOPIC: 2,
  GROUP: 3,
  CLUSTER: 4,
  TRANSACTIONAL_ID: 5,
  DELEGATION_TOKEN: 6,
  USER: 7,
};
export const PATTERN_TYPES: Codes<AclPatternType | 'ANY' | 'MATCH'> = {
  ANY: 1,
  MATCH: 2,
  LITERAL: 3,
  PREFIXED: 4,
};
export const ACL_OPERATIONS: Codes<AclOperation | 'ANY'> = {
  ANY: 1,
  ALL: 2,
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
  CREATE_TOKENS: 13,
  DESCRIBE_TOKENS: 14,
  TWO_PHASE_COMMIT: 15,
};
export const PERMISSION_TYPES: Codes<AclPermissionType | 'ANY'> = { ANY: 1, DENY: 2, ALLOW: 3 };
