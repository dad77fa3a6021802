// What may be printed never has a secret in it, and wrong options are named without being shown.
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { Kafka } from '../../../src/core/client.ts';
import type { KafkaOptions } from '../../../src/core/options.ts';
import { saslMechanism } from '../../../src/core/security/sasl-mechanism.ts';
import type { SaslOptions } from '../../../src/core/security/sasl-options.ts';
import { tlsSource } from '../../../src/core/security/tls-options.ts';
import { UsageError } from '../../../src/errors.ts';

const SECRET = 'hunter2-very-secret';
const PEM = `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----`;

function refusal(run: () => unknown): UsageError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return error as UsageError;
  }
  throw new Error('accepted');
}

function everything(value: unknown): string {
  return inspect(value, { depth: Infinity, showHidden: true, getters: true, maxArrayLength: null });
}

describe('secrets', () => {
  it.each<[string, Partial<KafkaOptions>]>([
    ['PLAIN', { sasl: { mechanism: 'plain', username: 'alice', password: SECRET } }],
    ['SCRAM', { sasl: { mechanism: 'scram-sha-512', username: 'alice', password: SECRET } }],
    [
      'a provider',
      { sasl: { mechanism: 'plain', credentials: () => ({ username: 'a', password: SECRET }) } },
    ],
    ['a token', { sasl: { mechanism: 'oauthbearer', oauthBearerProvider: () => ({ value: SECRET }) } }],
    ['TLS', { ssl: () => ({ key: PEM, passphrase: SECRET }) }],
  ])('of %s are not in a client', (_, options) => {
    const kafka = new Kafka({ brokers: ['a:1'], ...options });
    const admin = kafka.admin();
    const producer = kafka.producer();
    for (const thing of [kafka, kafka.cluster, admin, producer]) {
      expect(everything(thing)).not.toContain(SECRET);
    }
  });

  it('are not in an exchange', async () => {
    for (const mechanism of ['plain', 'scram-sha-256'] as const) {
      const made = saslMechanism({ mechanism, username: 'alice', password: SECRET });
      const exchange = await made.start({ host: 'a', port: 1 });
      expect(
        Buffer.from(await exchange.begin())
          .toString()
          .includes(SECRET),
      ).toBe(mechanism === 'plain');
      expect(everything([made, exchange])).not.toContain(SECRET);
    }
  });

  it.each<[string, unknown, RegExp]>([
    ['sasl', 'x', /sasl must be an object with a mechanism, not a string/],
    ['sasl.mechanism', {}, /sasl.mechanism must be 'plain', .*, not undefined/],
    ['sasl.mechanism', { mechanism: 'gssapi', username: 'a', password: 'b' }, /not "gssapi"/],
    ['sasl.user', { mechanism: 'plain', user: 'x' }, /sasl.user is not an option; known are mechanism/],
    ['sasl.username', { mechanism: 'plain', password: SECRET }, /sasl.username .* not undefined/],
    ['sasl.password', { mechanism: 'plain', username: 'a', password: 7 }, /sasl.password .* not a number/],
    ['sasl.password', { mechanism: 'plain', username: 'a', password: '' }, /not an empty string/],
    ['sasl.password', { mechanism: 'plain', username: 'a', password: `${SECRET}\0` }, /a NUL character/],
    ['sasl.credentials', { mechanism: 'plain', credentials: SECRET }, /sasl.credentials must be a function/],
    [
      'sasl.credentials',
      { mechanism: 'plain', credentials: () => SECRET, username: 'a' },
      /either credentials or username and password/,
    ],
    ['sasl.oauthBearerProvider', { mechanism: 'oauthbearer' }, /must be a function that gives a token/],
    ['sasl.exchange', { mechanism: 'GSSAPI', exchange: SECRET }, /sasl.exchange must be a function/],
  ])('are not shown where %s is wrong', (option, sasl, message) => {
    const error = refusal(() => saslMechanism(sasl as SaslOptions));
    expect(error.option).toBe(option);
    expect(error.message).toMatch(message);
    expect(everything(error)).not.toContain(SECRET);
  });

  it.each<[string, unknown, RegExp]>([
    ['ssl', 'yes', /ssl must be true, false, an object or a function, not a string/],
    ['ssl', { key: PEM, cert: PEM }, /ssl makes no TLS context: .*; look at ca, cert, key and passphrase/],
    ['ssl', { ca: 7 }, /ssl makes no TLS context/],
    ['ssl.rejectUnauthorized', { rejectUnauthorized: 'no' }, /must be true or false, not a string/],
    ['ssl.servername', { servername: '' }, /ssl.servername must be a host name/],
  ])('are not shown where %s is wrong', (option, ssl, message) => {
    const error = refusal(() => tlsSource(ssl as never));
    expect(error.option).toBe(option);
    expect(error.message).toMatch(message);
    expect(everything(error)).not.toContain(SECRET);
  });

  it.each([
    { value: '' },
    { value: 'two words' },
    { value: `${SECRET}\n` },
    {},
    undefined,
    { value: 'a', extensions: { auth: 'x' } },
  ])('of a provider are checked: %j', async (token) => {
    const options = { mechanism: 'oauthbearer', oauthBearerProvider: () => token } as unknown as SaslOptions;
    const error: unknown = await Promise.resolve(saslMechanism(options).start({ host: 'a', port: 1 })).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UsageError);
    expect(everything(error)).not.toContain(SECRET);
  });

  it('are asked for once by those who ask together, and again later', async () => {
    let asked = 0;
    const made = saslMechanism({
      mechanism: 'oauthbearer',
      oauthBearerProvider: () => Promise.resolve({ value: `token-${++asked}`, extensions: { traceId: '7' } }),
    });
    const start = async () =>
      Buffer.from(await (await made.start({ host: 'a', port: 1 })).begin()).toString();
    const first = 'n,,\x01auth=Bearer token-1\x01traceId=7\x01\x01';
    expect(await Promise.all([start(), start(), start()])).toEqual([first, first, first]);
    expect(await start()).toContain('token-2');
  });
});
