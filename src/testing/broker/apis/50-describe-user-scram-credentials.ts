import type { ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { describeUserScramCredentialsApi } from '../../../core/protocol/messages/50-describe-user-scram-credentials.ts';
import { serve } from '../handler.ts';
import { SCRAM_NUMBERS } from '../security/scram-credential.ts';
import type { ScramMechanism } from '../security/scram-credential.ts';

type Result = ResponseInit<typeof describeUserScramCredentialsApi>['results'][number];

export const describeUserScramCredentialsHandler = serve(describeUserScramCredentialsApi, {
  handle({ users }, { cluster, sasl }) {
    const known = new Set([...sasl.usersWithPasswords, ...cluster.scramUsers.keys()]);
    const wanted = users === null || users.length === 0 ? [...known] : users.map(({ name }) => name);
    const all = users === null || users.length === 0;
    const results = [...new Set(wanted)].flatMap((user): Result[] => {
      const isTwice = wanted.indexOf(user) !== wanted.lastIndexOf(user);
      if (isTwice) {
        const message = `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`;
        return [refused(user, ERRORS.DUPLICATE_RESOURCE, message)];
      }
      const credentialInfos = (Object.keys(SCRAM_NUMBERS) as ScramMechanism[]).flatMap((mechanism) => {
        const iterations = sasl.scramIterations(cluster, user, mechanism);
        return iterations === undefined ? [] : [{ mechanism: SCRAM_NUMBERS[mechanism], iterations }];
      });
      if (credentialInfos.length > 0)
        return [{ user, errorCode: ERRORS.NONE, errorMessage: '', credentialInfos }];
      const message = `Attempt to describe a user credential that does not exist: ${user}`;
      return all ? [] : [refused(user, ERRORS.RESOURCE_NOT_FOUND, message)];
    });
    return { errorCode: ERRORS.NONE, errorMessage: '', results };
  },
  refuse: (_request, errorCode) => ({ errorCode, errorMessage: null, results: [] }),
});

function refused(user: string, errorCode: number, errorMessage: string): Result {
  return { user, errorCode, errorMessage, credentialInfos: [] };
}
