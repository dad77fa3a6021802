// SASL against the broker in the box, in simulated time.
import { afterEach, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../../src/core/client.ts';
import type { KafkaOptions } from '../../../src/core/options.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { metadataApi } from '../../../src/core/protocol/messages/03-metadata.ts';
import { saslHandshakeApi } from '../../../src/core/protocol/messages/17-sasl-handshake.ts';
import { saslAuthenticateApi } from '../../../src/core/protocol/messages/36-sasl-authenticate.ts';
import { AuthenticationError, ConnectionError } from '../../../src/errors.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import type { BrokerSaslOptions as BoxSasl } from '../../../src/testing/broker/security/sasl-options.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';

const users = { alice: 'open sesame' };
const alice = { username: 'alice', password: users.alice };

let clock: VirtualClock;
let box: BrokerBox;
let kafka: Kafka;

async function begin(sasl: BoxSasl | undefined, options: Partial<KafkaOptions>): Promise<void> {
  clock = new VirtualClock();
  const random = seededRandom(3);
  box = await createBroker({ listen: 'memory', clock, random, topics: { lines: 1 }, sasl });
  kafka = new Kafka({ brokers: box.bootstrap, ...options }, { clock, random, transport: box.transport });
}

afterEach(async () => {
  await kafka.close();
  await box.close();
  expect(box.internalErrors).toEqual([]);
});

const run = <T>(promise: Promise<T>, limitMs?: number): Promise<T> => clock.run(promise, limitMs);
const refresh = (): Promise<void> => run(kafka.cluster.refresh([]), 60_000);

async function failure(promise: Promise<unknown>): Promise<AuthenticationError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AuthenticationError);
  return error as AuthenticationError;
}

const seen = (api: { key: number; name: string }): number =>
  box.requests().filter((request) => request.api === api.name).length;

describe('a client of a cluster that wants SASL', () => {
  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('gets in by %s', async (mechanism) => {
    await begin({ users }, { sasl: { mechanism, ...alice } });
    await refresh();
    expect(kafka.cluster.nodeIds()).toEqual([0]);
  });

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'is told that its password for %s is wrong, at once and for good',
    async (mechanism) => {
      await begin({ users }, { sasl: { mechanism, username: 'alice', password: 'not-the-password' } });
      const before = clock.now();
      const error = await failure(refresh());
      expect(error.message).toContain(`SASL ${mechanism.toUpperCase()} failed: SASL_AUTHENTICATION_FAILED`);
      expect(error.message).not.toContain('not-the-password');
      expect(error).toMatchObject({ retriable: false, phase: 'auth', host: 'broker-0' });
      expect(clock.now() - before).toBeLessThan(5000);
    },
  );

  it('gets in by a token, and hears why one is refused', async () => {
    let token = 'bad';
    const oauthBearerProvider = () => Promise.resolve({ value: token });
    const validateToken = (text: string) => (text === 'good' ? { principal: 'carol' } : undefined);
    await begin({ validateToken }, { sasl: { mechanism: 'oauthbearer', oauthBearerProvider } });
    const error = await failure(refresh());
    expect(error.message).toMatch(/SASL OAUTHBEARER failed: .*invalid_token/);
    token = 'good';
    await refresh();
    expect(kafka.cluster.nodeIds()).toEqual([0]);
  });

  it('tries again when a provider failed, and says what it said', async () => {
    let left = 2;
    const credentials = async () => {
      if (left-- > 0) throw new Error('the vault is sealed');
      return alice;
    };
    await begin({ users }, { sasl: { mechanism: 'plain', credentials } });
    const error = await failure(refresh());
    expect(error.message).toContain('there are no credentials: the vault is sealed');
    expect(error.retriable).toBe(true);
    expect(await run(kafka.admin().listTopics())).toHaveLength(1);
  });

  it('takes a new password when the old one was changed', async () => {
    const current = { ...alice, password: 'old' };
    await begin({ users }, { sasl: { mechanism: 'scram-sha-256', credentials: () => current } });
    await failure(refresh());
    current.password = users.alice;
    await refresh();
  });

  it('is told which mechanisms there are', async () => {
    await begin({ users, mechanisms: ['SCRAM-SHA-512'] }, { sasl: { mechanism: 'plain', ...alice } });
    const error = await failure(refresh());
    expect(error.message).toContain('this listener does not take it, only SCRAM-SHA-512');
  });

  it('is told that the cluster does no SASL', async () => {
    await begin(undefined, { sasl: { mechanism: 'plain', ...alice } });
    expect((await failure(refresh())).message).toContain('this listener does no SASL; leave out `sasl`');
  });

  it('is told to set sasl when it has none', async () => {
    await begin({ users }, {});
    const error: unknown = await refresh().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConnectionError);
    expect((error as Error).message).toContain('is it a SASL listener? Then set `sasl`');
  });

  it('speaks mechanisms of its own', async () => {
    const exchange = () => ({ begin: () => Buffer.from('\0alice\0open sesame'), next: () => undefined });
    await begin({ users }, { sasl: { mechanism: 'PLAIN', exchange } });
    await refresh();
  });

  it('does not believe a broker that does not know the password', async () => {
    await begin({ users }, { sasl: { mechanism: 'scram-sha-256', ...alice } });
    box.fault({ match: { api: 'SaslAuthenticate' }, do: fault.applyThenError(58) });
    const error = await failure(refresh());
    expect(error.message).toContain('SASL_AUTHENTICATION_FAILED');
  });
});

