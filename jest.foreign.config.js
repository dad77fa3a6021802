// Other people's clients take twelve steps each on the broker in the box; on a real Kafka with SLUICE_BROKER=4.3.1 or 3.9.
/** @type {import('jest').Config} */
export default {
  // Each file has a broker of its own, and most of the time waits for sessions to end.
  maxWorkers: 2,
  testTimeout: 90_000,
  testSequencer: '<rootDir>/test/helpers/longest-first.cjs',
  reporters: ['default', '<rootDir>/test/helpers/closing-line.cjs'],
  testMatch: ['<rootDir>/test/foreign/*.test.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023' } }] },
  globalSetup: '<rootDir>/test/foreign/support/choose.ts',
  globalTeardown: '<rootDir>/test/helpers/kafka/stop-broker.ts',
};
