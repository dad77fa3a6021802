import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { serve } from '../handler.ts';
import { listPartitionReassignmentsApi } from '../../../core/protocol/messages/46-list-partition-reassignments.ts';

/** None is ever going on. */
export const listPartitionReassignmentsHandler = serve(listPartitionReassignmentsApi, {
  handle: () => ({ errorCode: ERRORS.NONE, errorMessage: null, topics: [] }),
  refuse: (_request, errorCode) => ({ errorCode, errorMessage: null, topics: [] }),
});
