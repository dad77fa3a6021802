// What each client needs to run, got ready once per run. What cannot be had is missing, with the reason.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { javaAnswers, kafkaLib } from '../../helpers/kafka/jars.ts';

/** How a program is started; its arguments come after these. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The tool without which a client cannot be had. */
export interface Missing {
  readonly missing: string;
}

export type Name =
  'kafkajs' | 'platformatic' | 'rdkafka' | 'kcat' | 'java' | 'tools' | 'sarama' | 'franz' | 'codecs';

const HERE = path.join('test', 'foreign');
const CACHE = path.resolve('.cache', 'foreign');
const LIMIT_MS = 900_000;

const has = (tool: string, ...args: string[]): boolean =>
  spawnSync(tool, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;

const tsx = (program: string, env: Readonly<Record<string, string>> = {}): Command => ({
  file: process.execPath,
  args: ['--import', 'tsx', path.join(HERE, program)],
  env,
});

/** The peers of the bench, installed where it installs them, unless they are there as locked; answers with their node_modules. */
function peers(): string {
  const source = path.join('bench', 'clients', 'peers');
  const target = path.resolve('.cache', 'peers');
  const lock = path.join(source, 'package-lock.json');
  const done = path.join(target, 'installed-lock.json');
  if (!existsSync(done) || readFileSync(done, 'utf8') !== readFileSync(lock, 'utf8')) {
    mkdirSync(target, { recursive: true });
    for (const name of ['package.json', 'package-lock.json'])
      copyFileSync(path.join(source, name), path.join(target, name));
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], {
      cwd: target,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: LIMIT_MS,
    });
    copyFileSync(lock, done);
  }
  return path.join(target, 'node_modules');
}

function go(program: string): Command | Missing {
  if (!has('go', 'version')) return { missing: 'go is not installed' };
  const target = path.join(CACHE, 'go', program);
  mkdirSync(path.dirname(target), { recursive: true });
  execFileSync('go', ['build', '-o', target, `./${program}`], {
    cwd: path.join(HERE, 'go'),
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: LIMIT_MS,
  });
  return { file: target, args: [] };
}

const JVM = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];

function java(program: string): Command | Missing {
  const lib = javaAnswers() ? kafkaLib() : undefined;
  if (lib === undefined) return { missing: 'Java 17 or Maven is not installed' };
  const classes = path.join(CACHE, 'java');
  const sources = path.join(HERE, 'java');
  const files = readdirSync(sources).filter((name) => name.endsWith('.java'));
  mkdirSync(classes, { recursive: true });
  execFileSync(
    'javac',
    ['-cp', path.join(lib, '*'), '-d', classes, ...files.map((name) => path.join(sources, name))],
    { stdio: ['ignore', 'ignore', 'pipe'], timeout: LIMIT_MS },
  );
  return { file: 'java', args: [...JVM, '-cp', `${classes}:${path.join(lib, '*')}`, program] };
}

const makers: Readonly<Record<Name, () => Command | Missing>> = {
  kafkajs: () => tsx(path.join('kafkajs', 'main.ts')),
  platformatic: () => {
    if (!has('npm', '--version')) return { missing: 'npm is not installed' };
    const modules = peers();
    return {
      file: path.join(modules, 'node', 'bin', 'node'),
      args: ['--no-warnings', path.join(HERE, 'platformatic', 'main.ts')],
      env: { PACKAGES: modules },
    };
  },
  rdkafka: () => {
    if (!has('npm', '--version')) return { missing: 'npm is not installed' };
    const modules = peers();
    if (!existsSync(path.join(modules, 'node-rdkafka', 'build', 'Release', 'node-librdkafka.node')))
      return { missing: 'node-rdkafka could not be built here' };
    return tsx(path.join('rdkafka', 'main.ts'), { PACKAGES: modules });
  },
  kcat: () => (has('kcat', '-V') ? tsx(path.join('kcat', 'main.ts')) : { missing: 'kcat is not installed' }),
  java: () => java('Client'),
  tools: () => {
    const lib = javaAnswers() ? kafkaLib() : undefined;
    if (lib === undefined) return { missing: 'Java 17 or Maven is not installed' };
    return tsx(path.join('java', 'tools.ts'), { TOOLS: lib });
  },
  sarama: () => go('sarama'),
  franz: () => go('franz'),
  codecs: () => go('codecs'),
};

export const NAMES = Object.keys(makers) as readonly Name[];

/** Gets a client ready. A tool that is there but fails is a failure of the client, not its absence. */
export function prepare(name: Name): Command | Missing | { readonly failed: string } {
  try {
    return makers[name]();
  } catch (error) {
    const { stderr, message } = error as { stderr?: Buffer; message: string };
    return { failed: `${message}\n${stderr?.toString() ?? ''}`.slice(-4_000) };
  }
}
