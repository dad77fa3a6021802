import type { ConfigDefinition, ConfigType } from './config-definition.ts';

const LONG_MAX = '9223372036854775807';

const define = (
  type: ConfigType,
  defaultValue: string,
  rest: Omit<ConfigDefinition, 'type' | 'defaultValue'> = {},
): ConfigDefinition => ({ type, defaultValue, ...rest });

const CODECS = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'];

/** The configurations of a topic in Kafka 4.3, with their defaults. What has an effect here is in `TopicConfig`. */
export const TOPIC_CONFIGS: ReadonlyMap<string, ConfigDefinition> = new Map([
  [
    'cleanup.policy',
    define('LIST', 'delete', { words: ['compact', 'delete'], synonym: 'log.cleanup.policy' }),
  ],
  ['compression.gzip.level', define('INT', '-1', { synonym: 'compression.gzip.level' })],
  ['compression.lz4.level', define('INT', '9', { synonym: 'compression.lz4.level' })],
  ['compression.type', define('STRING', 'producer', { words: CODECS, synonym: 'compression.type' })],
  ['compression.zstd.level', define('INT', '3', { synonym: 'compression.zstd.level' })],
  ['delete.retention.ms', define('LONG', '86400000', { min: 0, synonym: 'log.cleaner.delete.retention.ms' })],
  ['file.delete.delay.ms', define('LONG', '60000', { min: 0, synonym: 'log.segment.delete.delay.ms' })],
  ['flush.messages', define('LONG', LONG_MAX, { min: 1, synonym: 'log.flush.interval.messages' })],
  ['flush.ms', define('LONG', LONG_MAX, { min: 0 })],
  ['follower.replication.throttled.replicas', define('LIST', '')],
  ['index.interval.bytes', define('INT', '4096', { min: 0, synonym: 'log.index.interval.bytes' })],
  ['leader.replication.throttled.replicas', define('LIST', '')],
  ['local.retention.bytes', define('LONG', '-2', { min: -2, synonym: 'log.local.retention.bytes' })],
  ['local.retention.ms', define('LONG', '-2', { min: -2, synonym: 'log.local.retention.ms' })],
  [
    'max.compaction.lag.ms',
    define('LONG', LONG_MAX, { min: 1, synonym: 'log.cleaner.max.compaction.lag.ms' }),
  ],
  ['max.message.bytes', define('INT', '1048588', { min: 0, synonym: 'message.max.bytes' })],
  [
    'message.timestamp.after.max.ms',
    define('LONG', '3600000', { min: 0, synonym: 'log.message.timestamp.after.max.ms' }),
  ],
  [
    'message.timestamp.before.max.ms',
    define('LONG', LONG_MAX, { min: 0, synonym: 'log.message.timestamp.before.max.ms' }),
  ],
  [
    'message.timestamp.type',
    define('STRING', 'CreateTime', {
      words: ['CreateTime', 'LogAppendTime'],
      synonym: 'log.message.timestamp.type',
    }),
  ],
  [
    'min.cleanable.dirty.ratio',
    define('DOUBLE', '0.5', { min: 0, synonym: 'log.cleaner.min.cleanable.ratio' }),
  ],
  ['min.compaction.lag.ms', define('LONG', '0', { min: 0, synonym: 'log.cleaner.min.compaction.lag.ms' })],
  ['min.insync.replicas', define('INT', '1', { min: 1, synonym: 'min.insync.replicas' })],
  ['preallocate', define('BOOLEAN', 'false', { synonym: 'log.preallocate' })],
  ['remote.log.copy.disable', define('BOOLEAN', 'false')],
  ['remote.log.delete.on.disable', define('BOOLEAN', 'false')],
  ['remote.storage.enable', define('BOOLEAN', 'false')],
  ['retention.bytes', define('LONG', '-1', { synonym: 'log.retention.bytes' })],
  ['retention.ms', define('LONG', '604800000', { min: -1, synonym: 'log.retention.ms' })],
  ['segment.bytes', define('INT', '1073741824', { min: 1048576, synonym: 'log.segment.bytes' })],
  ['segment.index.bytes', define('INT', '10485760', { min: 4, synonym: 'log.index.size.max.bytes' })],
  ['segment.jitter.ms', define('LONG', '0', { min: 0 })],
  ['segment.ms', define('LONG', '604800000', { min: 1 })],
  [
    'unclean.leader.election.enable',
    define('BOOLEAN', 'false', { synonym: 'unclean.leader.election.enable' }),
  ],
]);
