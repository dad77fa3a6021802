// Builds and installs what does not come with the root package, into .cache.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';

const CACHE = path.resolve('.cache');
const SOURCES = path.join('bench', 'clients');
/** The lock of what was installed to the end. */
const INSTALLED = 'installed-lock.json';
const TIMEOUT_MS = 900_000;

function run(what: string, command: string, args: readonly string[], cwd = '.'): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: TIMEOUT_MS });
  if (error !== undefined) throw new Error(`${command} is not installed`);
  if (status !== 0) throw new Error(`${what} failed: ${stderr.trim().split('\n').slice(-3).join(' | ')}`);
}

/** Answers with the program. */
export function buildGo(folder: string): string {
  const target = path.join(folder, 'clients');
  mkdirSync(folder, { recursive: true });
  run('go build', 'go', ['build', '-o', target, '.'], path.join(SOURCES, 'go'));
  return target;
}

/** Answers with the folder of the classes. */
export function buildJava(folder: string, lib: string): string {
  const sources = path.join(SOURCES, 'java');
  const files = readdirSync(sources).map((name) => path.join(sources, name));
  run('javac', 'javac', ['-cp', path.join(lib, '*'), '-d', folder, ...files]);
  return folder;
}

/** The npm packages of bench/clients/peers. */
export interface Peers {
  /** The Node that @platformatic/kafka needs. */
  readonly node24: string;
  readonly hasRdkafka: boolean;
}

/** Installs the peers unless they are there as locked, and puts them where `clients` finds them. */
export function installPeers(clients: string): Peers {
  const folder = path.join(CACHE, 'peers');
  const modules = path.join(folder, 'node_modules');
  if (!isInstalled(folder)) {
    mkdirSync(folder, { recursive: true });
    for (const name of ['package.json', 'package-lock.json'])
      copyFileSync(path.join(SOURCES, 'peers', name), path.join(folder, name));
    console.log('Installing the peers into .cache/peers; the first time, librdkafka is compiled');
    run('npm ci', 'npm', ['ci', '--no-audit', '--no-fund'], folder);
    copyFileSync(path.join(folder, 'package-lock.json'), path.join(folder, INSTALLED));
  }
  symlinkSync(modules, path.join(clients, 'node_modules'));
  const addon = path.join('node-rdkafka', 'build', 'Release', 'node-librdkafka.node');
  return {
    node24: path.join(modules, 'node', 'bin', 'node'),
    hasRdkafka: existsSync(path.join(modules, addon)),
  };
}

function isInstalled(folder: string): boolean {
  const installed = path.join(folder, INSTALLED);
  const locked = path.join(SOURCES, 'peers', 'package-lock.json');
  return existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(locked, 'utf8');
}
