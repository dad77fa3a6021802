import type { ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { fetchApi } from '../../../core/protocol/messages/01-fetch.ts';
import { nextEpoch } from '../state/fetch-sessions.ts';
import type {
  CachedPartition,
  FetchSession,
  FetchSessionCache,
  FetchTarget,
} from '../state/fetch-sessions.ts';
import type { FetchAnswer, FetchRow, PartitionData } from './fetch-answer.ts';

type Response = ResponseInit<typeof fetchApi>;

/** What a fetch reads, and how its answer is made of that. */
export interface FetchScope {
  readonly targets: readonly FetchTarget[];
  finish(answer: FetchAnswer): Response;
}

export function withoutSession(targets: readonly FetchTarget[]): FetchScope {
  return { targets, finish: (answer) => answer.response(answer.rows) };
}

/** Everything is told, and remembered where there is room for a session. */
export function openSession(
  targets: readonly FetchTarget[],
  cache: FetchSessionCache,
  usesTopicIds: boolean,
): FetchScope {
  return {
    targets,
    finish(answer) {
      const session = cache.create(targets.length, usesTopicIds);
      if (session !== undefined) {
        for (const target of targets) session.put(target);
        tell(session, answer.rows);
      }
      return { ...answer.response(answer.rows), sessionId: session?.id ?? 0 };
    },
  };
}

/** Only what is new to the client is told. */
export function continueSession(session: FetchSession, cache: FetchSessionCache): FetchScope {
  session.epoch = nextEpoch(session.epoch);
  const expectedEpoch = session.epoch;
  cache.touch(session);
  return {
    targets: session.partitions().map(({ target }) => target),
    finish(answer) {
      // Somebody used the session while this request waited.
      if (session.epoch !== expectedEpoch) {
        return { errorCode: ERRORS.INVALID_FETCH_SESSION_EPOCH, responses: [] };
      }
      const news = tell(session, answer.rows);
      return { ...answer.response(news), sessionId: session.id };
    },
  };
}

/** Remembers what the client is told, and returns the rows that are new to it. */
function tell(session: FetchSession, rows: readonly FetchRow[]): FetchRow[] {
  const cached = session.partitions();
  const news: FetchRow[] = [];
  rows.forEach((row, at) => {
    const partition = cached[at];
    if (partition?.target !== row.target || !isNews(partition, row.data)) return;
    news.push(row);
    if (row.data.records !== null && row.data.records.length > 0) session.moveToEnd(partition);
  });
  return news;
}

function isNews(cached: CachedPartition, data: PartitionData): boolean {
  const { errorCode, highWatermark, logStartOffset = -1, preferredReadReplica = -1 } = data;
  const isChanged =
    cached.toldHighWatermark !== highWatermark ||
    cached.toldStartOffset !== logStartOffset ||
    preferredReadReplica >= 0 ||
    data.divergingEpoch !== undefined ||
    errorCode !== ERRORS.NONE ||
    (data.records !== null && data.records.length > 0);
  // After an error the partition is told again as soon as it is well.
  cached.toldHighWatermark = errorCode === ERRORS.NONE ? highWatermark : -1;
  cached.toldStartOffset = logStartOffset;
  return isChanged;
}
