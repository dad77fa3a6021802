import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { NO_TOKEN } from './sasl-exchange.ts';
import type { SaslExchange, SaslStep } from './sasl-exchange.ts';
import { MIN_ITERATIONS, SCRAM_DIGESTS } from './scram-credential.ts';
import type { ScramMechanism } from './scram-credential.ts';
import type { ClusterState } from '../state/cluster-state.ts';
import type { SaslServer } from './sasl-server.ts';

/** The answer to SaslHandshake. */
export interface HandshakeAnswer {
  readonly errorCode: number;
  readonly mechanisms: readonly string[];
}

/** The answer to SaslAuthenticate. */
export interface AuthenticateAnswer {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly authBytes: Buffer;
  readonly sessionLifetimeMs: number;
}

/** What may be done with a request: serve it, say that it comes at the wrong time and close, or only close. */
export type Admission = 'serve' | 'refuse' | 'close';

const ANONYMOUS = 'ANONYMOUS';
const isScram = (mechanism: string): boolean => mechanism in SCRAM_DIGESTS;
const API_VERSIONS = 18;
const SASL_HANDSHAKE = 17;
const SASL_AUTHENTICATE = 36;
const MIN_REAUTH_INTERVAL_MS = 1000;
const AFTER_AUTHENTICATION = 'SaslAuthenticate request received after successful authentication';

type State = 'handshakeOrVersions' | 'handshake' | 'authenticate' | 'complete' | 'failed';

interface Identity {
  readonly principal: string;
  readonly mechanism: string;
}

/** How far one connection has come in proving who it is (Kafka's SaslServerAuthenticator). Without a server nobody need prove anything. */
export class SaslSession {
  readonly #server: SaslServer | undefined;
  #state: State;
  #exchange: SaslExchange | undefined;
  #mechanism = '';
  /** Tokens come bare, without a request around them, after version 0 of the handshake. */
  #isBare = false;
  #identity: Identity | undefined;
  #expiresAtMs = Infinity;
  #lastReauthMs = -Infinity;

  constructor(server: SaslServer | undefined) {
    this.#server = server;
    this.#state = server === undefined ? 'complete' : 'handshakeOrVersions';
  }

  /** The connection has nothing more to say: it closes when the last answer is sent. */
  get isFailed(): boolean {
    return this.#state === 'failed';
  }

  /** It has proved who it is, at least once. */
  get isKnown(): boolean {
    return this.#server === undefined || this.#identity !== undefined;
  }

  /** Who it is. */
  get principal(): string {
    return this.#identity?.principal ?? ANONYMOUS;
  }

  /** Users whose passwords the cluster was given at its start. */
  get usersWithPasswords(): readonly string[] {
    return this.#server?.mechanisms.some(isScram) === true ? this.#server.users : [];
  }

  /** The iterations of a user's credential for a mechanism, undefined when it has none. */
  scramIterations(
    { scramUsers }: Pick<ClusterState, 'scramUsers'>,
    user: string,
    mechanism: ScramMechanism,
  ): number | undefined {
    const stored = scramUsers.get(user);
    if (stored?.has(mechanism) === true) return stored.get(mechanism)?.iterations;
    const isGiven =
      this.#server?.mechanisms.includes(mechanism) === true && this.#server.users.includes(user);
    return isGiven ? MIN_ITERATIONS : undefined;
  }

  /** The next frame is a token and no request. */
  get takesToken(): boolean {
    return this.#state === 'authenticate' && this.#isBare;
  }

