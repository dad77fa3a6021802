// Certificates for brokers and clients of tests, made with the openssl command.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** Key and certificates in one file, as Kafka's PEM key stores want them. */
  readonly file: string;
}

export interface Issuing {
  /** As of a subjectAltName: 'DNS:localhost,IP:127.0.0.1'. */
  readonly names?: string;
  /** Negative for one that has expired. */
  readonly days?: number;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** An authority, and what it signs. */
export class Authority {
  readonly cert: string;
  readonly file: string;
  readonly folder = mkdtempSync(path.join(tmpdir(), 'sluice-ca-'));

  constructor() {
    this.openssl(
      'req',
      '-x509',
      ...NEW_KEY,
      '-days',
      '2',
      '-subj',
      '/CN=authority',
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
    );
    this.file = path.join(this.folder, 'ca.crt');
    this.cert = readFileSync(this.file, 'utf8');
  }

  issue(name: string, { names = 'DNS:localhost,IP:127.0.0.1', days = 2 }: Issuing = {}): Certificate {
    writeFileSync(path.join(this.folder, 'names'), `subjectAltName=${names}\n`);
    this.openssl('req', ...NEW_KEY, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const by = [
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      `${days}`,
      '-extfile',
      'names',
    ];
    this.openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.crt`, ...by);
    const key = readFileSync(path.join(this.folder, `${name}.key`), 'utf8');
    const cert = readFileSync(path.join(this.folder, `${name}.crt`), 'utf8');
    const file = path.join(this.folder, `${name}.pem`);
    writeFileSync(file, key + cert + this.cert);
    return { key, cert, file };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: 'ignore' });
  }
}
