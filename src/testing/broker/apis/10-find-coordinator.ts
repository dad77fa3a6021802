import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { findCoordinatorApi } from '../../../core/protocol/messages/10-find-coordinator.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';

const KEY_LISTS_FROM = 4;
const GROUP = 0;
const TRANSACTION = 1;
/** Of share groups, which the box does not have. */
const SHARE = 2;
const MALFORMED =
  'This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.';

interface Found {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export const findCoordinatorHandler = serve(findCoordinatorApi, {
  handle(request, context) {
    if (context.version < KEY_LISTS_FROM) {
      const found = find(request.key, request.keyType, context);
      // Kafka's words for no error, in the versions of one key.
      return found.errorCode === ERRORS.NONE ? { ...found, errorMessage: 'NONE' } : found;
    }
    const coordinators = request.coordinatorKeys.map((key) => ({
      key,
      ...find(key, request.keyType, context),
    }));
    return { coordinators };
  },
});

function find(key: string, keyType: number, context: RequestContext): Found {
  const injected = context.injected();
  if (injected !== ERRORS.NONE) return failure(injected, null);
  if (keyType === SHARE) return failure(ERRORS.INVALID_REQUEST, '');
  if (keyType !== GROUP && keyType !== TRANSACTION) return failure(ERRORS.INVALID_REQUEST, MALFORMED);
  const node = context.cluster.coordinatorOf(key);
  if (node === undefined) return failure(ERRORS.COORDINATOR_NOT_AVAILABLE, null);
  return { nodeId: node.id, host: node.host, port: node.port, errorCode: ERRORS.NONE, errorMessage: '' };
}

function failure(errorCode: number, errorMessage: string | null): Found {
  return { nodeId: -1, host: '', port: -1, errorCode, errorMessage };
}