describe('re-authentication', () => {
  const LIFETIME_MS = 10_000;
  const options: Partial<KafkaOptions> = { sasl: { mechanism: 'scram-sha-256', ...alice } };

  it('comes before the session ends, without failing what is in flight', async () => {
    await begin({ users, maxReauthMs: LIFETIME_MS }, options);
    await refresh();
    const connections = box.connections();
    // Long polls one after the other, beside requests that are answered at once, for five sessions.
    const until = clock.now() + 5 * LIFETIME_MS;
    let polls = 0;
    const poll = async (): Promise<void> => {
      while (clock.now() < until) {
        await kafka.cluster.send(
          0,
          fetchApi,
          { maxWaitMs: 300, minBytes: 1, maxBytes: 1000, topics: [], forgottenTopicsData: [] },
          { maxVersion: 11 },
        );
        polls += 1;
        await new Promise<void>((resolve) => clock.setTimeout(resolve, 50));
      }
    };
    const ask = async (): Promise<void> => {
      while (clock.now() < until) {
        await kafka.cluster.send(0, metadataApi, { topics: [] });
        await new Promise<void>((resolve) => clock.setTimeout(resolve, 37));
      }
    };
    await run(Promise.all([poll(), ask(), ask()]), 10 * LIFETIME_MS);
    expect(polls).toBeGreaterThan(100);
    expect(seen(saslHandshakeApi)).toBeGreaterThanOrEqual(5);
    expect(seen(saslAuthenticateApi)).toBe(2 * seen(saslHandshakeApi));
    expect(box.connections()).toBe(connections);
  });

  it('waits for an idle connection until it is used, and is accepted even then', async () => {
    await begin({ users, maxReauthMs: LIFETIME_MS }, options);
    await refresh();
    await clock.advance(6 * LIFETIME_MS);
    const handshakes = seen(saslHandshakeApi);
    await refresh();
    expect(seen(saslHandshakeApi)).toBe(handshakes + 1);
  });

  it('lets requests go on while a provider takes its time', async () => {
    let delayMs = 0;
    const credentials = async () => {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, delayMs));
      return alice;
    };
    await begin({ users, maxReauthMs: LIFETIME_MS }, { sasl: { mechanism: 'plain', credentials } });
    await refresh();
    delayMs = 400;
    await clock.advance(0.96 * LIFETIME_MS);
    const before = clock.now();
    await refresh();
    expect(clock.now() - before).toBeLessThan(100);
    await clock.advance(1000);
    await refresh();
    expect(seen(saslHandshakeApi)).toBe(2);
  });

  it('that is refused closes the connection: what was held back was not sent, and the next one is told why', async () => {
    const current = { ...alice };
    await begin(
      { users, maxReauthMs: LIFETIME_MS },
      { sasl: { mechanism: 'plain', credentials: () => ({ ...current }) } },
    );
    await refresh();
    current.password = 'changed elsewhere';
    await clock.advance(LIFETIME_MS);
    const held = await run(
      Promise.allSettled([0, 1].map(() => kafka.cluster.send(0, metadataApi, { topics: [] }))),
    );
    for (const result of held)
      expect(result).toMatchObject({ status: 'rejected', reason: { phase: 'dial', retriable: true } });
    expect((await failure(refresh())).message).toContain('SASL PLAIN failed');
    current.password = alice.password;
    await refresh();
  });
});
