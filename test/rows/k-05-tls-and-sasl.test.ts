// TLS and SASL on a real broker with a listener of each kind.
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { delay, systemClock } from '../../src/core/clock.ts';
import { Kafka } from '../../src/core/client.ts';
import type { KafkaOptions } from '../../src/core/options.ts';
import type { SaslOptions } from '../../src/core/security/sasl-options.ts';
import { AuthenticationError, ConnectionError } from '../../src/errors.ts';
import { kafkaTool, sluice } from '../cli/support/tool.ts';
import { Authority } from '../helpers/kafka/certificates.ts';
import {
  PASSWORD,
  startSecureKafka,
  unsecuredToken,
  USER,
  type SecureKafka,
} from '../helpers/kafka/secure-kafka.ts';

const lib = process.env['KAFKA_LIB'];
const REAUTH_MS = 2000;
const credentials = { username: USER, password: PASSWORD };

let secure: SecureKafka;
const open: Kafka[] = [];

function client(listener: string, options: Partial<KafkaOptions>): Kafka {
  const kafka = new Kafka({
    brokers: secure.kafka.listener(listener),
    retry: { retries: 0 },
    defaultApiTimeoutMs: 20_000,
    ...options,
  });
  open.push(kafka);
  return kafka;
}

/** Resolves with the number of brokers: whoever is not let in learns of none. */
async function brokersSeen(kafka: Kafka): Promise<number> {
  return (await kafka.admin().describeCluster()).brokers.length;
}

async function refusal(kafka: Kafka): Promise<ConnectionError> {
  const error: unknown = await kafka.cluster.refresh([]).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectionError);
  expect((error as Error).message).not.toContain(PASSWORD);
  return error as ConnectionError;
}

const sasl = (mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512', password = PASSWORD): SaslOptions => ({
  mechanism,
  username: USER,
  password,
});
const bearer = (): SaslOptions => ({
  mechanism: 'oauthbearer',
  oauthBearerProvider: () => ({ value: unsecuredToken(USER, systemClock.wallNow()) }),
});

