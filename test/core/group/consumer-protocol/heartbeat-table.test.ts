import { describe, expect, it } from '@jest/globals';
import {
  epochVerdictOf,
  HEARTBEAT_TABLE,
} from '../../../../src/core/group/consumer-protocol/heartbeat-table.ts';
import { errorCode, ERRORS } from '../../../../src/core/protocol/error-codes.ts';

const verdict = (
  state: keyof typeof HEARTBEAT_TABLE,
  request: 'join' | 'heartbeat' | 'commit',
  name: string,
) => epochVerdictOf(state, request, name, errorCode(ERRORS[name as keyof typeof ERRORS]).retriable);

describe('what answers mean', () => {
  it('knows only names that Kafka has', () => {
    for (const rows of Object.values(HEARTBEAT_TABLE)) {
      for (const row of Object.values(rows)) {
        for (const name of Object.keys(row)) if (name !== 'CONNECTION') expect(ERRORS).toHaveProperty(name);
      }
    }
  });

  it.each([
    ['COORDINATOR_LOAD_IN_PROGRESS', 'again', 'again', 'again'],
    ['COORDINATOR_NOT_AVAILABLE', 'relocate', 'relocate', 'relocate'],
    ['NOT_COORDINATOR', 'relocate', 'relocate', 'relocate'],
    ['UNKNOWN_MEMBER_ID', 'rejoin', 'rejoin', 'rejoin'],
    ['FENCED_MEMBER_EPOCH', 'rejoin', 'rejoin', 'rejoin'],
    ['UNRELEASED_INSTANCE_ID', 'release', 'fail', 'fail'],
    ['FENCED_INSTANCE_ID', 'fail', 'fail', 'fail'],
    ['UNSUPPORTED_ASSIGNOR', 'fail', 'fail', 'fail'],
    ['UNSUPPORTED_VERSION', 'fail', 'fail', 'fail'],
    ['GROUP_MAX_SIZE_REACHED', 'fail', 'fail', 'fail'],
    ['INVALID_REGULAR_EXPRESSION', 'nameTopics', 'nameTopics', 'fail'],
    ['GROUP_AUTHORIZATION_FAILED', 'fail', 'fail', 'fail'],
    ['TOPIC_AUTHORIZATION_FAILED', 'fail', 'fail', 'fail'],
    ['INVALID_REQUEST', 'fail', 'fail', 'fail'],
    ['GROUP_ID_NOT_FOUND', 'fail', 'rejoin', 'rejoin'],
    ['UNKNOWN_SERVER_ERROR', 'fail', 'again', 'again'],
    ['STALE_MEMBER_EPOCH', 'fail', 'fail', 'newEpoch'],
    ['ILLEGAL_GENERATION', 'fail', 'fail', 'newEpoch'],
    ['REQUEST_TIMED_OUT', 'again', 'again', 'again'],
  ])('%s: joining %s, heartbeat %s, commit %s', (name, joining, heartbeat, commit) => {
    expect(verdict('joining', 'join', name)).toBe(joining);
    for (const state of ['stable', 'revoking'] as const) {
      expect(verdict(state, 'heartbeat', name)).toBe(heartbeat);
      expect(verdict(state, 'commit', name)).toBe(commit);
    }
  });

  it('ignores what comes too late', () => {
    for (const state of ['unjoined', 'left', 'failed'] as const) {
      expect(verdict(state, 'heartbeat', 'FENCED_MEMBER_EPOCH')).toBe('ignore');
      expect(verdict(state, 'commit', 'UNKNOWN_MEMBER_ID')).toBe('ignore');
    }
    expect(verdict('joining', 'heartbeat', 'UNKNOWN_MEMBER_ID')).toBe('ignore');
  });
});
