import type { RequestRead } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { alterUserScramCredentialsApi } from '../../../core/protocol/messages/51-alter-user-scram-credentials.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import type { Refusal } from '../log/check-batch.ts';
import {
  credentialOfSalted,
  MAX_ITERATIONS,
  MIN_ITERATIONS,
  SCRAM_DIGESTS,
  SCRAM_NUMBERS,
} from '../security/scram-credential.ts';
import type { ScramCredential, ScramMechanism } from '../security/scram-credential.ts';

type Request = RequestRead<typeof alterUserScramCredentialsApi>;

/** Kafka has no bound; a hostile client must not be able to fill the memory with them. */
const MAX_USERS = 10_000;

export const alterUserScramCredentialsHandler = serve(alterUserScramCredentialsApi, {
  handle(request, context) {
    const { deletions, upsertions } = request;
    const users = [...new Set([...deletions, ...upsertions].map(({ name }) => name))];
    return {
      results: users.map((user) => {
        const refusal = alter(request, user, context);
        return {
          user,
          errorCode: refusal?.code ?? ERRORS.NONE,
          errorMessage: refusal?.message ?? null,
        };
      }),
    };
  },
  refuse: ({ deletions, upsertions }, errorCode) => ({
    results: [...new Set([...deletions, ...upsertions].map(({ name }) => name))].map((user) => ({
      user,
      errorCode,
      errorMessage: null,
    })),
  }),
});

/** All of a user's changes, or none. */
function alter(request: Request, user: string, { cluster, sasl }: RequestContext): Refusal | undefined {
  const deletions = request.deletions.filter(({ name }) => name === user);
  const upsertions = request.upsertions.filter(({ name }) => name === user);
  if (user === '') return { code: ERRORS.UNACCEPTABLE_CREDENTIAL, message: 'Username must not be empty' };
  const numbers = [...deletions, ...upsertions].map(({ mechanism }) => mechanism);
  if (new Set(numbers).size < numbers.length) {
    const message = 'A user credential cannot be altered twice in the same request';
    return { code: ERRORS.DUPLICATE_RESOURCE, message };
  }
  const changes: [ScramMechanism, ScramCredential | undefined][] = [];
  for (const { mechanism: number } of deletions) {
    const mechanism = mechanismOf(number);
    if (mechanism === undefined) return unknownMechanism();
    if (sasl.scramIterations(cluster, user, mechanism) === undefined) {
      const message = 'Attempt to delete a user credential that does not exist';
      return { code: ERRORS.RESOURCE_NOT_FOUND, message };
    }
    changes.push([mechanism, undefined]);
  }
  for (const { mechanism: number, iterations, salt, saltedPassword } of upsertions) {
    const mechanism = mechanismOf(number);
    if (mechanism === undefined) return unknownMechanism();
    if (iterations < MIN_ITERATIONS)
      return { code: ERRORS.UNACCEPTABLE_CREDENTIAL, message: 'Too few iterations' };
    if (iterations > MAX_ITERATIONS)
      return { code: ERRORS.UNACCEPTABLE_CREDENTIAL, message: 'Too many iterations' };
    const credential = credentialOfSalted(SCRAM_DIGESTS[mechanism], Buffer.from(saltedPassword), {
      salt: Buffer.from(salt),
      iterations,
    });
    changes.push([mechanism, credential]);
  }
  const users = cluster.scramUsers;
  if (!users.has(user) && users.size >= MAX_USERS)
    return { code: ERRORS.POLICY_VIOLATION, message: 'The cluster takes no more users.' };
  const credentials = users.get(user) ?? new Map<ScramMechanism, ScramCredential | undefined>();
  for (const [mechanism, credential] of changes) credentials.set(mechanism, credential);
  users.set(user, credentials);
  return undefined;
}

function mechanismOf(number: number): ScramMechanism | undefined {
  return (Object.keys(SCRAM_NUMBERS) as ScramMechanism[]).find((name) => SCRAM_NUMBERS[name] === number);
}

function unknownMechanism(): Refusal {
  return { code: ERRORS.UNSUPPORTED_SASL_MECHANISM, message: 'Unknown SCRAM mechanism' };
}
