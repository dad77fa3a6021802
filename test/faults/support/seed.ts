import { short } from '../../helpers/brokers.ts';

/** What a schedule is made of: SLUICE_SEED, which plays one again; without it `usual` in the short form, and another each time in the long one. */
export function seedOf(usual: number): number {
  const given = process.env['SLUICE_SEED'];
  if (given === undefined || given === '') return short ? usual : Date.now() % 1_000_000;
  const seed = Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`SLUICE_SEED is a whole number, not '${given}'`);
  return seed;
}