(lib === undefined ? describe.skip : describe)('K-05: TLS and SASL on a real broker', () => {
  beforeAll(async () => {
    secure = await startSecureKafka(lib!, REAUTH_MS);
    const plain = new Kafka({ brokers: secure.kafka.bootstrap });
    await plain.admin().alterUserScramCredentials([
      { user: USER, mechanism: 'SCRAM-SHA-256', password: PASSWORD },
      { user: USER, mechanism: 'SCRAM-SHA-512', password: PASSWORD, iterations: 4096 },
    ]);
    await plain.close();
  }, 300_000);

  afterEach(async () => {
    await Promise.all(open.splice(0).map((kafka) => kafka.close()));
  });

  afterAll(async () => {
    await secure.stop();
  });

  describe('TLS', () => {
    const trusting = () => ({ ca: secure.authority.cert });

    it('lets in who trusts the authority', async () => {
      expect(await brokersSeen(client('TLS', { ssl: trusting() }))).toBe(1);
      expect(await brokersSeen(client('TLS', { ssl: async () => trusting() }))).toBe(1);
      expect(await brokersSeen(client('TLS', { ssl: { rejectUnauthorized: false } }))).toBe(1);
    });

    it('refuses an authority that is not known, for good', async () => {
      const other = new Authority();
      for (const ssl of [true, { ca: other.cert }]) {
        const error = await refusal(client('TLS', { ssl }));
        expect(error.message).toContain('authority that is not known here; name the authority in `ssl.ca`');
        expect(error).toBeInstanceOf(AuthenticationError);
        expect(error).toMatchObject({ phase: 'tls', retriable: false });
      }
      other.remove();
    });

    it('refuses a certificate that has expired', async () => {
      const error = await refusal(client('EXPIRED', { ssl: trusting() }));
      expect(error.message).toContain('shows a certificate that has expired');
      expect(error.retriable).toBe(false);
    });

    it('refuses a certificate of another host, and takes the name that it is made for', async () => {
      const error = await refusal(client('ELSEWHERE', { ssl: trusting() }));
      expect(error.message).toMatch(/certificate of another host \(.*127\.0\.0\.1.*set `ssl.servername`/);
      expect(error.retriable).toBe(false);
      const named = { ...trusting(), servername: 'elsewhere.example' };
      expect(await brokersSeen(client('ELSEWHERE', { ssl: named }))).toBe(1);
    });

    it('shows a certificate of its own where one is wanted', async () => {
      const { cert, key } = secure.client;
      expect(await brokersSeen(client('MUTUAL', { ssl: { ...trusting(), cert, key } }))).toBe(1);
      const error = await refusal(client('MUTUAL', { ssl: trusting() }));
      expect(error.message).toContain("did not accept this client's certificate; set `ssl.cert`");
      const stranger = new Authority();
      const forged = stranger.issue('client');
      const shown = await refusal(
        client('MUTUAL', { ssl: { ...trusting(), cert: forged.cert, key: forged.key } }),
      );
      expect(shown.message).toContain("did not accept this client's certificate");
      stranger.remove();
    });

    it('says so when one side speaks plaintext', async () => {
      const plain = await refusal(client('TLS', {}));
      expect(plain.message).toMatch(/answered in TLS.*set the option `ssl`|is it a TLS or SASL port\?/);
      const tls = new Kafka({
        brokers: secure.kafka.bootstrap,
        ssl: trusting(),
        retry: { retries: 0 },
        connectionTimeout: 3000,
      });
      open.push(tls);
      expect((await refusal(tls)).message).toMatch(/plaintext listener.*leave out `ssl`/);
    });
  });

  it("is set by one property file for the tools and for Java's", async () => {
    const file = path.join(secure.authority.folder, 'client.properties');
    const module = 'org.apache.kafka.common.security.scram.ScramLoginModule';
    const settings = {
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'SCRAM-SHA-256',
      'sasl.jaas.config': `${module} required username="${USER}" password="${PASSWORD}";`,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': secure.authority.file,
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': secure.client.file,
    };
    writeFileSync(
      file,
      Object.entries(settings)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
    const admin = client('SASLTLS', { sasl: sasl('plain'), ssl: { ca: secure.authority.cert } }).admin();
    await admin.createTopics([{ name: 'by-file' }]);
    const args = ['--bootstrap-server', secure.kafka.listener('SASLTLS').join(','), '--topic', 'by-file'];
    const write = [...args, '--max-messages', '5', '--command-config', file];
    const tools = [kafkaTool(lib!, 'VerifiableProducer', ...write), sluice('verifiable-producer', ...write)];
    expect(await Promise.all(tools.map((tool) => tool.exited))).toEqual([0, 0]);
    expect(tools.map((tool) => tool.named('producer_send_success').length)).toEqual([5, 5]);
    expect((await admin.listOffsets('by-file', 'latest'))[0]!.offset).toBe(10);
  });

  describe('SASL', () => {
    it.each([
      ['PLAIN', () => sasl('plain')],
      ['SCRAM-SHA-256', () => sasl('scram-sha-256')],
      ['SCRAM-SHA-512', () => sasl('scram-sha-512')],
      ['OAUTHBEARER', bearer],
    ] as const)('lets in by %s, in TLS too', async (_, options) => {
      expect(await brokersSeen(client('SASL', { sasl: options() }))).toBe(1);
      const ssl = { ca: secure.authority.cert };
      expect(await brokersSeen(client('SASLTLS', { sasl: options(), ssl }))).toBe(1);
    });

    it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
      'refuses a wrong password for %s, for good',
      async (mechanism) => {
        const error = await refusal(client('SASL', { sasl: sasl(mechanism, 'wrong-password') }));
        expect(error).toBeInstanceOf(AuthenticationError);
        expect(error.message).toContain(`SASL ${mechanism.toUpperCase()} failed: SASL_AUTHENTICATION_FAILED`);
        expect(error.message).not.toContain('wrong-password');
        expect(error.retriable).toBe(false);
      },
    );

    it('refuses a bad token, an unknown mechanism, and no SASL at all', async () => {
      const bad: SaslOptions = {
        mechanism: 'oauthbearer',
        oauthBearerProvider: () => ({ value: 'nonsense' }),
      };
      expect((await refusal(client('SASL', { sasl: bad }))).message).toMatch(
        /OAUTHBEARER failed: .*invalid_token/,
      );
      const own: SaslOptions = {
        mechanism: 'GSSAPI',
        exchange: () => ({ begin: () => Buffer.alloc(1), next: () => undefined }),
      };
      expect((await refusal(client('SASL', { sasl: own }))).message).toMatch(
        /does not take it, only .*PLAIN/,
      );
      expect((await refusal(client('SASL', {}))).message).toContain('is it a SASL listener? Then set `sasl`');
      const needless = new Kafka({ brokers: secure.kafka.bootstrap, sasl: sasl('plain') });
      open.push(needless);
      expect((await refusal(needless)).message).toContain('this listener does no SASL');
    });

    it('is done again 20 times on 4 connections that live on, without a request that fails', async () => {
      const until = systemClock.now() + 20 * REAUTH_MS;
      const each = (['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'] as const).map(
        async (mechanism) => {
          const counted = { sockets: 0, exchanges: 0, requests: 0 };
          const count = <T>(value: T): T => {
            counted.exchanges += 1;
            return value;
          };
          const kafka = client('SASL', {
            sasl:
              mechanism === 'oauthbearer'
                ? {
                    mechanism,
                    oauthBearerProvider: () => count({ value: unsecuredToken(USER, systemClock.wallNow()) }),
                  }
                : { mechanism, credentials: () => count(credentials) },
            socketFactory: ({ host, port, onConnect }) => {
              counted.sockets += 1;
              return connect({ host, port, noDelay: true }, onConnect);
            },
          });
          while (systemClock.now() < until && counted.exchanges < 6) {
            await kafka.cluster.refresh([]);
            counted.requests += 1;
            await delay(systemClock, 20);
          }
          return counted;
        },
      );
      for (const { sockets, exchanges, requests } of await Promise.all(each)) {
        expect(sockets).toBe(1);
        expect(exchanges).toBeGreaterThanOrEqual(6);
        expect(requests).toBeGreaterThan(20);
      }
    }, 300_000);
  });
});

if (lib === undefined) it.skip("K-05 needs Java 17 and Kafka's jars", () => undefined);
