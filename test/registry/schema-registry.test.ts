import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type RegistryError,
  schemaRegistry,
  type RegistryOptions,
  type SchemaRegistry,
} from '../../src/registry/index.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';
import { RegistryServer } from '../helpers/registry-server.ts';
import { rejection } from '../helpers/rejection.ts';

let server: RegistryServer;

beforeEach(async () => {
  server = await RegistryServer.start();
  server.add('a', { type: 'string' });
});
afterEach(() => server.close());

const client = (more: Partial<RegistryOptions> = {}): SchemaRegistry =>
  schemaRegistry({ url: server.url, retry: { attempts: 4, minDelayMs: 1, maxDelayMs: 2 }, ...more });

/** Where nobody listens. */
async function deserted(): Promise<string> {
  const gone = await RegistryServer.start();
  const { url } = gone;
  await gone.close();
  return url;
}

const text = { schema: '{"type":"string"}', schemaType: 'AVRO', references: [] };

describe('a client of a registry', () => {
  it('reads a schema once, whoever asks', async () => {
    const one = client();
    const [first, second] = await Promise.all([one.schemaById(1), one.schemaById(1)]);
    expect(first).toEqual(text);
    expect(second).toBe(first);
    expect(await one.schemaById(1)).toBe(first);
    expect(server.paths).toEqual(['GET /schemas/ids/1']);
  });

  it('keeps only so many', async () => {
    server.add('b', { type: 'int' });
    const one = client({ maxSchemas: 1 });
    for (const id of [1, 2, 1]) await one.schemaById(id);
    expect(server.paths).toHaveLength(3);
  });

  it('gives latest and older versions, and registers once', async () => {
    const one = client();
    expect(await one.latest('a')).toEqual({ ...text, id: 1, version: 1, subject: 'a' });
    expect(await one.schemaAt('a', 1)).toEqual(text);
    const schema = await one.schemaById(1);
    expect(await one.register('b', schema)).toBe(1);
    expect(await one.register('b', schema, { normalize: true })).toBe(1);
    expect(await one.register('b', schema)).toBe(1);
    expect(await one.idOf('b', schema)).toBe(1);
    expect(server.paths.filter((path) => path.startsWith('POST'))).toEqual([
      'POST /subjects/b/versions',
      'POST /subjects/b/versions?normalize=true',
      'POST /subjects/b',
    ]);
  });

  it('repeats what fails with 5xx, 429 or a broken connection, and not what is refused', async () => {
    server.faults = [503, 429, 0];
    expect(await client().schemaById(1)).toEqual(text);
    expect(server.asked).toHaveLength(4);
    for (const status of [400, 401, 403, 404, 409, 422]) {
      server.faults = [status];
      const error = await rejection<RegistryError>(client().latest('a'));
      expect(error).toMatchObject({
        code: 'REGISTRY',
        status,
        registryCode: status * 100 + 1,
        retriable: false,
      });
    }
    server.faults = [500, 500, 500, 500, 500];
    expect(await rejection(client().schemaById(1))).toMatchObject({ status: 500, retriable: true });
    expect(server.faults).toHaveLength(1);
  });

  it('believes for ten seconds that there is no such schema', async () => {
    const clock = new VirtualClock();
    // The requests themselves need real time: only what expires does not.
    const one = client({
      clock: Object.assign(Object.create(clock) as VirtualClock, {
        now: () => clock.now(),
        setTimeout: () => ({ cancel: () => undefined }),
      }),
    });
    const error = await rejection(one.schemaById(9));
    expect(error).toMatchObject({ status: 404, registryCode: 40403, schemaId: 9 });
    expect(String(error)).toMatch(/no such schema; is it the registry that the writer used/);
    await clock.advance(10_000);
    expect(await rejection(one.schemaById(9))).toBe(error);
    expect(server.asked).toHaveLength(1);
    await clock.advance(1);
    await rejection(one.schemaById(9));
    expect(server.asked).toHaveLength(2);
  });

  it('sends who it is, by user, token, url or headers, and never says it', async () => {
    const told: string[] = [];
    const check = async (credentials: string, more: Partial<RegistryOptions>): Promise<void> => {
      server.credentials = credentials;
      expect(await client(more).schemaById(1)).toEqual(text);
      server.credentials = 'somebody:else';
      const error = await rejection<RegistryError>(client(more).schemaById(1));
      expect(error).toMatchObject({ status: 401, retriable: false });
      told.push(String(error), String(error.cause), JSON.stringify(error), error.stack ?? '');
    };
    await check('ann:hunter2', { auth: { username: 'ann', password: 'hunter2' } });
    await check('Bearer hunter2', { auth: { token: 'hunter2' } });
    await check('Bearer hunter2', { auth: { token: async () => 'hunter2' } });
    await check('ann:hunter2', { url: server.url.replace('//', '//ann:hunter2@') });
    await check('Bearer hunter2', { headers: { authorization: 'Bearer hunter2' } });
    const all = told.join('\n');
    expect(all).toMatch(/did not accept the credentials/);
    expect(all).not.toContain('hunter2');
    expect(all).not.toContain(Buffer.from('ann:hunter2').toString('base64'));
    const broken = client({
      auth: { token: () => Promise.reject(new Error('no token today')) },
      retry: { attempts: 1 },
    });
    expect(await rejection(broken.schemaById(1))).toMatchObject({ code: 'REGISTRY', retriable: true });
  });

  it('goes to the next address when one does not answer, and stays there', async () => {
    const one = client({ url: [await deserted(), server.url] });
    expect(await one.schemaById(1)).toEqual(text);
    await one.latest('a');
    expect(server.asked).toHaveLength(2);
  });

  it('gives up in bounded time: nobody there, or nobody answering', async () => {
    const url = await deserted();
    const nobody = await rejection<RegistryError>(client({ url }).schemaById(1));
    expect(nobody).toMatchObject({ status: undefined, retriable: true, schemaId: 1 });
    expect(nobody.message).toBe(
      `the schema registry at ${url} could not give schema 1: not reached (ECONNREFUSED)`,
    );
    const clock = new VirtualClock();
    const options = {
      url: 'http://127.0.0.1:1',
      clock,
      random: () => 0.5,
      requestTimeoutMs: 4_000,
      timeoutMs: 10_000,
    };
    const silent = schemaRegistry({ ...options, fetch: () => new Promise(() => undefined) });
    const error = await clock.run(rejection<RegistryError>(silent.schemaById(1)));
    expect(error.message).toMatch(/no answer within/);
    expect(clock.now()).toBeLessThanOrEqual(10_000);
    expect(clock.now()).toBeGreaterThan(8_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('waits longer each time before it repeats', async () => {
    const clock = new VirtualClock();
    const times: number[] = [];
    const one = schemaRegistry({
      url: 'http://127.0.0.1:1',
      clock,
      random: () => 0.5,
      fetch: () => {
        times.push(clock.now());
        return Promise.reject(new Error('no'));
      },
    });
    await clock.run(rejection(one.schemaById(1)));
    expect(times).toEqual([0, 100, 300, 700, 1_500]);
  });

  it('refuses answers that are too large, no JSON, no schema, or that lead elsewhere', async () => {
    server.garbage = '<html>';
    expect(String(await rejection(client().schemaById(1)))).toMatch(/not JSON; is that a schema registry/);
    for (const garbage of [
      '{}',
      '{"schema":5}',
      '{"schema":"1","schemaType":"X"}',
      '{"schema":"1","references":[{}]}',
      '{"schema":"1","references":5}',
    ]) {
      server.garbage = garbage;
      expect(String(await rejection(client().schemaById(1)))).toMatch(/without a usable/);
    }
    server.garbage = '{"id":-1}';
    const schema = { schema: '"string"', schemaType: 'AVRO', references: [] } as const;
    expect(String(await rejection(client().register('x', schema)))).toMatch(/without a usable id/);
    server.garbage = 'x'.repeat(17 * 1024 * 1024);
    expect(String(await rejection(client().schemaById(1)))).toMatch(/more than 16777216 bytes/);
    server.garbage = undefined;
    server.faults = [302];
    expect(String(await rejection(client().schemaById(1)))).toMatch(/points to another address/);
  });

  it('is not led astray by a peer that speaks no HTTP', async () => {
    const noise: Server = createServer((socket) => socket.end('hello, this is no HTTP\r\n'));
    await new Promise<void>((resolve) => noise.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(noise.address() as AddressInfo).port}`;
    expect(await rejection(client({ url }).schemaById(1))).toMatchObject({
      code: 'REGISTRY',
      retriable: true,
    });
    noise.close();
  });

  it('checks its options, and says no secret', () => {
    const wrong = (options: object): string => {
      try {
        schemaRegistry(options as never);
      } catch (error) {
        return String(error);
      }
      return 'taken';
    };
    expect(wrong({})).toMatch(/url is an address/);
    expect(wrong({ url: [] })).toMatch(/url/);
    expect(wrong({ url: 'ftp://u:hunter2@x' })).toMatch(/http/);
    expect(wrong({ url: 'u:hunter2@x' })).not.toContain('hunter2');
    expect(wrong({ url: 'http://x', auth: { username: 'hunter2' } })).toMatch(/auth is/);
    expect(wrong({ url: 'http://x', auth: { token: 'a', password: 'hunter2' } })).not.toContain('hunter2');
    expect(wrong({ url: 'http://x', timeoutMs: 0 })).toMatch(/timeoutMs/);
    expect(wrong({ url: 'http://x', requestTimeoutMs: NaN })).toMatch(/requestTimeoutMs/);
    expect(wrong({ url: 'http://x', maxSchemas: 0 })).toMatch(/maxSchemas/);
    expect(wrong({ url: 'http://x', retry: { attempts: 0 } })).toMatch(/attempts/);
    expect(wrong({ url: 'http://x', urls: 'http://y' })).toMatch(/'urls' is no option; known are url/);
    expect(wrong(null as never)).toMatch(/takes an object/);
  });
});
