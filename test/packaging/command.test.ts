// The package as npm packs it, unpacked into a project of its own: `npx sluice` finds the command and the command finds its code.
import { execFileSync, spawn } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/index.ts';

const root = path.resolve(__dirname, '../..');

let project: string;
let files: string[];

const npm = (...args: string[]): string =>
  execFileSync('npm', args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

beforeAll(() => {
  project = mkdtempSync(path.join(os.tmpdir(), 'sluice-project-'));
  const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  writeFileSync(path.join(project, 'package.json'), '{"name":"project","version":"1.0.0","private":true}');
  const modules = path.join(project, 'node_modules');
  const own = path.join(modules, 'sluice');
  mkdirSync(own, { recursive: true });
  const [packed] = JSON.parse(npm('pack', root, '--json', '--pack-destination', project)) as {
    filename: string;
    files: { path: string }[];
  }[];
  files = packed!.files.map((file) => file.path);
  execFileSync('tar', ['-xzf', path.join(project, packed!.filename), '-C', own, '--strip-components=1']);
  // What an installation would have brought, without asking the registry.
  for (const name of Object.keys(dependencies)) {
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
    symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
  }
  npm('rebuild', '--ignore-scripts', '--offline', 'sluice');
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

describe('the packed package', () => {
  it('holds the command, and no tests or sources', () => {
    expect(files).toContain('dist/cli/main.js');
    expect(files.filter((file) => !/^(dist\/|README|CHANGELOG|LICENSE|package\.json)/.test(file))).toEqual(
      [],
    );
    expect(lstatSync(path.join(project, 'node_modules/.bin/sluice')).isSymbolicLink()).toBe(true);
  });

  it('runs by npx: its version, and a broker that a client can use', async () => {
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(npm('exec', '--offline', '--', 'sluice', '--version').trim()).toBe(version);
    const child = spawn('npx', ['--offline', 'sluice', 'broker', '--port', '0', '--topic', 'packed:2'], {
      cwd: project,
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    try {
      const address = await new Promise<string>((resolve) =>
        child.stdout.once('data', (line: Buffer) => resolve(line.toString().trim())),
      );
      expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
      const kafka = new Kafka({ brokers: [address] });
      const [topic] = await kafka.admin().describeTopics(['packed']);
      expect(topic!.partitions).toHaveLength(2);
      await kafka.close();
    } finally {
      // npx and what it started, which is a process group of its own.
      process.kill(-child.pid!, 'SIGTERM');
      await ended;
    }
  });

  it('starts the broker without loading RxJS or the client', async () => {
    const coverage = path.join(project, 'coverage');
    const main = path.join(project, 'node_modules/sluice/dist/cli/main.js');
    const child = spawn(process.execPath, [main, 'broker', '--port', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_V8_COVERAGE: coverage },
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    child.stdout.once('data', () => child.kill('SIGTERM'));
    expect(await ended).toBe(0);
    const loaded = readdirSync(coverage).flatMap((name) => {
      const { result } = JSON.parse(readFileSync(path.join(coverage, name), 'utf8')) as {
        result: { url: string }[];
      };
      return result.map(({ url }) => url).filter((url) => url.startsWith('file:'));
    });
    expect(loaded.some((url) => url.endsWith('/testing/broker/create-broker.js'))).toBe(true);
    const client =
      /rxjs|\/(flow|operators|sources|sinks|topology)\/|\/core\/(producer|consumer|group|admin|cluster)\//;
    expect(loaded.filter((url) => client.test(url.split('/node_modules/').at(-1)!))).toEqual([]);
  });
});
