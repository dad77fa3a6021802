// Kafka's configuration in terms of this client: what has an equivalent is mapped, what would change the outcome is refused, the rest is named.

import { readFile } from 'node:fs/promises';
import type { KafkaOptions } from '../core/index.ts';
import { UsageError } from '../errors.ts';
import { COMMON, CONSUMER, KAFKA_NAMES, PRODUCER, type ClientConfig } from './config-table.ts';
import { parseProperties } from './properties.ts';
import { SECURITY_SETTINGS } from './security.ts';

/** Set by options of the command, which win over the file as in Kafka's tool. */
const FROM_OPTIONS: ReadonlySet<string> = new Set([
  'group.id',
  'group.instance.id',
  'group.remote.assignor',
  'enable.auto.commit',
  'auto.offset.reset',
  'partition.assignment.strategy',
]);

/** They ask for security that would silently not be there. */
const SECURITY = /^(ssl|sasl)\./;

/**
 * Adds Kafka's settings to `into`. Answers with the names that have no equivalent here and are left out.
 * @throws UsageError naming a setting that is wrong, or that asks for what the client cannot do.
 */
export function applyConfig(
  role: 'producer' | 'consumer',
  settings: ReadonlyMap<string, string>,
  into: ClientConfig,
): string[] {
  const own = role === 'producer' ? PRODUCER : CONSUMER;
  const ignored: string[] = [];
  for (const [name, value] of settings) {
    const apply = Object.hasOwn(own, name)
      ? own[name]
      : Object.hasOwn(COMMON, name)
        ? COMMON[name]
        : undefined;
    if (apply === undefined) {
      if (role === 'consumer' && FROM_OPTIONS.has(name)) continue;
      if (SECURITY_SETTINGS.has(name)) continue;
      if (SECURITY.test(name))
        throw new UsageError(
          `${name}: the command has no equivalent, and security must not be left out in silence; of TLS and SASL it knows ${[...SECURITY_SETTINGS].join(', ')}`,
          name,
        );
      ignored.push(name);
      continue;
    }
    try {
      apply(value, into);
    } catch (error) {
      if (error instanceof UsageError) throw new UsageError(`${name} ${error.message}`, name);
      throw error;
    }
  }
  const { levels, producer } = into;
  const level = levels[producer.compression ?? 'none'];
  if (level !== undefined) producer.compressionLevel = level;
  return ignored;
}

/** Reads a configuration file. @throws UsageError when it cannot be read. */
export async function readConfigFile(file: string): Promise<Map<string, string>> {
  try {
    return parseProperties(await readFile(file, 'utf8'));
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EACCES'
          ? 'it may not be read'
          : `it cannot be read (${code})`;
    throw new UsageError(`${file}: ${why}`);
  }
}

/** The options of the client. */
export function kafkaOptions(
  { kafka, retry }: ClientConfig,
  defaults: { readonly brokers: readonly string[]; readonly clientId: string },
): KafkaOptions {
  return { ...defaults, ...kafka, retry };
}

/** Runs `make`; what the client says about one of its options is said about Kafka's name for it. */
export function withKafkaNames<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const name = KAFKA_NAMES[error.option?.replace(/\[.*$/, '') ?? ''];
    if (name === undefined) throw error;
    throw new UsageError(`${name}: ${error.message}`, name, { cause: error });
  }
}
