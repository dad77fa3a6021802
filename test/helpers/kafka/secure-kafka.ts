// A broker of one's own with listeners in TLS and SASL of every kind.
import { Authority, type Certificate } from './certificates.ts';
import { startRealKafka, type RealKafka } from './real-kafka.ts';

export interface SecureKafka {
  readonly kafka: RealKafka;
  readonly authority: Authority;
  readonly client: Certificate;
  stop(): Promise<void>;
}

export const USER = 'alice';
export const PASSWORD = 'open sesame';
const MODULES = 'org.apache.kafka.common.security';
const LISTENERS = {
  TLS: 'SSL',
  EXPIRED: 'SSL',
  ELSEWHERE: 'SSL',
  MUTUAL: 'SSL',
  SASL: 'SASL_PLAINTEXT',
  SASLTLS: 'SASL_SSL',
};
const JAAS: Readonly<Record<string, string>> = {
  plain: `${MODULES}.plain.PlainLoginModule required user_${USER}="${PASSWORD}";`,
  'scram-sha-256': `${MODULES}.scram.ScramLoginModule required;`,
  'scram-sha-512': `${MODULES}.scram.ScramLoginModule required;`,
  oauthbearer: `${MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
};

/** `maxReauthMs`: the broker's `connections.max.reauth.ms` on the listener SASL. */
export async function startSecureKafka(lib: string, maxReauthMs: number): Promise<SecureKafka> {
  const authority = new Authority();
  const good = authority.issue('server');
  const certificates: Readonly<Record<string, Certificate>> = {
    tls: good,
    expired: authority.issue('expired', { days: -1 }),
    elsewhere: authority.issue('elsewhere', { names: 'DNS:elsewhere.example' }),
    mutual: good,
    sasltls: good,
  };
  const properties: Record<string, string> = {
    'sasl.enabled.mechanisms': Object.keys(JAAS).join(',').toUpperCase(),
    'listener.name.mutual.ssl.client.auth': 'required',
  };
  for (const [listener, { file }] of Object.entries(certificates)) {
    const prefix = `listener.name.${listener}.ssl`;
    properties[`${prefix}.keystore.type`] = 'PEM';
    properties[`${prefix}.keystore.location`] = file;
    properties[`${prefix}.truststore.type`] = 'PEM';
    properties[`${prefix}.truststore.location`] = authority.file;
  }
  for (const [mechanism, jaas] of Object.entries(JAAS)) {
    for (const listener of ['sasl', 'sasltls'])
      properties[`listener.name.${listener}.${mechanism}.sasl.jaas.config`] = jaas;
    properties[`listener.name.sasl.${mechanism}.connections.max.reauth.ms`] = String(maxReauthMs);
  }
  const kafka = await startRealKafka({ lib, listeners: LISTENERS, properties, heapMb: 512 });
  return {
    kafka,
    authority,
    client: authority.issue('client'),
    stop: async () => {
      await kafka.stop();
      authority.remove();
    },
  };
}

/** A token of Kafka's unsecured kind, good for an hour. */
export function unsecuredToken(subject: string, nowMs: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const seconds = Math.floor(nowMs / 1000);
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: seconds - 1, exp: seconds + 3600 })}.`;
}
