import { saslHandshakeApi } from '../../../core/protocol/messages/17-sasl-handshake.ts';
import { serve } from '../handler.ts';

export const saslHandshakeHandler = serve(saslHandshakeApi, {
  handle: (request, context) => context.sasl.handshake(request.mechanism, context.version),
  refuse: (_request, errorCode) => ({ errorCode, mechanisms: [] }),
});
