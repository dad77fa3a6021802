import { saslAuthenticateApi } from '../../../core/protocol/messages/36-sasl-authenticate.ts';
import { serve } from '../handler.ts';

export const saslAuthenticateHandler = serve(saslAuthenticateApi, {
  handle: (request, context) => context.sasl.authenticate(request.authBytes),
  refuse: (_request, errorCode) => ({ errorCode, errorMessage: null, authBytes: Buffer.alloc(0) }),
});
