import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = path.resolve(__dirname, '../..');
const node = (...args: string[]): string =>
  execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' });

const EXPECTED: { readonly [entry: string]: readonly string[] } = {
  sluice: ['Kafka', 'topology', 'sluice', 'fromReadable', 'text', 'json', 'map', 'isKafkaError'],
  'sluice/operators': ['map', 'filter', 'mapAsync', 'batch', 'settle', 'retry'],
  'sluice/kafkajs': ['kafkajs'],
  'sluice/registry': ['schemaRegistry', 'avro', 'jsonSchema', 'RegistryError', 'topicName'],
  'sluice/core': ['Kafka', 'Producer', 'GroupConsumer', 'Admin'],
  'sluice/metrics': ['collectMetrics', 'exportMetrics'],
  'sluice/testing': [
    'createBroker',
    'testFlow',
    'testTopology',
    'record',
    'MockProducer',
    'MockConsumer',
    'MockGroup',
  ],
};

describe('the built package', () => {
  it.each(Object.keys(EXPECTED))('%s can be imported and required', (entry) => {
    const imported = node(
      '--input-type=module',
      '-e',
      `console.log(Object.keys(await import('${entry}')).join())`,
    );
    const required = node('-e', `console.log(Object.keys(require('${entry}')).join())`);
    for (const name of EXPECTED[entry]!) {
      expect(imported.trim().split(',')).toContain(name);
      expect(required.trim().split(',')).toContain(name);
    }
  });

  it('imports of the core load no RxJS', () => {
    const loaded = node(
      '-e',
      `require('sluice/core'); console.log(Object.keys(require.cache).filter((file) => /node_modules.rxjs/.test(file)).length)`,
    );
    expect(loaded.trim()).toBe('0');
  });

  it('names files that exist', () => {
    const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      exports: Record<string, { types: string; default: string } | string>;
    };
    for (const target of Object.values(exports)) {
      for (const file of typeof target === 'string' ? [target] : Object.values(target)) {
        expect(existsSync(path.join(root, file))).toBe(true);
      }
    }
  });

  it('lets the event loop end by itself when nothing is in use', () => {
    const started = Date.now();
    node(
      '--input-type=module',
      '-e',
      `import { Kafka } from 'sluice'; new Kafka({ brokers: ['127.0.0.1:1'] });`,
    );
    expect(Date.now() - started).toBeLessThan(50_000);
  });
});
