// fast-check as every test here imports it: a run draws the same cases as the one before, others with SLUICE_PROPERTY_SEED.
import { configureGlobal } from 'fast-check';

export * as fc from 'fast-check';

configureGlobal({ seed: Number(process.env['SLUICE_PROPERTY_SEED'] ?? 1) });
