import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { describeClusterApi } from '../../../core/protocol/messages/60-describe-cluster.ts';
import { serve } from '../handler.ts';
import { ALL_CLUSTER_OPERATIONS } from './partition-state.ts';

const BROKERS = 1;
const CONTROLLERS = 2;

export const describeClusterHandler = serve(describeClusterApi, {
  handle(request, context) {
    const { endpointType } = request;
    if (endpointType === CONTROLLERS) {
      const message =
        'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER';
      return failure(ERRORS.MISMATCHED_ENDPOINT_TYPE, message);
    }
    if (endpointType !== BROKERS) {
      return failure(ERRORS.UNSUPPORTED_ENDPOINT_TYPE, `Unsupported endpoint type ${endpointType}`);
    }
    const { cluster } = context;
    const nodes = request.includeFencedBrokers ? cluster.nodes : cluster.upNodes();
    return {
      errorCode: ERRORS.NONE,
      clusterId: cluster.clusterId,
      controllerId: cluster.controllerId,
      brokers: nodes.map((node) => ({
        brokerId: node.id,
        host: node.host,
        port: node.port,
        rack: node.rack,
        isFenced: !node.isUp,
      })),
      ...(request.includeClusterAuthorizedOperations && {
        clusterAuthorizedOperations: ALL_CLUSTER_OPERATIONS,
      }),
    };
  },
  refuse: (_request, code) => failure(code, null),
});

function failure(errorCode: number, errorMessage: string | null) {
  return { errorCode, errorMessage, clusterId: '', brokers: [] };
}
