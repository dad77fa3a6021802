// Where the jars of a real Apache Kafka come from: Maven Central, copied once into .cache/, or a folder the user names.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export const KAFKA_VERSION = process.env['SLUICE_KAFKA_VERSION'] ?? '4.3.1';
/** The newest of the last line before 4.0: the oldest brokers we are tested on. */
export const KAFKA_3_9_VERSION = '3.9.2';

const artifact = (group: string, id: string, version: string): string =>
  `<dependency><groupId>${group}</groupId><artifactId>${id}</artifactId><version>${version}</version></dependency>`;

const pomOf = (
  version: string,
): string => `<project><modelVersion>4.0.0</modelVersion><groupId>sluice</groupId><artifactId>kafka-jars</artifactId><version>1</version><dependencies>
${artifact('org.apache.kafka', 'kafka_2.13', version)}
${artifact('org.apache.kafka', 'kafka-tools', version)}
${artifact('org.slf4j', 'slf4j-simple', '1.7.36')}
</dependencies></project>`;

/** True when `command --version`-like probing succeeds. */
export function answers(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;
}

/** Java 17 or newer on the PATH. */
export function javaAnswers(): boolean {
  const { status, stderr } = spawnSync('java', ['-version'], { encoding: 'utf8', timeout: 20_000 });
  const major = /version "(?:1\.)?(\d+)/.exec(stderr ?? '')?.[1];
  return status === 0 && major !== undefined && Number(major) >= 17;
}

/** The folder with Kafka's jars, fetched with Maven when it is not there yet; undefined where neither is possible. */
export function kafkaLib(version = KAFKA_VERSION): string | undefined {
  const named = process.env['KAFKA_LIB'];
  if (named !== undefined && named !== '' && version === KAFKA_VERSION) return path.resolve(named);
  const lib = path.resolve('.cache', `kafka-${version}`);
  if (existsSync(lib) && readdirSync(lib).length > 50) return lib;
  if (!answers('mvn', ['-v'])) return undefined;
  const fresh = `${lib}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  writeFileSync(path.join(fresh, 'pom.xml'), pomOf(version));
  execFileSync(
    'mvn',
    ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${path.join(fresh, 'lib')}`],
    {
      cwd: fresh,
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 300_000,
    },
  );
  rmSync(lib, { recursive: true, force: true });
  renameSync(path.join(fresh, 'lib'), lib);
  rmSync(fresh, { recursive: true, force: true });
  return lib;
}
