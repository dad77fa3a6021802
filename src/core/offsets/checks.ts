import { UsageError } from '../../errors.ts';

/** Throws UsageError for what no partition can have as its next offset. */
export function checkNextOffset(offset: number): void {
  if (Number.isSafeInteger(offset) && offset >= 0) return;
  throw new UsageError(`${offset} is not an offset: give a whole number from 0`, 'offset');
}
