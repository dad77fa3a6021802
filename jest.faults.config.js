// Long runs on a real Kafka: kills, stalls, stops, rebalances under load. SLUICE_FAULTS=short runs each in its short form.
/** @type {import('jest').Config} */
export default {
  maxWorkers: 1,
  testSequencer: '<rootDir>/test/helpers/longest-first.cjs',
  testTimeout: 900_000,
  reporters: ['default', '<rootDir>/test/helpers/closing-line.cjs'],
  testMatch: ['<rootDir>/test/faults/**/*.test.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023' } }] },
  globalSetup: '<rootDir>/test/helpers/kafka/choose-broker.ts',
  globalTeardown: '<rootDir>/test/helpers/kafka/stop-broker.ts',
};
