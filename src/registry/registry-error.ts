import { KafkaError } from '../errors.ts';

/** What a {@link RegistryError} is about. */
export interface RegistryErrorDetails {
  readonly retriable: boolean;
  readonly status?: number | undefined;
  readonly registryCode?: number | undefined;
  readonly subject?: string | undefined;
  readonly schemaId?: number | string | undefined;
  readonly cause?: unknown;
}

/**
 * The schema registry did not give or take a schema: not reached in time, refused, unknown, incompatible. `retriable` is true where the same may succeed later. Never
 * has a secret in it.
 */
export class RegistryError extends KafkaError {
  readonly code = 'REGISTRY';
  /** The HTTP status; undefined when no answer came. */
  readonly status: number | undefined;
  /** The registry's own number, such as 40403 for a schema it does not have. */
  readonly registryCode: number | undefined;
  readonly subject: string | undefined;
  readonly schemaId: number | string | undefined;

  constructor(message: string, details: RegistryErrorDetails) {
    super(message, details.retriable, details.cause === undefined ? undefined : { cause: details.cause });
    this.status = details.status;
    this.registryCode = details.registryCode;
    this.subject = details.subject;
    this.schemaId = details.schemaId;
  }
}
