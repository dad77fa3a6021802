// Kafka's settings of TLS and SASL, as its property files have them.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseJaas } from '../../src/cli/jaas.ts';
import { securityOptions } from '../../src/cli/security.ts';
import { Kafka, type KafkaOptions } from '../../src/core/index.ts';
import { UsageError } from '../../src/errors.ts';
import type { BrokerBox } from '../../src/testing/broker/broker-box.ts';
import { createBroker } from '../../src/testing/broker/create-broker.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';
import { Authority, type Certificate } from '../helpers/kafka/certificates.ts';
import { rejection } from '../helpers/rejection.ts';
import { sluice } from './support/tool.ts';

const clock = new VirtualClock();
const read = (settings: Readonly<Record<string, string>>) =>
  securityOptions(new Map(Object.entries(settings)), clock);

const MODULES = 'org.apache.kafka.common.security';
const jaas = (password = 'open sesame'): string =>
  `${MODULES}.scram.ScramLoginModule required username="alice" password="${password}";`;

describe('sasl.jaas.config', () => {
  it.each<[string, [string, string][]]>([
    [
      'a.B required username="alice" password="x y;=z";',
      [
        ['username', 'alice'],
        ['password', 'x y;=z'],
      ],
    ],
    [
      "a.B REQUIRED\n  username='alice'\n  password=plain ;",
      [
        ['username', 'alice'],
        ['password', 'plain'],
      ],
    ],
    ['a.B required password="a\\"b\\\\c";', [['password', 'a"b\\c']]],
    ['a.B optional;', []],
  ])('is read: %s', (text, options) => {
    expect([...parseJaas(text).options]).toEqual(options);
    expect(parseJaas(text).name).toBe('a.B');
  });

  it.each([
    ['', 'must begin with the class'],
    ['a.B', 'needs a control flag'],
    ['a.B sometimes x="1";', 'needs a control flag'],
    ['a.B required password="secret"', 'must end with a semicolon'],
    ['a.B required password="secret', 'has a quote that does not end'],
    ['a.B required password;', 'needs name="value"'],
    ['a.B required password="secret"; a.C required;', 'must have one login module'],
  ])('that is wrong is explained without its secrets: %s', (text, message) => {
    expect(() => parseJaas(text)).toThrow(UsageError);
    expect(() => parseJaas(text)).toThrow(message);
    expect(() => parseJaas(text)).not.toThrow('secret');
  });
});

