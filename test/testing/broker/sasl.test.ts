// Who may connect, and how they prove it: every answer here was compared with that of Kafka 4.3.1.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { encodeRequest } from '../../../src/core/protocol/frame.ts';
import { metadataApi } from '../../../src/core/protocol/messages/03-metadata.ts';
import { saslHandshakeApi } from '../../../src/core/protocol/messages/17-sasl-handshake.ts';
import { apiVersionsApi } from '../../../src/core/protocol/messages/18-api-versions.ts';
import { saslAuthenticateApi } from '../../../src/core/protocol/messages/36-sasl-authenticate.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerSaslOptions } from '../../../src/testing/broker/security/sasl-options.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import { scramClient } from './scram-client.ts';
import { simulated } from './simulated.ts';
import type { Simulated } from './simulated.ts';
import type { WireClient } from './wire-client.ts';

const PASSWORD = 'open sesame';
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-512', 'SCRAM-SHA-256', 'OAUTHBEARER'] as const;

let sim: Simulated;
let client: WireClient;

async function begin(sasl: BrokerSaslOptions = {}): Promise<void> {
  sim = await simulated({
    sasl: { users: { alice: PASSWORD, 'o=d,d': PASSWORD }, mechanisms: MECHANISMS, ...sasl },
  });
  client = sim.connect();
}

beforeEach(() => begin());

afterEach(async () => {
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
});

const handshake = (mechanism: string, version = 1) =>
  sim.run(client.call(saslHandshakeApi, version, { mechanism }));

const authenticate = (token: string, version = 2) =>
  sim.run(client.call(saslAuthenticateApi, version, { authBytes: Buffer.from(token) }));

const metadata = () => sim.run(client.call(metadataApi, 9, { topics: [] }));

async function isClosed(): Promise<boolean> {
  await sim.run(client.closed, 1000);
  return client.isClosed;
}

async function plain(token = `\0alice\0${PASSWORD}`) {
  await handshake('PLAIN');
  return authenticate(token);
}

describe('a connection that has proved nothing', () => {
  it('may ask for the versions once, and is closed for anything else', async () => {
    const versions = { clientSoftwareName: 'test', clientSoftwareVersion: '1' };
    const { apiKeys } = await sim.run(client.call(apiVersionsApi, 3, versions));
    expect(apiKeys.map(({ apiKey }) => apiKey)).toEqual(expect.arrayContaining([17, 36]));
    await expect(sim.run(client.call(apiVersionsApi, 0, {}))).rejects.toThrow('closed');
    client = sim.connect();
    await expect(metadata()).rejects.toThrow('closed');
    client = sim.connect();
    await expect(authenticate('x')).rejects.toThrow('closed');
  });

  it('may ask for versions that nobody knows, and again for one that is', async () => {
    const frame = await sim.run(
      client.exchange((id) => {
        const request = encodeRequest(apiVersionsApi, 4, id, 'test', {
          clientSoftwareName: 'test',
          clientSoftwareVersion: '1',
        });
        request.writeInt16BE(99, 6);
        return request;
      }),
    );
    expect(frame.readInt16BE(4)).toBe(ERRORS.UNSUPPORTED_VERSION);
    expect((await sim.run(client.call(apiVersionsApi, 0, {}))).errorCode).toBe(ERRORS.NONE);
    expect((await handshake('PLAIN')).errorCode).toBe(ERRORS.NONE);
  });

  it('is told the mechanisms when it asks for one that is not there, and closed', async () => {
    expect(await handshake('GSSAPI')).toEqual({
      errorCode: ERRORS.UNSUPPORTED_SASL_MECHANISM,
      mechanisms: MECHANISMS,
    });
    expect(await isClosed()).toBe(true);
  });

  it('is told that anything but a token comes at the wrong time after the handshake, and closed', async () => {
    await handshake('PLAIN');
    expect(await handshake('PLAIN')).toEqual({ errorCode: ERRORS.ILLEGAL_SASL_STATE, mechanisms: [] });
    expect(await isClosed()).toBe(true);
    client = sim.connect();
    await handshake('PLAIN');
    await expect(metadata()).rejects.toThrow('closed');
  });

  it('cannot make the broker hold more than a token', async () => {
    await sim.run(client.write(Buffer.from([0, 16, 0, 0])));
    await client.write(Buffer.alloc(600 * 1024));
    expect(await isClosed()).toBe(true);
  });
});

