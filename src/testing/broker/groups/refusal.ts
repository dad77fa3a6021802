import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { Refusal } from '../log/check-batch.ts';

export type { Refusal } from '../log/check-batch.ts';

export function refuse(name: keyof typeof ERRORS, message: string | null = null): Refusal {
  return { code: ERRORS[name], message };
}

export function isRefusal(value: object | undefined): value is Refusal {
  return value !== undefined && 'code' in value;
}
