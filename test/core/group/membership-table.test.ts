import { describe, expect, it } from '@jest/globals';
import {
  verdictOf,
  type MemberRequest,
  type MemberState,
  type Verdict,
} from '../../../src/core/group/membership-table.ts';
import { ERRORS, errorCode } from '../../../src/core/protocol/error-codes.ts';

const STATES: MemberState[] = [
  'unjoined',
  'joining',
  'syncing',
  'stable',
  'revoking',
  'leaving',
  'left',
  'failed',
];
const REQUESTS: MemberRequest[] = ['join', 'sync', 'heartbeat', 'commit'];

/** Written out by hand, apart from the table: which state has which request, and what the answers with a meaning of their own mean. */
const EXPECTED: { [cell: string]: { [answer: string]: Verdict } } = {
  'joining join': {
    UNKNOWN_MEMBER_ID: 'loseMember',
    ILLEGAL_GENERATION: 'loseGeneration',
    FENCED_INSTANCE_ID: 'fail',
    MEMBER_ID_REQUIRED: 'useMemberId',
    REBALANCE_IN_PROGRESS: 'again',
  },
  'syncing sync': {
    UNKNOWN_MEMBER_ID: 'loseMember',
    ILLEGAL_GENERATION: 'loseGeneration',
    FENCED_INSTANCE_ID: 'fail',
    REBALANCE_IN_PROGRESS: 'rejoin',
  },
  'joining heartbeat': {
    UNKNOWN_MEMBER_ID: 'loseClaims',
    ILLEGAL_GENERATION: 'ignore',
    FENCED_INSTANCE_ID: 'fail',
    REBALANCE_IN_PROGRESS: 'done',
    UNKNOWN_SERVER_ERROR: 'ignore',
  },
  'syncing heartbeat': {
    UNKNOWN_MEMBER_ID: 'loseClaims',
    ILLEGAL_GENERATION: 'ignore',
    FENCED_INSTANCE_ID: 'fail',
    REBALANCE_IN_PROGRESS: 'done',
    UNKNOWN_SERVER_ERROR: 'ignore',
  },
  'unjoined heartbeat': {
    UNKNOWN_MEMBER_ID: 'loseClaims',
    ILLEGAL_GENERATION: 'ignore',
    FENCED_INSTANCE_ID: 'fail',
    REBALANCE_IN_PROGRESS: 'done',
    UNKNOWN_SERVER_ERROR: 'ignore',
  },
  'unjoined commit': {
    UNKNOWN_MEMBER_ID: 'loseClaims',
    ILLEGAL_GENERATION: 'ignore',
    FENCED_INSTANCE_ID: 'fail',
    REBALANCE_IN_PROGRESS: 'again',
    UNKNOWN_SERVER_ERROR: 'again',
    GROUP_ID_NOT_FOUND: 'loseClaims',
    STALE_MEMBER_EPOCH: 'ignore',
  },
  'joining commit': {
    UNKNOWN_MEMBER_ID: 'loseClaims',
    ILLEGAL_GENERATION: 'ignore',
    FENCED_INSTANCE_ID: 'fail',
    REBALANCE_IN_PROGRESS: 'again',
    UNKNOWN_SERVER_ERROR: 'again',
    GROUP_ID_NOT_FOUND: 'loseClaims',
    STALE_MEMBER_EPOCH: 'ignore',
  },
  'syncing commit': {
    UNKNOWN_MEMBER_ID: 'loseClaims',
    ILLEGAL_GENERATION: 'ignore',
    FENCED_INSTANCE_ID: 'fail',
    REBALANCE_IN_PROGRESS: 'again',
    UNKNOWN_SERVER_ERROR: 'again',
    GROUP_ID_NOT_FOUND: 'loseClaims',
    STALE_MEMBER_EPOCH: 'ignore',
  },
  'stable heartbeat': {
    UNKNOWN_MEMBER_ID: 'loseMember',
    ILLEGAL_GENERATION: 'loseGeneration',
    FENCED_INSTANCE_ID: 'fail',
    REBALANCE_IN_PROGRESS: 'rejoin',
    UNKNOWN_SERVER_ERROR: 'again',
  },
  'revoking heartbeat': {
    UNKNOWN_MEMBER_ID: 'loseMember',
    ILLEGAL_GENERATION: 'loseGeneration',
    FENCED_INSTANCE_ID: 'fail',
    REBALANCE_IN_PROGRESS: 'done',
    UNKNOWN_SERVER_ERROR: 'again',
  },
  'leaving heartbeat': {
    UNKNOWN_MEMBER_ID: 'loseMember',
    ILLEGAL_GENERATION: 'loseGeneration',
    FENCED_INSTANCE_ID: 'fail',
    REBALANCE_IN_PROGRESS: 'done',
    UNKNOWN_SERVER_ERROR: 'again',
  },
  'stable commit': {
    UNKNOWN_MEMBER_ID: 'loseMember',
    ILLEGAL_GENERATION: 'loseGeneration',
    FENCED_INSTANCE_ID: 'fail',
    REBALANCE_IN_PROGRESS: 'rejoin',
    UNKNOWN_SERVER_ERROR: 'again',
    GROUP_ID_NOT_FOUND: 'loseMember',
    STALE_MEMBER_EPOCH: 'loseGeneration',
  },
  'revoking commit': {
    UNKNOWN_MEMBER_ID: 'loseMember',
    ILLEGAL_GENERATION: 'loseGeneration',
    FENCED_INSTANCE_ID: 'fail',
    REBALANCE_IN_PROGRESS: 'again',
    UNKNOWN_SERVER_ERROR: 'again',
    GROUP_ID_NOT_FOUND: 'loseMember',
    STALE_MEMBER_EPOCH: 'loseGeneration',
  },
  'leaving commit': {
    UNKNOWN_MEMBER_ID: 'loseMember',
    ILLEGAL_GENERATION: 'loseGeneration',
    FENCED_INSTANCE_ID: 'fail',
    REBALANCE_IN_PROGRESS: 'again',
    UNKNOWN_SERVER_ERROR: 'again',
    GROUP_ID_NOT_FOUND: 'loseMember',
    STALE_MEMBER_EPOCH: 'loseGeneration',
  },
};
const EVERYWHERE: { [answer: string]: Verdict } = {
  NONE: 'done',
  CONNECTION: 'relocate',
  NOT_COORDINATOR: 'relocate',
  COORDINATOR_NOT_AVAILABLE: 'relocate',
  COORDINATOR_LOAD_IN_PROGRESS: 'again',
};

describe('membership table', () => {
  for (const state of STATES) {
    for (const request of REQUESTS) {
      it(`knows every error of ${request} while ${state}`, () => {
        const cell = EXPECTED[`${state} ${request}`];
        for (const code of [...Object.values(ERRORS), 9999]) {
          const { name, retriable } = errorCode(code);
          const byKafka = retriable ? 'again' : 'fail';
          const expected = cell === undefined ? 'ignore' : (cell[name] ?? EVERYWHERE[name] ?? byKafka);
          expect([name, verdictOf(state, request, name, retriable)]).toEqual([name, expected]);
        }
        const lost = verdictOf(state, request, 'CONNECTION', true);
        expect(lost).toBe(cell === undefined ? 'ignore' : 'relocate');
      });
    }
  }
});
