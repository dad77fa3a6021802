// Kafka's settings of TLS and SASL in terms of this client: PEM files, passwords and tokens as Kafka's property files have them.

import { readFile } from 'node:fs/promises';
import type { Clock } from '../core/clock.ts';
import type { KafkaOptions, SaslOptions, TlsOptions } from '../core/index.ts';
import { UsageError } from '../errors.ts';
import { parseJaas, type LoginModule } from './jaas.ts';

type Settings = ReadonlyMap<string, string>;

/** Every setting that is read here. */
export const SECURITY_SETTINGS: ReadonlySet<string> = new Set([
  'security.protocol',
  'sasl.mechanism',
  'sasl.jaas.config',
  'ssl.truststore.type',
  'ssl.truststore.location',
  'ssl.truststore.password',
  'ssl.truststore.certificates',
  'ssl.keystore.type',
  'ssl.keystore.location',
  'ssl.keystore.password',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.key.password',
  'ssl.endpoint.identification.algorithm',
  'ssl.protocol',
  'ssl.enabled.protocols',
]);

const PROTOCOLS: ReadonlyMap<string, { readonly tls: boolean; readonly sasl: boolean }> = new Map([
  ['PLAINTEXT', { tls: false, sasl: false }],
  ['SSL', { tls: true, sasl: false }],
  ['SASL_PLAINTEXT', { tls: false, sasl: true }],
  ['SASL_SSL', { tls: true, sasl: true }],
]);
const PEM = /-----BEGIN [A-Z0-9 ]+-----[^-]+-----END [A-Z0-9 ]+-----/g;
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
const TOKEN_LIFE_S = 3_600;
const SUBJECT = 'unsecuredLoginStringClaim_sub';

/**
 * The client's options of TLS and SASL. Settings that the security protocol does not use are left alone, as by Java's clients.
 * @throws UsageError naming a setting that is wrong, is missing, or asks for what the client cannot do; never with a secret in it.
 */
export async function securityOptions(
  settings: Settings,
  clock: Clock,
): Promise<{ -readonly [K in 'ssl' | 'sasl']?: NonNullable<KafkaOptions[K]> }> {
  const named = settings.get('security.protocol')?.trim() ?? 'PLAINTEXT';
  const protocol = PROTOCOLS.get(named.toUpperCase());
  if (protocol === undefined)
    throw wrong('security.protocol', `must be one of ${[...PROTOCOLS.keys()].join(', ')}, not '${named}'`);
  return {
    ...(protocol.tls ? { ssl: await tlsOptions(settings) } : {}),
    ...(protocol.sasl ? { sasl: saslOptions(settings, clock) } : {}),
  };
}

async function tlsOptions(settings: Settings): Promise<TlsOptions> {
  const trusted = await pemOf(settings, 'ssl.truststore', ['ssl.truststore.certificates']);
  const own = await pemOf(settings, 'ssl.keystore', ['ssl.keystore.certificate.chain', 'ssl.keystore.key']);
  const check = settings.get('ssl.endpoint.identification.algorithm')?.trim().toLowerCase() ?? 'https';
  if (check !== '' && check !== 'https')
    throw wrong(
      'ssl.endpoint.identification.algorithm',
      `must be https, or empty for no check; not '${check}'`,
    );
  const passphrase = settings.get('ssl.key.password') ?? undefined;
  return {
    ...versionsOf(settings),
    ...(trusted === undefined ? {} : { ca: trusted }),
    ...(own === undefined
      ? {}
      : {
          cert: own.filter(isCertificate).join('\n'),
          key: own.filter((part) => !isCertificate(part)).join('\n'),
        }),
    ...(own === undefined || passphrase === undefined ? {} : { passphrase }),
    ...(check === '' ? { checkServerIdentity: () => undefined } : {}),
  };
}

