import { serve } from '../handler.ts';
import { deleteAclsApi } from '../../../core/protocol/messages/31-delete-acls.ts';
import { NO_AUTHORIZER } from './29-describe-acls.ts';

export const deleteAclsHandler = serve(deleteAclsApi, {
  handle: ({ filters }) => ({ filterResults: filters.map(() => ({ ...NO_AUTHORIZER, matchingAcls: [] })) }),
  refuse: ({ filters }, errorCode) => ({
    filterResults: filters.map(() => ({ errorCode, errorMessage: null, matchingAcls: [] })),
  }),
});
