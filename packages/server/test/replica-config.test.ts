import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, DeltabaseError } from '@deltabase/base';
import { loadReplicaConfig, replicaOptionsHelp } from '../src/index.js';

function load(...flags: string[]) {
  return loadReplicaConfig(flags, {});
}

function refused(why: RegExp, ...flags: string[]): void {
  assert.throws(
    () => load(...flags),
    (thrown) =>
      thrown instanceof DeltabaseError &&
      thrown.code === 'INVALID_ARGUMENT' &&
      why.test(thrown.message),
  );
}

test('a replica without options follows the node that a node without options is', () => {
  const { name, ...rest } = load();
  assert.match(name, /^replica-[0-9a-f]{8}$/);
  assert.notEqual(name, load().name);
  assert.deepEqual(rest, {
    upstreams: ['127.0.0.1:7410'],
    listen: '127.0.0.1:7420',
    advertise: '127.0.0.1:7420',
    hold: [],
    logLevel: 'info',
    limits: DEFAULT_LIMITS,
  });
});

test('flags, variables and limits of a replica', () => {
  const flags = ['--upstream', 'a:1, b:2', '--hold', 'list/x,list/a/b', '--name=edge.1'];
  const config = loadReplicaConfig([...flags, '--limits', 'recentBytesMax=5'], {
    DELTABASE_LISTEN: '0.0.0.0:7500',
    DELTABASE_NAME: 'not-this-one',
  });
  assert.deepEqual(config.upstreams, ['a:1', 'b:2']);
  assert.deepEqual(config.hold, [
    { space: 'list', key: 'x' },
    { space: 'list', key: 'a/b' },
  ]);
  assert.deepEqual([config.name, config.listen], ['edge.1', '0.0.0.0:7500']);
  assert.equal(config.limits.recentBytesMax, 5);
});

test('what a replica cannot be started with is said', () => {
  refused(/"a" is no address/, '--upstream', 'a');
  refused(/names no address/, '--upstream', ',');
  refused(/"list" is no document: use SPACE\/KEY/, '--hold', 'list');
  refused(/space ".*": use/, '--hold', 'LIST/x');
  refused(/the document key is empty/, '--hold', 'list/');
  refused(/--name is "A": use 1 to 63/, '--name', 'A');
  refused(/there is no option --data-dir/, '--data-dir', 'x');
});

test('where clients reach a replica is where it listens, unless that is everywhere', () => {
  assert.equal(load('--listen', '0.0.0.0:1').advertise, undefined);
  assert.equal(load('--listen', '[::]:1').advertise, undefined);
  assert.equal(load('--listen', '0.0.0.0:1', '--advertise', 'edge:2').advertise, 'edge:2');
});

test('help tells of every option of a replica', () => {
  const help = replicaOptionsHelp();
  for (const flag of [
    '--upstream',
    '--name',
    '--listen',
    '--advertise',
    '--hold',
    '--log-level',
    '--limits',
  ]) {
    assert.ok(help.includes(`  ${flag} `), flag);
  }
});
