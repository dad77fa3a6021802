import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

/** The digests of SCRAM by the mechanism that uses them. */
export const SCRAM_DIGESTS = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const;

export type ScramMechanism = keyof typeof SCRAM_DIGESTS;

/** Kafka's numbers of the mechanisms. */
export const SCRAM_NUMBERS: { readonly [M in ScramMechanism]: number } = {
  'SCRAM-SHA-256': 1,
  'SCRAM-SHA-512': 2,
};

export type ScramDigest = (typeof SCRAM_DIGESTS)[keyof typeof SCRAM_DIGESTS];

/** What a server keeps of a password: enough to check a proof, not enough to make one. */
export interface ScramCredential {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

export const MIN_ITERATIONS = 4096;
export const MAX_ITERATIONS = 16_384;

export function hmac(digest: ScramDigest, key: Buffer, text: string): Buffer {
  return createHmac(digest, key).update(text).digest();
}

export function hash(digest: ScramDigest, bytes: Buffer): Buffer {
  return createHash(digest).update(bytes).digest();
}

export function scramCredential(digest: ScramDigest, password: string, salt: Buffer): ScramCredential {
  const keyBytes = digest === 'sha256' ? 32 : 64;
  const salted = pbkdf2Sync(password, salt, MIN_ITERATIONS, keyBytes, digest);
  return credentialOfSalted(digest, salted, { salt, iterations: MIN_ITERATIONS });
}

/** Of a password that was salted elsewhere. */
export function credentialOfSalted(
  digest: ScramDigest,
  salted: Buffer,
  { salt, iterations }: { readonly salt: Buffer; readonly iterations: number },
): ScramCredential {
  const storedKey = hash(digest, hmac(digest, salted, 'Client Key'));
  return { salt, iterations, storedKey, serverKey: hmac(digest, salted, 'Server Key') };
}
