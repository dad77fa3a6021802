// Where Kafka Streams comes from, for the golden files of windows: Maven Central, copied once into .cache/, or a folder the user names.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const VERSION = '4.3.1';
const MAVEN_TIMEOUT_MS = 300_000;

const pom = `<project><modelVersion>4.0.0</modelVersion><groupId>sluice</groupId><artifactId>streams-jars</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-streams-test-utils</artifactId><version>${VERSION}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
</dependencies></project>`;

/** The folder with the jars of kafka-streams-test-utils, fetched with Maven when it is not there yet. */
export function streamsLib(): string {
  const named = process.env['STREAMS_LIB'];
  if (named !== undefined && named !== '') return path.resolve(named);
  const lib = path.resolve('.cache', `kafka-streams-${VERSION}`);
  if (existsSync(lib) && readdirSync(lib).length > 5) return lib;
  const fresh = `${lib}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  writeFileSync(path.join(fresh, 'pom.xml'), pom);
  const args = ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${path.join(fresh, 'lib')}`];
  execFileSync('mvn', args, {
    cwd: fresh,
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: MAVEN_TIMEOUT_MS,
  });
  rmSync(lib, { recursive: true, force: true });
  renameSync(path.join(fresh, 'lib'), lib);
  rmSync(fresh, { recursive: true, force: true });
  return lib;
}
