// The import rule: folder = layer, and imports point one way. `rows` is the order; each may import the rows before it and itself.
const rows = [
  ['errors', '^src/errors\\.ts$'],
  ['core/base', '^src/core/((clock|on-abort|joined-signal)\\.ts$|events/)'],
  ['core/protocol', '^src/core/protocol/'],
  ['core/compression', '^src/core/compression/'],
  ['core/records', '^src/core/records/'],
  ['core/security', '^src/core/security/'],
  ['core/network', '^src/core/network/'],
  ['core/options', '^src/core/options\\.ts$'],
  ['core/cluster', '^src/core/cluster/'],
  ['core/clients', '^src/core/(producer|consumer|admin)/'],
  ['core/group', '^src/core/group/'],
  ['core/offsets', '^src/core/offsets/'],
  ['core/transactions', '^src/core/transactions/'],
  ['core/client', '^src/core/(client|stream-client|index)\\.ts$'],
  ['flow', '^src/flow/'],
  ['stages', '^src/(operators|sources|sinks|serdes|registry)/'],
  ['topology', '^src/topology/'],
  ['kafkajs', '^src/kafkajs/'],
  ['index', '^src/index\\.ts$'],
  ['metrics', '^src/metrics/'],
  ['cli', '^src/cli/'],
];

const upward = rows.slice(0, -1).map(([name, path], at) => ({
  name: `${name}-imports-downwards-only`,
  comment: `${name} may not import a layer above it`,
  severity: 'error',
  from: { path },
  to: { path: rows.slice(at + 1).map(([, above]) => above) },
}));

module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'core-knows-no-rxjs',
      severity: 'error',
      from: { path: '^src/(core/|errors)' },
      to: { path: 'node_modules/rxjs' },
    },
    {
      name: 'clients-not-each-other',
      severity: 'error',
      from: { path: '^src/core/(producer|consumer|admin)/' },
      to: { path: '^src/core/(producer|consumer|admin)/', pathNot: '^src/core/$1/' },
    },
    {
      name: 'operators-know-only-flow',
      severity: 'error',
      from: { path: '^src/operators/' },
      to: {
        path: '^src/(core/(?!clock|on-abort)|sources|sinks|topology)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'nothing-imports-testing',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(testing|cli)/' },
      to: { path: '^src/testing/' },
    },
    {
      name: 'nothing-imports-cli',
      comment: 'it is a program, not a part of one',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'cli-uses-what-is-public',
      comment:
        'the commands show what users can do; the box alone is loaded without the rest of sluice/testing, for its start-up time',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: {
        path: '^src/(core|flow|operators|sources|sinks|serdes|topology|testing)/',
        pathNot: '^src/(core/(index|clock)|testing/broker/(create-broker|options))\\.ts$',
      },
    },
    {
      name: 'metrics-only-listen',
      comment: 'they know the events and nothing of those who publish them',
      severity: 'error',
      from: { path: '^src/metrics/' },
      to: { path: '^src/', pathNot: '^src/(metrics/|core/(clock\\.ts$|events/)|errors\\.ts$)' },
    },
    {
      name: 'kafkajs-is-the-user-s',
      comment: 'its types alone: the instance, and with it the module, is what the user hands over',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: 'node_modules/kafkajs', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'src-stands-alone',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|examples|bench|scripts)/' },
    },
    {
      name: 'no-dev-dependencies-in-src',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev'],
        pathNot: 'node_modules/(rxjs|lz4-napi|@bokuweb/zstd-wasm|kafkajs|avsc|ajv|@opentelemetry/api)/',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: 'specify',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
