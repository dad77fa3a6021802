import { describe, expect, it } from '@jest/globals';
import {
  asksForHelp,
  brokerList,
  choice,
  describeOptions,
  flag,
  integer,
  optional,
  parseCommandLine,
  repeatable,
  required,
  text,
  withDefault,
} from '../../src/cli/options.ts';
import { UsageError } from '../../src/errors.ts';

const TABLE = {
  'bootstrap-server': required(brokerList, 'Where.', ['broker-list']),
  topic: optional(text('TOPIC'), 'What.'),
  acks: withDefault(integer('ACKS', -1, 1), -1, 'How sure.'),
  mode: withDefault(choice('MODE', ['classic', 'consumer'], true), 'classic', 'Which.'),
  verbose: flag('More.'),
  'producer.config': optional(text('FILE'), 'A file.'),
  tag: repeatable(text('TAG'), 'Some.'),
};

const SERVER = ['--bootstrap-server', 'a:1'];
const parse = (...args: string[]) => parseCommandLine(TABLE, args);

describe('a command line', () => {
  it('gives values of their types, and what is not there its default', () => {
    expect(parse(...SERVER)).toEqual({
      'bootstrap-server': ['a:1'],
      topic: undefined,
      acks: -1,
      mode: 'classic',
      verbose: false,
      'producer.config': undefined,
      tag: [],
    });
    expect(
      parse(
        ...[
          '--bootstrap-server=a:1, b:2,',
          '--topic',
          't',
          '--acks',
          '-1',
          '--verbose',
          '--mode',
          'CONSUMER',
        ],
        ...['--producer.config', '/x', '--tag', '1', '--tag=-2'],
      ),
    ).toEqual({
      'bootstrap-server': ['a:1', 'b:2'],
      topic: 't',
      acks: -1,
      mode: 'consumer',
      verbose: true,
      'producer.config': '/x',
      tag: ['1', '-2'],
    });
  });

  it('knows options by other names', () => {
    expect(parse('--broker-list', 'z:9')['bootstrap-server']).toEqual(['z:9']);
  });

  it.each([
    [[], '--bootstrap-server is required'],
    [[...SERVER, '--topik', 'x'], 'there is no option --topik'],
    [[...SERVER, '--top', 'x'], 'there is no option --top; did you mean --topic?'],
    [
      [...SERVER, '--producer-config', 'x'],
      'there is no option --producer-config; did you mean --producer.config?',
    ],
    [[...SERVER, '-t'], 'there is no option -t'],
    [[...SERVER, 'x'], "'x' belongs to no option; options are written --name value"],
    [[...SERVER, '--topic'], '--topic needs a value: --topic TOPIC'],
    [[...SERVER, '--topic', '--verbose'], '--topic needs a value: --topic TOPIC'],
    [[...SERVER, '--topic='], '--topic must not be empty'],
    [[...SERVER, '--topic', 'a', '--topic', 'b'], '--topic is given twice'],
    [[...SERVER, '--broker-list', 'b:1'], '--broker-list is given twice'],
    [[...SERVER, '--verbose=yes'], '--verbose takes no value'],
    [[...SERVER, '--acks', '2'], "--acks must be a whole number from -1 to 1, not '2'"],
    [[...SERVER, '--acks', 'all'], "--acks must be a whole number from -1 to 1, not 'all'"],
    [[...SERVER, '--acks', '1.0'], "--acks must be a whole number from -1 to 1, not '1.0'"],
    [[...SERVER, '--acks', ' '], "--acks must be a whole number from -1 to 1, not ' '"],
    [[...SERVER, '--mode', 'x'], "--mode must be one of classic, consumer, not 'x'"],
    [['--bootstrap-server', ','], '--bootstrap-server must name at least one broker as host:port'],
  ] as const)('%j is refused, and says why', (args, message) => {
    expect(() => parse(...args)).toThrow(new UsageError(message));
  });

  it('asks for help anywhere but behind --', () => {
    expect(asksForHelp(['--topic', 'x', '--help'])).toBe(true);
    expect(asksForHelp(['-h'])).toBe(true);
    expect(asksForHelp(['--', '--help'])).toBe(false);
  });
});

describe('the help', () => {
  it('lists every option with its value, its other names, and its default', () => {
    const help = describeOptions(TABLE);
    expect(help).toContain('--bootstrap-server, --broker-list HOST1:PORT1[,HOST2:PORT2[...]]\n');
    expect(help).toMatch(/--acks ACKS {2,}How sure\. \(default -1\)/);
    expect(help).toMatch(/--tag TAG {2,}Some\. \(may be repeated\)/);
    expect(help).toMatch(/--verbose {2,}More\.\n/);
    expect(help).toContain('Where. (required)');
    expect(help.split('\n').every((line) => line.length <= 100)).toBe(true);
  });
});
