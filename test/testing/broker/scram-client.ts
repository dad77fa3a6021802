// The client's side of SCRAM, written apart from the broker's.
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

export interface ScramClient {
  readonly first: string;
  /** The client's last message, and what the server must answer. */
  finish(serverFirst: string): { readonly message: string; readonly expected: string };
}

export function scramClient(digest: 'sha256' | 'sha512', user: string, password: string): ScramClient {
  const bare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=fyko+d2lbbFgONRv9qkxdawL`;
  return {
    first: `n,,${bare}`,
    finish(serverFirst) {
      const fields = new Map(serverFirst.split(',').map((pair) => [pair[0]!, pair.slice(2)]));
      const bytes = digest === 'sha256' ? 32 : 64;
      const salt = Buffer.from(fields.get('s')!, 'base64');
      const salted = pbkdf2Sync(password, salt, Number(fields.get('i')), bytes, digest);
      const hmac = (key: Buffer, text: string): Buffer => createHmac(digest, key).update(text).digest();
      const clientKey = hmac(salted, 'Client Key');
      const withoutProof = `c=biws,r=${fields.get('r')!}`;
      const authMessage = `${bare},${serverFirst},${withoutProof}`;
      const signature = hmac(createHash(digest).update(clientKey).digest(), authMessage);
      const proof = Buffer.from(clientKey.map((byte, at) => byte ^ signature[at]!));
      const verifier = hmac(hmac(salted, 'Server Key'), authMessage).toString('base64');
      return { message: `${withoutProof},p=${proof.toString('base64')}`, expected: `v=${verifier}` };
    },
  };
}