/** The PEM parts that a store's settings hold or name; undefined without a store. */
async function pemOf(
  settings: Settings,
  store: 'ssl.truststore' | 'ssl.keystore',
  inline: readonly string[],
): Promise<string[] | undefined> {
  const texts = inline.map((name) => settings.get(name)).filter((text) => text !== undefined);
  const location = settings.get(`${store}.location`);
  if (texts.length === 0 && location === undefined) return undefined;
  const type = settings.get(`${store}.type`)?.trim() ?? 'PEM';
  const advice = `the client reads PEM; keytool and openssl convert: 'openssl pkcs12 -in store.p12 -out store.pem'`;
  if (type.toUpperCase() !== 'PEM') throw wrong(`${store}.type`, `is '${type}': ${advice}`);
  const text = texts.length > 0 ? texts.join('\n') : await readStore(`${store}.location`, location!);
  const parts = text.match(PEM);
  const name = texts.length > 0 ? inline[0]! : `${store}.location`;
  if (parts === null) throw wrong(name, `holds no PEM: ${advice}`);
  return parts;
}

async function readStore(name: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw wrong(name, `names '${file}', which cannot be read (${code})`);
  }
}

function isCertificate(part: string): boolean {
  return part.startsWith('-----BEGIN CERTIFICATE-----');
}

function versionsOf(settings: Settings): Pick<TlsOptions, 'minVersion' | 'maxVersion'> {
  const name = settings.has('ssl.enabled.protocols') ? 'ssl.enabled.protocols' : 'ssl.protocol';
  const text = settings.get(name);
  if (text === undefined) return {};
  const wanted = text.split(',').map((one) => one.trim());
  const strange = wanted.find((one) => !VERSIONS.some((version) => version === one));
  if (strange !== undefined) throw wrong(name, `must be of ${VERSIONS.join(', ')}, not '${strange}'`);
  const enabled = VERSIONS.filter((version) => wanted.includes(version));
  // The protocol alone is the newest of those that are enabled.
  return { minVersion: name === 'ssl.protocol' ? VERSIONS[0] : enabled[0]!, maxVersion: enabled.at(-1)! };
}

function saslOptions(settings: Settings, clock: Clock): SaslOptions {
  const named = settings.get('sasl.mechanism')?.trim() ?? 'GSSAPI';
  const text = settings.get('sasl.jaas.config');
  if (text === undefined) throw wrong('sasl.jaas.config', 'is missing: who is the client?');
  const mechanism = named.toLowerCase();
  if (mechanism === 'plain' || mechanism === 'scram-sha-256' || mechanism === 'scram-sha-512')
    return { mechanism, ...credentialsOf(parseJaas(text)) };
  if (mechanism === 'oauthbearer') {
    const subject = subjectOf(parseJaas(text));
    return { mechanism, oauthBearerProvider: () => ({ value: unsecuredToken(subject, clock.wallNow()) }) };
  }
  throw wrong(
    'sasl.mechanism',
    `is '${named}': the command has PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER with unsecured tokens`,
  );
}

function credentialsOf({ options }: LoginModule): { readonly username: string; readonly password: string } {
  const [username, password] = [options.get('username'), options.get('password')];
  if (username === undefined || password === undefined)
    throw wrong('sasl.jaas.config', 'needs username="..." and password="..."');
  return { username, password };
}

function subjectOf({ options }: LoginModule): string {
  const subject = options.get(SUBJECT);
  if (subject === undefined)
    throw wrong(
      'sasl.jaas.config',
      `needs ${SUBJECT}="...": the command makes unsecured tokens, and asks no authorization server`,
    );
  return subject;
}

/** As Kafka's OAuthBearerUnsecuredLoginCallbackHandler makes them. */
function unsecuredToken(subject: string, nowMs: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const seconds = nowMs / 1000;
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: seconds, exp: seconds + TOKEN_LIFE_S })}.`;
}

function wrong(name: string, what: string): UsageError {
  return new UsageError(`${name} ${what}`, name);
}