describe('PLAIN', () => {
  it('lets the right password in', async () => {
    expect(await plain()).toEqual({
      errorCode: ERRORS.NONE,
      errorMessage: '',
      authBytes: Buffer.alloc(0),
      sessionLifetimeMs: 0,
    });
    expect((await metadata()).controllerId).toBe(0);
  });

  it.each([
    ['\0alice\0wrong', 'Authentication failed: Invalid username or password'],
    ['\0nobody\0x', 'Authentication failed: Invalid username or password'],
    [
      `bob\0alice\0${PASSWORD}`,
      'Authentication failed: Client requested an authorization id that is different from username',
    ],
    ['\0\0x', 'Authentication failed: username not specified'],
    ['\0alice\0', 'Authentication failed: password not specified'],
    ['garbage', 'Invalid SASL/PLAIN response: expected 3 tokens, got 1'],
    ['\0a\0b\0c', 'Invalid SASL/PLAIN response: expected 3 tokens, got 4'],
  ])('refuses %j in words, and closes', async (token, message) => {
    expect(await plain(token)).toMatchObject({
      errorCode: ERRORS.SASL_AUTHENTICATION_FAILED,
      errorMessage: message,
    });
    expect(await isClosed()).toBe(true);
  });

  it('takes bare tokens after version 0 of the handshake', async () => {
    const bare = (token: string): Buffer => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(token.length);
      return Buffer.concat([length, Buffer.from(token)]);
    };
    const raw = async (token: string): Promise<string> => {
      client = sim.connect();
      await handshake('PLAIN', 0);
      const chunks: Buffer[] = [];
      client.tap((bytes) => chunks.push(Buffer.from(bytes)));
      await sim.run(client.write(bare(token)));
      await sim.clock.advance(10);
      return Buffer.concat(chunks).toString('hex');
    };
    // The empty answer is a frame of no bytes, which the test's own client cannot take for a response.
    await expect(raw(`\0alice\0${PASSWORD}`)).rejects.toThrow();
    expect(await raw('\0alice\0wrong')).toBe('');
    expect(client.isClosed).toBe(true);
  });
});

describe.each([
  ['SCRAM-SHA-256', 'sha256'],
  ['SCRAM-SHA-512', 'sha512'],
] as const)('%s', (mechanism, digest) => {
  it.each(['alice', 'o=d,d'])('proves to %s that both know the password', async (user) => {
    await handshake(mechanism);
    const scram = scramClient(digest, user, PASSWORD);
    const first = await authenticate(scram.first);
    expect(first.errorCode).toBe(ERRORS.NONE);
    const { message, expected } = scram.finish(first.authBytes.toString());
    const last = await authenticate(message);
    expect(last).toMatchObject({ errorCode: ERRORS.NONE, sessionLifetimeMs: 0 });
    expect(last.authBytes.toString()).toBe(expected);
    expect((await metadata()).controllerId).toBe(0);
  });

  it('says no more than that credentials are not good', async () => {
    const refused = {
      errorCode: ERRORS.SASL_AUTHENTICATION_FAILED,
      errorMessage: `Authentication failed during authentication due to invalid credentials with SASL mechanism ${mechanism}`,
    };
    await handshake(mechanism);
    const scram = scramClient(digest, 'alice', 'wrong');
    const { message } = scram.finish((await authenticate(scram.first)).authBytes.toString());
    expect(await authenticate(message)).toMatchObject(refused);
    for (const first of ['n,,n=nobody,r=abc', 'garbage', 'y,,n=alice,r=abc', '']) {
      client = sim.connect();
      await handshake(mechanism);
      expect(await authenticate(first)).toMatchObject(refused);
      expect(await isClosed()).toBe(true);
    }
    for (const final of ['c=biws,r=abc,p=AAAA', 'garbage', '']) {
      client = sim.connect();
      await handshake(mechanism);
      await authenticate(scram.first);
      expect(await authenticate(final)).toMatchObject(refused);
    }
  });
});

describe('OAUTHBEARER', () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const jws = (claims: object, alg = 'none'): string => `${part({ alg })}.${part(claims)}.`;
  const initial = (token: string, who = ''): string => `n,${who},\x01auth=Bearer ${token}\x01\x01`;
  const nowSeconds = (): number => sim.clock.wallNow() / 1000;

  it('takes tokens that nobody signed, until they end', async () => {
    await handshake('OAUTHBEARER');
    const token = jws({ sub: 'carol', iat: nowSeconds(), exp: nowSeconds() + 60 });
    expect(await authenticate(initial(token))).toMatchObject({
      errorCode: ERRORS.NONE,
      sessionLifetimeMs: 60_000,
    });
    await metadata();
    await sim.clock.advance(60_000);
    await expect(metadata()).rejects.toThrow('closed');
  });

  it.each<[string, () => string]>([
    ['ended', () => jws({ sub: 'carol', exp: nowSeconds() - 1 })],
    ['nobody', () => jws({ exp: nowSeconds() + 60 })],
    ['without an end', () => jws({ sub: 'carol' })],
    ['from the future', () => jws({ sub: 'carol', iat: nowSeconds() + 9, exp: nowSeconds() + 60 })],
    ['signed', () => jws({ sub: 'carol', exp: nowSeconds() + 60 }, 'HS256')],
    ['no token', () => 'abc'],
    ['no JSON', () => 'abc.def.'],
  ])('refuses a token that is %s, in two steps', async (_what, token) => {
    await handshake('OAUTHBEARER');
    const status = '{"status":"invalid_token"}';
    const first = await authenticate(initial(token()));
    expect([first.errorCode, first.authBytes.toString()]).toEqual([ERRORS.NONE, status]);
    expect(await authenticate('\x01')).toMatchObject({
      errorCode: ERRORS.SASL_AUTHENTICATION_FAILED,
      errorMessage: status,
    });
    expect(await isClosed()).toBe(true);
  });

  it('asks whoever validates tokens, and takes an error for a no', async () => {
    await sim.box.close();
    await begin({
      validateToken(token) {
        if (token === 'broken') throw new Error('secret');
        return token === 'good' ? { principal: 'dave' } : undefined;
      },
    });
    const outcome = async (text: string) => {
      client = sim.connect();
      await handshake('OAUTHBEARER');
      const { errorCode, authBytes, errorMessage } = await authenticate(text);
      return errorCode === ERRORS.NONE ? authBytes.toString() : errorMessage;
    };
    expect(await outcome(initial('good'))).toBe('');
    expect(await outcome(initial('good', 'a=dave'))).toBe('');
    expect(await outcome(initial('bad'))).toBe('{"status":"invalid_token"}');
    expect(await outcome(initial('broken'))).toBe('{"status":"invalid_token"}');
    expect(await outcome(initial('good', 'a=erin'))).toBe(
      "Authentication failed: Client requested an authorization id (erin) that is different from the token's principal name (dave)",
    );
    expect(await outcome('hello')).toMatch(/invalid credentials with SASL mechanism OAUTHBEARER$/);
  });
});

