import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { fetchApi } from '../../../core/protocol/messages/01-fetch.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { FINAL_EPOCH, INITIAL_EPOCH } from '../state/fetch-sessions.ts';
import type { FetchTarget } from '../state/fetch-sessions.ts';
import { FetchAnswer } from './fetch-answer.ts';
import { continueSession, openSession, withoutSession } from './fetch-session.ts';
import type { FetchScope } from './fetch-session.ts';
import { waitForRecords } from './fetch-wait.ts';

type Request = RequestRead<typeof fetchApi>;
type Response = ResponseInit<typeof fetchApi>;

const TOPIC_IDS_FROM = 13;
/** Errors of the request as a whole; all others belong to partitions. */
const SESSION_ERRORS: ReadonlySet<number> = new Set([
  ERRORS.FETCH_SESSION_ID_NOT_FOUND,
  ERRORS.INVALID_FETCH_SESSION_EPOCH,
  ERRORS.FETCH_SESSION_TOPIC_ID_ERROR,
]);

export const fetchHandler = serve(fetchApi, {
  handle(request, context) {
    const usesTopicIds = context.version >= TOPIC_IDS_FROM;
    const injected = context.injected();
    if (SESSION_ERRORS.has(injected)) return { errorCode: injected, responses: [] };
    const scope = scopeOf(request, context, usesTopicIds);
    if (typeof scope === 'number') return { errorCode: scope, responses: [] };
    const read = (): FetchAnswer => new FetchAnswer(request, scope.targets, context, usesTopicIds);
    const finish = (answer: FetchAnswer): Response => scope.finish(answer);
    const answer = read();
    if (answer.isComplete) return finish(answer);
    return waitForRecords({
      clock: context.cluster.clock,
      maxWaitMs: request.maxWaitMs,
      minBytes: request.minBytes,
      places: answer.places,
      onGone: (run) => context.onGone(run),
      // Read again: leaders, topics and logs may have changed meanwhile.
      answer: () => finish(read()),
    });
  },
});

/** What the request reads: what it names itself, or what its session remembers (KIP-227). */
function scopeOf(request: Request, context: RequestContext, usesTopicIds: boolean): FetchScope | number {
  const { sessionId, sessionEpoch } = request;
  const { fetchSessions } = context.node;
  if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
    if (sessionId !== 0) fetchSessions.remove(sessionId);
    const targets = targetsOf(request);
    return sessionEpoch === FINAL_EPOCH
      ? withoutSession(targets)
      : openSession(targets, fetchSessions, usesTopicIds);
  }
  const session = fetchSessions.get(sessionId);
  if (session === undefined) return ERRORS.FETCH_SESSION_ID_NOT_FOUND;
  if (session.epoch !== sessionEpoch) return ERRORS.INVALID_FETCH_SESSION_EPOCH;
  if (session.usesTopicIds !== usesTopicIds) return ERRORS.FETCH_SESSION_TOPIC_ID_ERROR;
  for (const topic of request.forgottenTopicsData) {
    for (const partition of topic.partitions) session.forget(topic, partition);
  }
  const targets = targetsOf(request);
  for (const target of targets) session.put(target);
  if (session.size > 0) return continueSession(session, fetchSessions);
  fetchSessions.remove(session.id);
  return withoutSession(targets);
}

function targetsOf(request: Request): FetchTarget[] {
  const targets: FetchTarget[] = [];
  for (const { topic, topicId, partitions } of request.topics) {
    for (const wanted of partitions) {
      targets.push({
        topic,
        topicId,
        partition: wanted.partition,
        currentLeaderEpoch: wanted.currentLeaderEpoch,
        fetchOffset: wanted.fetchOffset,
        lastFetchedEpoch: wanted.lastFetchedEpoch,
        partitionMaxBytes: wanted.partitionMaxBytes,
      });
    }
  }
  return targets;
}