  admit(apiKey: number, isUnknownVersion: boolean): Admission {
    switch (this.#state) {
      case 'handshakeOrVersions':
        if (apiKey === API_VERSIONS && !isUnknownVersion) this.#state = 'handshake';
        return apiKey === API_VERSIONS || apiKey === SASL_HANDSHAKE ? 'serve' : 'close';
      case 'handshake':
        return apiKey === SASL_HANDSHAKE ? 'serve' : 'close';
      case 'authenticate':
        if (apiKey === SASL_AUTHENTICATE) return 'serve';
        this.#state = 'failed';
        return 'refuse';
      case 'complete':
        if (this.#server === undefined || this.#now < this.#expiresAtMs) return 'serve';
        return apiKey === SASL_HANDSHAKE && this.#mayReauthenticate ? 'serve' : 'close';
      case 'failed':
        return 'close';
    }
  }

  handshake(mechanism: string, version: number): HandshakeAnswer {
    const server = this.#server;
    const isFirst = this.#state === 'handshakeOrVersions' || this.#state === 'handshake';
    if (server === undefined || (!isFirst && !this.#mayReauthenticate)) {
      return { errorCode: ERRORS.ILLEGAL_SASL_STATE, mechanisms: [] };
    }
    if (this.#identity !== undefined) this.#lastReauthMs = this.#now;
    this.#exchange = server.start(mechanism);
    if (this.#exchange === undefined) {
      this.#state = 'failed';
      return { errorCode: ERRORS.UNSUPPORTED_SASL_MECHANISM, mechanisms: server.mechanisms };
    }
    this.#mechanism = mechanism;
    this.#isBare = version === 0;
    this.#state = 'authenticate';
    return { errorCode: ERRORS.NONE, mechanisms: server.mechanisms };
  }

  authenticate(token: Buffer): AuthenticateAnswer {
    if (this.#state !== 'authenticate') return failure(ERRORS.ILLEGAL_SASL_STATE, AFTER_AUTHENTICATION);
    const step = this.#step(token);
    if (step.kind === 'more') {
      return { errorCode: ERRORS.NONE, errorMessage: '', authBytes: step.token, sessionLifetimeMs: 0 };
    }
    if (step.kind === 'failed') {
      this.#state = 'failed';
      return failure(ERRORS.SASL_AUTHENTICATION_FAILED, step.message ?? this.#badCredentials());
    }
    return {
      errorCode: ERRORS.NONE,
      errorMessage: '',
      authBytes: step.token,
      sessionLifetimeMs: this.#complete(step.principal, step.expiresAtMs),
    };
  }

  #step(token: Buffer): SaslStep {
    const known = this.#identity;
    if (known !== undefined && known.mechanism !== this.#mechanism) {
      const message = `SASL mechanism '${this.#mechanism}' requested by client is not supported for re-authentication of mechanism '${known.mechanism}'`;
      return { kind: 'failed', message };
    }
    const step = this.#exchange!.step(token);
    if (step.kind === 'done' && known !== undefined && known.principal !== step.principal) {
      const message = `Cannot change principals during re-authentication from User.${known.principal}: User.${step.principal}`;
      return { kind: 'failed', message };
    }
    return step;
  }

  /** Returns how long the session lasts, 0 for ever. */
  #complete(principal: string, tokenExpiresAtMs: number | undefined): number {
    const { clock, maxReauthMs } = this.#server!;
    this.#state = 'complete';
    this.#exchange = undefined;
    this.#identity = { principal, mechanism: this.#mechanism };
    const byToken = tokenExpiresAtMs === undefined ? Infinity : tokenExpiresAtMs - clock.wallNow();
    const lifetimeMs = Math.min(maxReauthMs > 0 ? maxReauthMs : Infinity, byToken);
    this.#expiresAtMs = this.#now + lifetimeMs;
    return lifetimeMs === Infinity ? 0 : Math.max(0, Math.floor(lifetimeMs));
  }

  /** Only a session that ends can be renewed, and not more often than once a second. */
  get #mayReauthenticate(): boolean {
    if (this.#state !== 'complete' || this.#expiresAtMs === Infinity) return false;
    return this.#now - this.#lastReauthMs >= MIN_REAUTH_INTERVAL_MS;
  }

  get #now(): number {
    return this.#server?.clock.now() ?? 0;
  }

  #badCredentials(): string {
    const what = this.#identity === undefined ? 'authentication' : 're-authentication';
    return `Authentication failed during ${what} due to invalid credentials with SASL mechanism ${this.#mechanism}`;
  }
}

function failure(errorCode: number, errorMessage: string): AuthenticateAnswer {
  return { errorCode, errorMessage, authBytes: NO_TOKEN, sessionLifetimeMs: 0 };
}
