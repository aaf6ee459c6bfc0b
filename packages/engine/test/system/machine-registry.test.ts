import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBase64 } from '@deltabase/base';
import { fromJson, type Json, type Value } from '@deltabase/delta';
import type { LoadResult, Machine, MachineHost } from '../../src/ports.js';
import { MachineRegistry } from '../../src/system/machine-registry.js';
import { bytes, text } from '../support/bytes.js';
import { SILENT } from '../support/log.js';

const MANIFEST = {
  abi: 1,
  channels: ['append'],
  init: false,
  imports: [],
  memoryPages: { initial: 0, max: 0 },
};

/** The document of machines with versions 1 to `latest` of the space `log`; module n is `hash n`. */
function machines(latest: number): Value {
  const versions: Record<string, Json> = {};
  for (let version = 1; version <= latest; version++) {
    versions[version] = { hash: `m${version}`, bytes: 2, manifest: MANIFEST, at: 1, by: 'ops' };
  }
  return fromJson({ spaces: { log: { latest, versions } } });
}

function setUp() {
  const clock = { ms: 0 };
  const loads: Array<{ name: string; done: (result: LoadResult) => void }> = [];
  const unloaded: string[] = [];
  const host = {
    load: (module: Uint8Array, done: (result: LoadResult) => void) =>
      void loads.push({ name: text(module), done }),
    unload: (machine: Machine) => void unloaded.push((machine as unknown as { name: string }).name),
    digest: (module: Uint8Array) => text(module),
  } as unknown as MachineHost;
  const registry = new MachineRegistry({
    host,
    log: SILENT,
    readModule: (hash, done) => {
      const [half, rest] = [hash.slice(0, 1), hash.slice(1)];
      const chunks = { '0000': encodeBase64(bytes(half)), '0001': encodeBase64(bytes(rest)) };
      done(fromJson({ chunks }));
    },
    inTurn: (step) => step(),
    nowMs: () => clock.ms,
  });
  const machineNamed = (name: string) => ({ manifest: MANIFEST, name }) as unknown as Machine;
  const finish = (): void => {
    const { name, done } = loads.shift()!;
    done({ kind: 'loaded', machine: machineNamed(name) });
  };
  return { registry, clock, loads, unloaded, finish, machineNamed };
}

test('a registry tells what is deployed, and nothing where nothing is', () => {
  const { registry } = setUp();
  assert.deepEqual([registry.spaces(), registry.latest('log'), registry.list()], [[], 0, []]);
  registry.update(machines(2));
  assert.deepEqual(registry.spaces(), ['log']);
  assert.equal(registry.latest('log'), 2);
  assert.equal(registry.get('log', 1)?.hash, 'm1');
  assert.equal(registry.get('log', 3), undefined);
  assert.deepEqual(
    registry.list().map(({ version }) => version),
    [2],
  );
});

test('a machine is compiled once, and whoever waits for it is told once', () => {
  const { registry, loads, finish } = setUp();
  registry.update(machines(1));
  let told = 0;
  assert.equal(
    registry.machine('log', 1, () => told++),
    undefined,
  );
  assert.equal(
    registry.machine('log', 1, () => told++),
    undefined,
  );
  assert.deepEqual(
    loads.map(({ name }) => name),
    ['m1'],
  );
  finish();
  assert.equal(told, 2);
  const machine = registry.machine('log', 1, () => told++);
  assert.equal((machine as unknown as { name: string }).name, 'm1');
  assert.equal(told, 2);
});

test('a version that this node does not know yet is loaded when it does', () => {
  const { registry, loads, finish } = setUp();
  let told = 0;
  assert.equal(
    registry.machine('log', 2, () => told++),
    undefined,
  );
  registry.update(machines(1));
  assert.equal(loads.length, 0);
  registry.update(machines(2));
  assert.equal(loads.length, 1);
  finish();
  assert.equal(told, 1);
});

test('a module that does not compile here makes the version unusable, for everyone who asks', () => {
  const { registry, loads } = setUp();
  registry.update(machines(1));
  let told = 0;
  registry.machine('log', 1, () => told++);
  loads[0]!.done({ kind: 'invalid', message: 'an opcode of the future' });
  assert.equal(told, 1);
  assert.equal(
    registry.machine('log', 1, () => {}),
    'unusable',
  );
});

test('a machine without room now is asked for again, ever less often, and runs once there is room', () => {
  const { registry, clock, loads, finish } = setUp();
  registry.update(machines(1));
  const ask = () => registry.machine('log', 1, () => {});
  let attempts = 0;
  for (; clock.ms < 60_000; clock.ms += 50) {
    if (ask() === 'busy') continue;
    attempts++;
    loads.shift()!.done({ kind: 'busy', message: 'no memory' });
    assert.equal(ask(), 'busy');
  }
  assert.ok(attempts >= 8 && attempts <= 13, `${attempts} attempts in a minute`);
  clock.ms += 10_000;
  assert.equal(ask(), undefined);
  finish();
  assert.equal((ask() as unknown as { name: string }).name, 'm1');
});

test('the two newest versions stay compiled: groups change over one after the other', () => {
  const { registry, unloaded, finish } = setUp();
  registry.update(machines(3));
  for (const version of [1, 2, 3]) {
    registry.machine('log', version, () => {});
    finish();
  }
  assert.deepEqual(unloaded, ['m1']);
  assert.notEqual(
    registry.machine('log', 2, () => {}),
    undefined,
  );
  assert.equal(
    registry.machine('log', 1, () => {}),
    undefined,
  );
});

test('a module with another content than its hash says is damage', () => {
  const { registry } = setUp();
  const chunks = { '0000': encodeBase64(bytes('m2')) };
  assert.throws(() => registry.moduleBytes('m1', fromJson({ chunks })), { code: 'DATA_CORRUPT' });
});
