import { describe, expect, it } from '@jest/globals';
import {
  MAX_ITERATIONS,
  ScramExchange,
  ScramKeys,
  type ScramDigest,
} from '../../../src/core/security/scram.ts';

const exchange = (digest: ScramDigest, username: string, password: string, nonce?: string): ScramExchange =>
  new ScramExchange({ digest, username, password, nonce, keys: new ScramKeys() });

const said = (token: Uint8Array | undefined): string => Buffer.from(token!).toString();

/** The published exchange of RFC 7677, section 3. */
const NONCE = 'rOprNGfwEbeRWgbNEkqO';
const FIRST = `r=${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;

describe('SCRAM', () => {
  it('speaks as RFC 7677 shows it', () => {
    const client = exchange('sha256', 'user', 'pencil', NONCE);
    expect(said(client.begin())).toBe(`n,,n=user,r=${NONCE}`);
    expect(said(client.next(Buffer.from(FIRST)))).toBe(
      `c=biws,r=${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
    );
    expect(client.next(Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='))).toBeUndefined();
  });

  it('escapes names, and takes another nonce each time', () => {
    const [one, other] = [exchange('sha512', 'a=b,c', 'x'), exchange('sha512', 'a=b,c', 'x')];
    expect(said(one.begin())).toMatch(/^n,,n=a=3Db=2Cc,r=[A-Za-z0-9+/]{32}$/);
    expect(said(one.begin())).not.toBe(said(other.begin()));
  });

  it.each<[string, string, RegExp]>([
    ['nothing', '', /no SCRAM message/],
    ['no SCRAM', 'hello', /no SCRAM message/],
    ['an error', 'e=unknown-user', /it says: unknown-user/],
    ['an extension it must understand', `m=x,${FIRST}`, /no SCRAM message/],
    ["somebody else's nonce", FIRST.replace('rOpr', 'xOpr'), /belongs to another exchange/],
    ['no nonce of its own', `r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`, /belongs to another exchange/],
    ['too few iterations', FIRST.replace('4096', '4095'), /4095 iterations; from 4096 to 65536/],
    ['too many iterations', FIRST.replace('4096', String(MAX_ITERATIONS + 1)), /65537 iterations/],
    ['endless iterations', FIRST.replace('4096', '9999999999'), /9999999999 iterations/],
    ['a negative count', FIRST.replace('4096', '-1'), /no SCRAM message/],
    ['a megabyte', `r=${'x'.repeat(1_000_000)}`, /no SCRAM message/],
  ])('refuses a first message with %s', (_, first, message) => {
    const client = exchange('sha256', 'user', 'pencil', NONCE);
    client.begin();
    expect(() => client.next(Buffer.from(first))).toThrow(message);
  });

  it.each<[string, string, RegExp]>([
    ['a signature of another password', `v=${Buffer.alloc(32, 7).toString('base64')}`, /signature is wrong/],
    ['a short signature', 'v=AAAA', /signature is wrong/],
    ['no signature', 'ok', /final message is no SCRAM message/],
    ['an error', 'e=other-error', /it says: other-error/],
  ])('does not believe a broker with %s', (_, final, message) => {
    const client = exchange('sha256', 'user', 'pencil', NONCE);
    client.begin();
    client.next(Buffer.from(FIRST));
    expect(() => client.next(Buffer.from(final))).toThrow(message);
  });

  it('derives its keys once for one salt', () => {
    const keys = new ScramKeys();
    const first = keys.derive('sha256', 'pencil', 'W22ZaJ0SNY7soEsUEjb6gQ==', 4096);
    expect(keys.derive('sha256', 'pencil', 'W22ZaJ0SNY7soEsUEjb6gQ==', 4096)).toBe(first);
    expect(keys.derive('sha256', 'pen', 'W22ZaJ0SNY7soEsUEjb6gQ==', 4096)).not.toBe(first);
    expect(keys.derive('sha256', 'pencil', 'W22ZaJ0SNY7soEsUEjb6gA==', 4096)).not.toBe(first);
  });
});
