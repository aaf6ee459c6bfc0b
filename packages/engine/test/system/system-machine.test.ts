import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, decodeUtf8 } from '@deltabase/base';
import { Draft, fromJson, type Json, toJson, type Value } from '@deltabase/delta';
import type { Call } from '../../src/ports.js';
import { runSystemMachine } from '../../src/system/system-machine.js';

const MANIFEST = {
  abi: 1,
  channels: ['append'],
  init: false,
  imports: [],
  memoryPages: { initial: 0, max: 0 },
};

class SystemDocument {
  root: Value = null;

  send(channel: string, payload: Json): { reply?: unknown; code?: string; operations: number } {
    const draft = new Draft(this.root, DEFAULT_LIMITS);
    const call = { channel, payload: fromJson(payload), time: 5, principal: 'ops' } as Call;
    const outcome = runSystemMachine(call, draft);
    if (outcome.kind === 'failed') return { code: outcome.code, operations: 0 };
    this.root = draft.root;
    const reply = outcome.reply && JSON.parse(decodeUtf8(outcome.reply)!);
    return { reply, operations: draft.operations.length };
  }

  deploy(hash: string, expected: number | null = null) {
    return this.send('deploy', { space: 'log', hash, bytes: 9, manifest: MANIFEST, expected });
  }
}

test('a deployment makes the next version, the same module again none', () => {
  const machines = new SystemDocument();
  assert.deepEqual(machines.deploy('aa').reply, { version: 1, unchanged: false });
  assert.deepEqual(machines.deploy('bb').reply, { version: 2, unchanged: false });
  const again = machines.deploy('bb');
  assert.deepEqual(again, { reply: { version: 2, unchanged: true }, operations: 0 });
  assert.deepEqual(machines.deploy('aa').reply, { version: 3, unchanged: false });
  const versions = { manifest: MANIFEST, bytes: 9, at: 5, by: 'ops' };
  assert.deepEqual(toJson(machines.root), {
    spaces: {
      log: {
        latest: 3,
        versions: {
          1: { hash: 'aa', ...versions },
          2: { hash: 'bb', ...versions },
          3: { hash: 'aa', ...versions },
        },
      },
    },
  });
});

test('a deployment on top of another version than expected is refused', () => {
  const machines = new SystemDocument();
  assert.equal(machines.deploy('aa', 1).code, 'VERSION_CONFLICT');
  assert.deepEqual(machines.deploy('aa', 0).reply, { version: 1, unchanged: false });
  assert.equal(machines.deploy('bb', 0).code, 'VERSION_CONFLICT');
  assert.deepEqual(machines.deploy('bb', 1).reply, { version: 2, unchanged: false });
});

test('a deployment that is asked for again under the version it replaced changes nothing', () => {
  const machines = new SystemDocument();
  machines.deploy('aa', 0);
  assert.deepEqual(machines.deploy('aa', 0).reply, { version: 1, unchanged: true });
  machines.deploy('bb', 1);
  assert.deepEqual(machines.deploy('bb', 1), {
    reply: { version: 2, unchanged: true },
    operations: 0,
  });
  assert.equal(machines.deploy('bb', 0).code, 'VERSION_CONFLICT');
  assert.equal(machines.deploy('aa', 0).code, 'VERSION_CONFLICT');
});

test('chunks of a module are put once, and putting one again changes nothing', () => {
  const module = new SystemDocument();
  assert.ok(module.send('put_chunk', { chunk: '0000', data: 'AA==' }).operations > 0);
  assert.equal(module.send('put_chunk', { chunk: '0000', data: 'BB==' }).operations, 0);
  module.send('put_chunk', { chunk: '0001', data: 'CC==' });
  assert.deepEqual(toJson(module.root), { chunks: { '0000': 'AA==', '0001': 'CC==' } });
});

test('another channel, and a payload that is none, are refused', () => {
  assert.equal(new SystemDocument().send('other', {}).code, 'CHANNEL_NOT_FOUND');
  assert.throws(() => new SystemDocument().send('put_chunk', {}), { code: 'INVALID_ARGUMENT' });
  assert.throws(
    () => new SystemDocument().send('deploy', { space: 'log', hash: 'aa', manifest: 1 }),
    { name: 'DeltabaseError' },
  );
});
