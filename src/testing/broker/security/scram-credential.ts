import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

/** The digests of SCRAM by the mechanism that uses them. */
export const SCRAM_DIGESTS = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const;

export type ScramDigest = (typeof SCRAM_DIGESTS)[keyof typeof SCRAM_DIGESTS];

/** What a server keeps of a password: enough to check a proof, not enough to make one. */
export interface ScramCredential {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

const ITERATIONS = 4096;

export function hmac(digest: ScramDigest, key: Buffer, text: string): Buffer {
  return createHmac(digest, key).update(text).digest();
}

export function hash(digest: ScramDigest, bytes: Buffer): Buffer {
  return createHash(digest).update(bytes).digest();
}

export function scramCredential(digest: ScramDigest, password: string, salt: Buffer): ScramCredential {
  const keyBytes = digest === 'sha256' ? 32 : 64;
  const salted = pbkdf2Sync(password, salt, ITERATIONS, keyBytes, digest);
  const storedKey = hash(digest, hmac(digest, salted, 'Client Key'));
  return { salt, iterations: ITERATIONS, storedKey, serverKey: hmac(digest, salted, 'Server Key') };
}