describe('a session that ends (KIP-368)', () => {
  beforeEach(async () => {
    await sim.box.close();
    await begin({ maxReauthMs: 10_000, users: { alice: PASSWORD, bob: PASSWORD } });
  });

  it('is told how long it lasts, renewed, and closed when it is not', async () => {
    expect((await plain()).sessionLifetimeMs).toBe(10_000);
    await sim.clock.advance(9_000);
    expect((await plain()).sessionLifetimeMs).toBe(10_000);
    await sim.clock.advance(9_000);
    await metadata();
    await sim.clock.advance(1_001);
    await expect(metadata()).rejects.toThrow('closed');
  });

  it('may be renewed when it is over, by nobody else and by no other mechanism', async () => {
    await plain();
    await sim.clock.advance(11_000);
    expect((await plain()).errorCode).toBe(ERRORS.NONE);
    await sim.clock.advance(2_000);
    expect((await plain(`\0bob\0${PASSWORD}`)).errorMessage).toBe(
      'Cannot change principals during re-authentication from User.alice: User.bob',
    );
    client = sim.connect();
    await plain();
    expect((await handshake('SCRAM-SHA-256')).errorCode).toBe(ERRORS.NONE);
    expect((await authenticate(`\0alice\0${PASSWORD}`)).errorMessage).toBe(
      "SASL mechanism 'SCRAM-SHA-256' requested by client is not supported for re-authentication of mechanism 'PLAIN'",
    );
    expect(await isClosed()).toBe(true);
  });

  it('is not renewed twice within a second', async () => {
    await plain();
    expect((await plain()).errorCode).toBe(ERRORS.NONE);
    expect((await handshake('PLAIN')).errorCode).toBe(ERRORS.ILLEGAL_SASL_STATE);
    await sim.clock.advance(1_000);
    expect((await handshake('PLAIN')).errorCode).toBe(ERRORS.NONE);
  });
});

describe('otherwise', () => {
  it('a session for ever is not renewed, and its end of the exchange is an error', async () => {
    await plain();
    expect(await handshake('PLAIN')).toEqual({ errorCode: ERRORS.ILLEGAL_SASL_STATE, mechanisms: [] });
    expect(await authenticate('x')).toMatchObject({
      errorCode: ERRORS.ILLEGAL_SASL_STATE,
      errorMessage: 'SaslAuthenticate request received after successful authentication',
    });
    await metadata();
  });

  it('without SASL nobody is asked', async () => {
    await using box = await createBroker({ listen: 'memory', clock: sim.clock });
    expect(box.internalErrors).toEqual([]);
    const open = await simulated();
    client = open.connect();
    sim = open;
    expect(await handshake('PLAIN')).toEqual({ errorCode: ERRORS.ILLEGAL_SASL_STATE, mechanisms: [] });
  });

  it('faults apply, and no rule sees a password', async () => {
    const seen: unknown[] = [];
    sim.box.fault({ match: { api: 'SaslAuthenticate' }, observe: (request) => seen.push(request.body) });
    sim.box.fault({
      match: { api: 'SaslAuthenticate', nth: 2 },
      do: fault.error('SASL_AUTHENTICATION_FAILED'),
    });
    await plain();
    client = sim.connect();
    expect((await plain()).errorCode).toBe(ERRORS.SASL_AUTHENTICATION_FAILED);
    expect(seen).toEqual([{ authBytes: Buffer.alloc(0) }, { authBytes: Buffer.alloc(0) }]);
    expect(JSON.stringify(sim.box.requests())).not.toContain(PASSWORD);
  });

  it('refuses mechanisms that Kafka does not have', async () => {
    const sasl = { mechanisms: ['GSSAPI' as 'PLAIN'] };
    await expect(createBroker({ sasl })).rejects.toThrow(/no mechanism 'GSSAPI'/);
  });
});
