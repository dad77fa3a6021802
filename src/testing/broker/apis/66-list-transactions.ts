import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { listTransactionsApi } from '../../../core/protocol/messages/66-list-transactions.ts';
import { RegexSyntaxError } from '../groups/consumer/regex/regex-node.ts';
import { compileTopicRegex } from '../groups/consumer/regex/topic-regex.ts';
import { serve } from '../handler.ts';
import { TRANSACTION_STATES } from '../txn/transaction-state.ts';
import { coordinatorError } from './lookup.ts';

const STATES: ReadonlySet<string> = new Set(TRANSACTION_STATES);

export const listTransactionsHandler = serve(listTransactionsApi, {
  handle(request, context) {
    const { clock, transactions } = context.cluster;
    const { durationFilter } = request;
    const states = new Set(request.stateFilters);
    const producerIds = new Set(request.producerIdFilters);
    const pattern = request.transactionalIdPattern ?? '';
    const matcher = pattern === '' ? undefined : compileTopicRegex(pattern);
    if (matcher instanceof RegexSyntaxError) return refusal(ERRORS.INVALID_REGULAR_EXPRESSION);
    const transactionStates = [];
    for (const { transactionalId, producerId, state, startMs } of transactions.all()) {
      if (coordinatorError(transactionalId, context) !== ERRORS.NONE) continue;
      if (states.size > 0 && !states.has(state)) continue;
      if (producerIds.size > 0 && !producerIds.has(producerId)) continue;
      if (durationFilter >= 0 && clock.wallNow() - startMs <= durationFilter) continue;
      if (matcher !== undefined && !matcher.matches(transactionalId)) continue;
      transactionStates.push({ transactionalId, producerId, transactionState: state });
    }
    const unknownStateFilters = [...states].filter((state) => !STATES.has(state));
    return { errorCode: ERRORS.NONE, unknownStateFilters, transactionStates };
  },
  refuse: (_request, errorCode) => refusal(errorCode),
});

function refusal(errorCode: number) {
  return { errorCode, unknownStateFilters: [], transactionStates: [] };
}