describe("Kafka's settings", () => {
  const inline = {
    'security.protocol': 'SSL',
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.certificates': '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----',
  };

  it('of security that the protocol does not use are left alone', async () => {
    expect(await read({})).toEqual({});
    expect(await read({ 'sasl.jaas.config': 'nonsense', 'ssl.keystore.location': '/x' })).toEqual({});
  });

  it('of TLS become the option ssl', async () => {
    const ca = inline['ssl.truststore.certificates'];
    expect(await read(inline)).toEqual({ ssl: { ca: [ca] } });
    const key = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nBB==\n-----END ENCRYPTED PRIVATE KEY-----';
    const { ssl } = await read({
      'security.protocol': 'ssl',
      'ssl.keystore.certificate.chain': ca,
      'ssl.keystore.key': key,
      'ssl.key.password': 'p',
      'ssl.enabled.protocols': 'TLSv1.2,TLSv1.3',
      'ssl.endpoint.identification.algorithm': '',
    });
    expect(ssl).toEqual({
      ...{ cert: ca, key, passphrase: 'p', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' },
      checkServerIdentity: expect.any(Function),
    });
  });

  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('of SASL %s become the option sasl', async (name) => {
    const settings = { 'sasl.mechanism': name, 'sasl.jaas.config': jaas() };
    expect(await read({ 'security.protocol': 'SASL_PLAINTEXT', ...settings })).toEqual({
      sasl: { mechanism: name.toLowerCase(), username: 'alice', password: 'open sesame' },
    });
  });

  it.each<[Record<string, string>, string]>([
    [
      { 'security.protocol': 'TLS' },
      "security.protocol must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL, not 'TLS'",
    ],
    [{ 'security.protocol': 'SASL_SSL' }, 'sasl.jaas.config is missing'],
    [{ 'security.protocol': 'SASL_PLAINTEXT', 'sasl.jaas.config': jaas() }, "sasl.mechanism is 'GSSAPI'"],
    [
      {
        'security.protocol': 'SASL_PLAINTEXT',
        'sasl.mechanism': 'PLAIN',
        'sasl.jaas.config': 'a.B required username="alice";',
      },
      'sasl.jaas.config needs username="..." and password="..."',
    ],
    [
      {
        'security.protocol': 'SASL_PLAINTEXT',
        'sasl.mechanism': 'OAUTHBEARER',
        'sasl.jaas.config': 'a.B required clientId="a" clientSecret="open sesame";',
      },
      'needs unsecuredLoginStringClaim_sub',
    ],
    [{ ...inline, 'ssl.truststore.type': 'JKS' }, "ssl.truststore.type is 'JKS': the client reads PEM"],
    [{ ...inline, 'ssl.truststore.certificates': 'x' }, 'ssl.truststore.certificates holds no PEM'],
    [{ ...inline, 'ssl.protocol': 'TLSv1.1' }, "ssl.protocol must be of TLSv1.2, TLSv1.3, not 'TLSv1.1'"],
    [{ ...inline, 'ssl.endpoint.identification.algorithm': 'ldaps' }, 'must be https, or empty'],
    [
      { 'security.protocol': 'SSL', 'ssl.keystore.location': '/none.pem' },
      "ssl.keystore.location names '/none.pem'",
    ],
  ])('that cannot be are named: %#', async (settings, message) => {
    const error = await rejection(read(settings));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('open sesame');
  });
});

describe('the tools on a broker with TLS and SASL', () => {
  let authority: Authority;
  let client: Certificate;
  let box: BrokerBox;

  beforeAll(async () => {
    authority = new Authority();
    const server = authority.issue('server');
    client = authority.issue('client');
    box = await createBroker({
      topics: { t: 1, copied: 1 },
      tls: { key: server.key, cert: server.cert, ca: authority.cert, requestCert: true },
      sasl: { users: { alice: 'open sesame' } },
    });
  });
  afterAll(async () => {
    await box.close();
    authority.remove();
  });

  it('write, read and copy by one file of settings, and show no password', async () => {
    const file = path.join(authority.folder, 'client.properties');
    const settings: Record<string, string> = {
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'SCRAM-SHA-512',
      'sasl.jaas.config': `${MODULES}.scram.ScramLoginModule required \\\n  username="alice" \\\n  password="open sesame";`,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': authority.file,
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': client.file,
    };
    const save = (): void =>
      writeFileSync(
        file,
        Object.entries(settings)
          .map(([name, value]) => `${name}=${value}\n`)
          .join(''),
      );
    save();
    const server = ['--bootstrap-server', box.bootstrap.join(','), '--command-config', file];
    const producer = sluice('verifiable-producer', ...server, '--topic', 't', '--max-messages', '10');
    expect([await producer.exited, producer.errors]).toEqual([0, '']);
    const group = ['--group-id', 'g', '--max-messages', '10'];
    const copy = ['--input-topic', 't', '--input-partition', '0', '--output-topic', 'copied'];
    const consumer = sluice('verifiable-consumer', ...server, '--topic', 't', ...group);
    const copier = sluice('transactional-copier', ...server, ...copy, '--transactional-id', 'x');
    expect([await consumer.exited, consumer.errors]).toEqual([0, '']);
    expect([await copier.exited, copier.errors]).toEqual([0, '']);
    expect(await box.records('copied', 0)).toHaveLength(10);
    settings['sasl.jaas.config'] = jaas('wrong sesame');
    settings['delivery.timeout.ms'] = '3000';
    settings['max.block.ms'] = '3000';
    save();
    const wrong = sluice('verifiable-producer', ...server, '--topic', 't', '--max-messages', '1');
    await wrong.exited;
    expect(wrong.named('producer_send_error')).toHaveLength(1);
    expect(wrong.lines.join('\n') + wrong.errors).toContain('SASL SCRAM-SHA-512 failed');
    expect(wrong.lines.join('\n') + wrong.errors).not.toContain('wrong sesame');
  });

  it('of the file are what the client takes', async () => {
    const options: Partial<KafkaOptions> = await read({
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'SCRAM-SHA-256',
      'sasl.jaas.config': jaas(),
      'ssl.truststore.certificates': authority.cert,
      'ssl.keystore.location': client.file,
    });
    const kafka = new Kafka({ brokers: box.bootstrap, ...options });
    expect(await kafka.admin().listTopics()).toHaveLength(2);
    await kafka.close();
  });
});
