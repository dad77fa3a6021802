import { serve } from '../handler.ts';
import { createAclsApi } from '../../../core/protocol/messages/30-create-acls.ts';
import { NO_AUTHORIZER } from './29-describe-acls.ts';

export const createAclsHandler = serve(createAclsApi, {
  handle: ({ creations }) => ({ results: creations.map(() => NO_AUTHORIZER) }),
  refuse: ({ creations }, errorCode) => ({
    results: creations.map(() => ({ errorCode, errorMessage: null })),
  }),
});
