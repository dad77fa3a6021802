// SCRAM credentials of users. Passwords are salted here and never leave the process.

import { randomBytes } from 'node:crypto';
import { UsageError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import { describeUserScramCredentialsApi } from '../protocol/messages/50-describe-user-scram-credentials.ts';
import { alterUserScramCredentialsApi } from '../protocol/messages/51-alter-user-scram-credentials.ts';
import { MIN_ITERATIONS, saltedPassword } from '../security/scram.ts';
import { list, nameList, nonEmpty } from './checks.ts';
import { codeOf, nameOf } from './codes.ts';
import type { AdminOptions } from './outcomes.ts';
import { settleAll, settleOne } from './outcomes.ts';
import { controllerFor } from './routing.ts';

export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-512';

/** What a user has; the credentials themselves are never told. */
export interface UserScramCredentials {
  readonly user: string;
  /** The weaker mechanism first. */
  readonly credentials: readonly {
    readonly mechanism: ScramMechanism | 'UNKNOWN';
    readonly iterations: number;
  }[];
}

/** A new password for one mechanism, or its removal (`password: null`). */
export interface ScramAlteration {
  readonly user: string;
  readonly mechanism: ScramMechanism;
  readonly password: string | null;
  /** 4,096 to 16,384; default 8,192. */
  readonly iterations?: number | undefined;
}

const MECHANISMS = { 'SCRAM-SHA-256': 1, 'SCRAM-SHA-512': 2 } as const;
const DIGESTS = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const;
const DEFAULT_ITERATIONS = 8192;
/** What Kafka stores at most. */
const MAX_STORED_ITERATIONS = 16_384;
const SALT_BYTES = 24;

export async function describeUserScramCredentials(
  cluster: Cluster,
  users: readonly string[] | undefined,
  options: AdminOptions,
): Promise<UserScramCredentials[]> {
  if (users !== undefined) nameList(users, 'users');
  const api = describeUserScramCredentialsApi;
  return settleOne(cluster, 'Describing SCRAM credentials', options, async (attempt) => {
    const { timeoutMs, signal } = attempt;
    const nodeId = await controllerFor(cluster, attempt);
    const request = { users: users?.map((name) => ({ name })) ?? null };
    const response = await cluster.send(nodeId, api, request, { timeoutMs, signal });
    for (const { errorCode, errorMessage: detail } of [response, ...response.results])
      if (errorCode !== 0) throw brokerError(errorCode, { api: api.name, detail });
    return response.results.map(({ user, credentialInfos }) => ({
      user,
      // Brokers name them in any order.
      credentials: [...credentialInfos]
        .sort((a, b) => a.mechanism - b.mechanism)
        .map(({ mechanism, iterations }) => ({ mechanism: nameOf(MECHANISMS, mechanism), iterations })),
    }));
  });
}

export async function alterUserScramCredentials(
  cluster: Cluster,
  alterations: readonly ScramAlteration[],
  options: AdminOptions,
): Promise<void> {
  list(alterations, 'alterations');
  alterations.forEach((alteration, at) => check(alteration, `alterations[${at}]`));
  for (const round of rounds(alterations)) await alter(cluster, round, options);
}

/** Kafka takes one change of a user in a request, whatever the mechanism: the second one of a user is in the second round. */
function rounds(alterations: readonly ScramAlteration[]): ScramAlteration[][] {
  const count = new Map<string, number>();
  const all: ScramAlteration[][] = [];
  for (const alteration of alterations) {
    const round = count.get(alteration.user) ?? 0;
    count.set(alteration.user, round + 1);
    (all[round] ??= []).push(alteration);
  }
  return all;
}

async function alter(
  cluster: Cluster,
  alterations: readonly ScramAlteration[],
  options: AdminOptions,
): Promise<void> {
  const api = alterUserScramCredentialsApi;
  await settleAll<ScramAlteration, object>(
    cluster,
    'Changing SCRAM credentials',
    alterations,
    options,
    async (attempt) => {
      const { pending, timeoutMs, signal } = attempt;
      const nodeId = await controllerFor(cluster, attempt);
      const request = {
        deletions: pending
          .filter(({ password }) => password === null)
          .map(({ user, mechanism }) => ({ name: user, mechanism: MECHANISMS[mechanism] })),
        upsertions: pending.flatMap(upsertion),
      };
      const { results } = await cluster.send(nodeId, api, request, { timeoutMs, signal });
      const outcomes = new Map<ScramAlteration, object>();
      for (const alteration of pending) {
        const row = results.find(({ user }) => user === alteration.user);
        if (row === undefined) continue;
        const { errorCode, errorMessage: detail } = row;
        outcomes.set(alteration, errorCode === 0 ? {} : brokerError(errorCode, { api: api.name, detail }));
      }
      return outcomes;
    },
  );
}

function upsertion({ user, mechanism, password, iterations = DEFAULT_ITERATIONS }: ScramAlteration) {
  if (password === null) return [];
  const salt = randomBytes(SALT_BYTES);
  return [
    {
      name: user,
      mechanism: MECHANISMS[mechanism],
      iterations,
      salt,
      saltedPassword: saltedPassword(DIGESTS[mechanism], password, salt, iterations),
    },
  ];
}

function check({ user, mechanism, password, iterations }: ScramAlteration, option: string): void {
  nonEmpty(user, `${option}.user`);
  codeOf(MECHANISMS, mechanism, `${option}.mechanism`);
  if (password !== null && (typeof password !== 'string' || password === ''))
    throw new UsageError(
      `${option}.password must be a string that is not empty, or null`,
      `${option}.password`,
    );
  const isCount = Number.isInteger(iterations) && iterations! >= MIN_ITERATIONS;
  if (iterations !== undefined && !(isCount && iterations <= MAX_STORED_ITERATIONS))
    throw new UsageError(
      `${option}.iterations must be an integer from ${MIN_ITERATIONS} to ${MAX_STORED_ITERATIONS}, not ${String(iterations)}`,
      `${option}.iterations`,
    );
}
