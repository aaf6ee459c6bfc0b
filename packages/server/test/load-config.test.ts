import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DEFAULT_LIMITS, DeltabaseError } from '@deltabase/base';
import { NODE_OPTIONS } from '../src/config/node-options.js';
import { flagOf, type NameIn, namesOf, variableOf } from '../src/config/option-table.js';
import { type Environment, loadConfig, nodeOptionsHelp, type ServerConfig } from '../src/index.js';

type OptionName = NameIn<typeof NODE_OPTIONS>;

const folder = mkdtempSync(join(tmpdir(), 'deltabase-config-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;

/** A configuration file with this content; its path. */
function file(content: unknown): string {
  const path = join(folder, `${++files}.json`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** For each option what a file, a variable and a flag can say, all different from the default. */
const VALUES: Readonly<
  Record<OptionName, readonly [file: unknown, variable: string, flag: string]>
> = {
  cluster: ['from-file', 'from-variable', 'from-flag'],
  node: [2, '3', '4'],
  dataDir: ['file-data', 'variable-data', 'flag-data'],
  listen: ['127.0.0.1:1', '[::1]:2', 'a-host.example:3'],
  peerListen: ['127.0.0.1:4', '[::1]:5', 'a-host.example:6'],
  members: [['1=a:1/a:2', '2=b:1/b:2'], '1=c:1/c:2', '1=d:1/d:2,3=e:1/e:2'],
  join: [['a:1', 'b:1'], 'c:1', 'd:1,[::1]:2'],
  groups: [5, '6', '4096'],
  tickMs: [7, '8', '9'],
  heartbeatTicks: [3, '4', '5'],
  electionTicks: [11, '12', '13'],
  logLevel: ['debug', 'warn', 'error'],
  limits: [{ groupQueueMax: 1 }, 'groupQueueMax=2', 'groupQueueMax=3, forwardsMax=4'],
};

/** What an option came to, in the words of VALUES. */
function settingOf(config: ServerConfig, name: OptionName): unknown {
  const { timing, limits, members, ...rest } = config;
  const changed = Object.entries(limits).filter(
    ([limit, value]) => value !== DEFAULT_LIMITS[limit as keyof typeof limits],
  );
  const shown = { ...rest, ...timing, members: members.map(shownMember).join(',') };
  return name === 'limits' ? changed.map((pair) => pair.join('=')).join(', ') : String(shown[name]);
}

function shownMember({
  node,
  peerAddress,
  clientAddress,
}: ServerConfig['members'][number]): string {
  return `${node}=${peerAddress}/${clientAddress}`;
}

function asText(value: unknown): string {
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return value.join(',');
  return Object.entries(value as object)
    .map((pair) => pair.join('='))
    .join(', ');
}

/** Why a configuration is refused: one line that says so. */
function refusal(flags: readonly string[], environment: Environment = {}): string {
  try {
    loadConfig(flags, environment);
  } catch (thrown) {
    assert.ok(thrown instanceof DeltabaseError, String(thrown));
    assert.equal(thrown.code, 'INVALID_ARGUMENT');
    assert.doesNotMatch(thrown.message, /\n|undefined|\[object/);
    return thrown.message;
  }
  return assert.fail(`${flags.join(' ')} is taken`);
}

for (const name of namesOf(NODE_OPTIONS)) {
  test(`${name}: a flag goes before a variable, this before the file, this before the default`, () => {
    const [inFile, inVariable, inFlag] = VALUES[name];
    const byDefault = settingOf(loadConfig([], {}), name);
    const environment = { DELTABASE_CONFIG: file({ [name]: inFile }) };
    const given = { ...environment, [variableOf(name)]: inVariable };
    const told = [
      loadConfig([], environment),
      loadConfig([], given),
      loadConfig([flagOf(name), inFlag], given),
      loadConfig([`${flagOf(name)}=${inFlag}`], given),
    ].map((config) => settingOf(config, name));
    assert.deepEqual(told, [asText(inFile), inVariable, inFlag, inFlag]);
    assert.ok(!told.includes(byDefault as string), `${byDefault} is told from all of them`);
  });

  test(`${name}: help tells its flag, its variable and its default`, () => {
    const help = nodeOptionsHelp().replaceAll(/\s+/g, ' ');
    assert.ok(help.includes(` ${flagOf(name)} `), flagOf(name));
    const { unset, byDefault } = {
      unset: UNSET[name],
      byDefault: settingOf(loadConfig([], {}), name),
    };
    assert.ok(help.includes(`[${variableOf(name)}; default: ${unset ?? byDefault}]`), help);
  });
}

/** What help says of the options whose default is not a value of their own. */
const UNSET: Partial<Record<OptionName, string>> = {
  members: 'this node alone',
  join: 'none',
  groups: '16, or what the data or the cluster has',
  limits: 'the defaults of docs/limits.md',
};

/** For each option values that it cannot have, and what to use instead. */
const WRONG: Readonly<Record<OptionName, readonly [values: readonly unknown[], advice: RegExp]>> = {
  cluster: [
    ['', 'Upper', '-x', 'x'.repeat(64), 7],
    /: use 1 to 63 of a-z 0-9 -, and do not begin with -$/,
  ],
  node: [[0, 65_536, 1.5, -1, 'one', null, true], /use a whole number from 1 to 65535/],
  dataDir: [['', 7], /name a directory/],
  listen: [
    ['7410', 'host', 'host:65536', 'host:', '::1:7410', 7],
    /: use HOST:PORT, such as 127.0.0.1:7410$/,
  ],
  peerListen: [['7411', 'ho st:1'], /use HOST:PORT, such as/],
  members: [['1', '1=a:1', 'x=a:1/b:2', '1=a/b:2'], /write ID=PEER_HOST:PORT\/CLIENT_HOST:PORT/],
  join: [['7410', 'b', 'a:1/b:2'], /is no address: use HOST:PORT, such as 10.0.0.1:7410/],
  groups: [[0, 4097, 'many'], /use a whole number from 1 to 4096/],
  tickMs: [[0, 10_001], /use a whole number from 1 to 10000/],
  heartbeatTicks: [[0, 1001], /use a whole number from 1 to 1000/],
  electionTicks: [[1, 10_001], /use a whole number from 2 to 10000/],
  logLevel: [['trace', 'INFO'], /use one of debug, info, warn, error/],
  limits: [
    ['groupQueueMax', { groupQueueMax: 0 }, 7],
    /use (a whole number from 1 to|NAME=NUMBER)/,
  ],
};

for (const name of namesOf(NODE_OPTIONS)) {
  test(`${name}: what it cannot be is refused, naming who gave it and what to use`, () => {
    const [values, advice] = WRONG[name];
    for (const value of values) {
      const path = file({ [name]: value });
      const sources: [string, string][] = [
        [`${path}: ${name}`, refusal(['--config', path])],
        ...(typeof value !== 'string'
          ? []
          : ([
              [flagOf(name), refusal([flagOf(name), value])],
              [variableOf(name), refusal([], { [variableOf(name)]: value })],
            ] as [string, string][])),
      ];
      for (const [source, why] of sources) {
        assert.ok(why.startsWith(source), `${why} names ${source}`);
        assert.match(why, advice);
        const isObject = typeof value === 'object' && value !== null;
        const [wrong] = isObject ? Object.values(value) : [value];
        const shown = typeof wrong === 'string' ? wrong.slice(0, 60) : JSON.stringify(wrong);
        assert.ok(why.includes(shown), `${why} shows ${shown}`);
      }
    }
  });
}

test('flags that are unknown, given twice or without a value are refused', () => {
  assert.equal(refusal(['--nodes', '1']), 'there is no option --nodes: --help lists them');
  assert.equal(refusal(['start']), 'there is no option start: --help lists them');
  assert.equal(refusal(['--node']), '--node needs a value: --help says which');
  assert.equal(refusal(['--node=1', '--node', '1']), '--node is given twice: give it once');
});

test('a file that is missing, malformed or of unknown options is refused by its name', () => {
  const missing = join(folder, 'none.json');
  assert.match(refusal(['--config', missing]), /none\.json cannot be read \(ENOENT/);
  const malformed = file('{"node": 1,}');
  assert.ok(refusal([], { DELTABASE_CONFIG: malformed }).includes(`${malformed} cannot be read (`));
  for (const content of ['[]', '7', 'null']) {
    assert.match(refusal(['--config', file(content)]), /must hold one JSON object of options/);
  }
  const path = file({ node: 1, nodes: 3 });
  assert.equal(refusal(['--config', path]), `${path}: there is no option nodes: --help lists them`);
});

test('the flag for the file goes before the variable', () => {
  const environment = { DELTABASE_CONFIG: file({ node: 2 }) };
  assert.equal(loadConfig(['--config', file({ node: 3 })], environment).node, 3);
});

test('members must hold this node, and each node once', () => {
  const members = '1=a:1/a:2,2=b:1/b:2';
  assert.deepEqual(loadConfig(['--members', members, '--node', '2'], {}).members, [
    { node: 1, peerAddress: 'a:1', clientAddress: 'a:2' },
    { node: 2, peerAddress: 'b:1', clientAddress: 'b:2' },
  ]);
  assert.match(
    refusal(['--members', members, '--node', '3']),
    /^--members: node 3 is not among the members: add it, or set the node's id$/,
  );
  assert.equal(
    refusal([], { DELTABASE_MEMBERS: `${members},1=c:1/c:2` }),
    'DELTABASE_MEMBERS: node 1 is named twice',
  );
});

test('a node that joins need not be among the members', () => {
  const flags = ['--members', '1=a:1/a:2', '--node', '3', '--join', ' a:2, b:2,'];
  const { members, join } = loadConfig(flags, {});
  assert.deepEqual(join, ['a:2', 'b:2']);
  assert.equal(members.length, 1);
});

test('a leader must be able to send heartbeats before it is given up', () => {
  assert.match(
    refusal(['--heartbeat-ticks', '10', '--election-ticks', '19']),
    /electionTicks must be at least twice heartbeatTicks/,
  );
});

test('limits that are unknown or beyond what WebAssembly can count are refused', () => {
  assert.equal(
    refusal(['--limits', 'fuelMax=1']),
    '--limits is "fuelMax=1": there is no limit fuelMax: docs/limits.md lists them',
  );
  const wholly = `use a whole number from 1 to ${Number.MAX_SAFE_INTEGER}`;
  assert.equal(
    refusal(['--limits', 'groupQueueMax=5,payloadBytesMax=abc']),
    `--limits, payloadBytesMax is "abc": ${wholly}`,
  );
  const path = file({ limits: { payloadBytesMax: 0.5 } });
  assert.equal(refusal(['--config', path]), `${path}: limits, payloadBytesMax is 0.5: ${wholly}`);
  for (const limit of ['fuelPerMessageMax', 'stackBytesMax']) {
    assert.match(
      refusal(['--limits', `${limit}=${2 ** 31}`]),
      new RegExp(`^--limits, ${limit} is .* use a whole number from 1 to ${2 ** 31 - 1}$`),
    );
  }
  assert.match(refusal(['--limits', 'memoryPagesMax=65537']), /from 1 to 65536$/);
  const { limits } = loadConfig(['--limits', `fuelPerMessageMax=${2 ** 31 - 1}`], {});
  assert.deepEqual(limits, { ...DEFAULT_LIMITS, fuelPerMessageMax: 2 ** 31 - 1 });
});
