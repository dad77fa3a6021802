// Programs of examples/ import the package by its name.
const moduleNameMapper = { '^sluice$': '<rootDir>/src/index.ts' };
const transform = { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023' } }] };

/** @type {import('jest').Config} */
export default {
  maxWorkers: 2,
  testTimeout: 300_000,
  testSequencer: '<rootDir>/test/helpers/longest-first.cjs',
  reporters: ['default', '<rootDir>/test/helpers/closing-line.cjs'],
  projects: [
    {
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['<rootDir>/test/(integration|rows|faults|foreign|packaging)/'],
      transform,
      moduleNameMapper,
    },
    {
      displayName: 'integration',
      testMatch: ['<rootDir>/test/(integration|rows|packaging)/**/*.test.ts'],
      transform,
      moduleNameMapper,
      globalSetup: '<rootDir>/test/helpers/kafka/choose-broker.ts',
      globalTeardown: '<rootDir>/test/helpers/kafka/stop-broker.ts',
    },
  ],
};
