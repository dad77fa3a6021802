/** What came of a token: another one is awaited, the client is who it says, or it is not. */
export type SaslStep =
  | { readonly kind: 'more'; readonly token: Buffer }
  | {
      readonly kind: 'done';
      readonly token: Buffer;
      readonly principal: string;
      readonly expiresAtMs?: number | undefined;
    }
  | {
      readonly kind: 'failed';
      /** What the client may know; without it, that its credentials are not good. */
      readonly message?: string;
    };

/** One run of a mechanism. */
export interface SaslExchange {
  step(token: Buffer): SaslStep;
}

export const NO_TOKEN = Buffer.alloc(0);

export const AUTHORIZATION_DIFFERS =
  'Authentication failed: Client requested an authorization id that is different from username';
