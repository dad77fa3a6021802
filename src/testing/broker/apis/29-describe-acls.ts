import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { serve } from '../handler.ts';
import { describeAclsApi } from '../../../core/protocol/messages/29-describe-acls.ts';

/** What a broker without an authorizer says of access control. */
export const NO_AUTHORIZER = {
  errorCode: ERRORS.SECURITY_DISABLED,
  errorMessage: 'No Authorizer is configured.',
} as const;

export const describeAclsHandler = serve(describeAclsApi, {
  handle: () => ({ ...NO_AUTHORIZER, resources: [] }),
  refuse: (_request, errorCode) => ({ errorCode, errorMessage: null, resources: [] }),
});
