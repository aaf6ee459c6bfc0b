// Nodes that have no memory for a machine for a while.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@deltabase/base';
import { fromJson } from '@deltabase/delta';
import type { DeployResult, MachineHost, Result } from '@deltabase/engine';
import { Cluster, makeScriptMachines } from '@deltabase/testkit';

test('a node without memory for a machine refuses for now, and runs it once there is some', () => {
  let hasMemory = true;
  const machines = (): MachineHost => {
    const host = makeScriptMachines({
      put: {
        channels: ['put'],
        run: ({ draft }) => {
          draft.emit({ op: 'add', path: '', value: fromJson(1) });
          return undefined;
        },
      },
    });
    return {
      ...host,
      load: (module, done) =>
        hasMemory ? host.load(module, done) : done({ kind: 'busy', message: 'no memory' }),
    };
  };
  const cluster = new Cluster({ seed: 1, nodes: 1, groups: 1, machines });
  cluster.start();
  const { simulation } = cluster;

  const deploy = (): string => {
    const got: DeployResult[] = [];
    const expiresMs = simulation.nowMs + 5000;
    const request = { space: 'put', module: encodeUtf8('put'), expectedVersion: undefined };
    const options = { ...request, principal: 'p', expiresMs };
    cluster.engine(1).deploy(options, (result) => void got.push(result));
    simulation.runUntil(() => got.length > 0);
    return got[0]!.kind === 'failed' ? got[0]!.code : got[0]!.kind;
  };
  const send = (): string => {
    const got: Result[] = [];
    const sink = { answer: (_tag: number, result: Result) => void got.push(result), flush() {} };
    const session = { name: '', openedAt: 0, settled: 0 };
    const names = { space: 'put', key: 'k', channel: 'put', principal: 'p' };
    const message = { ...names, payload: encodeUtf8('1'), session, number: 0, after: 0 };
    const expiresMs = simulation.nowMs + 5000;
    cluster.engine(1).submit([{ message, sink, tag: 0, expiresMs }]);
    simulation.runUntil(() => got.length > 0);
    return got[0]!.kind === 'failed' ? got[0]!.code : got[0]!.kind;
  };

  hasMemory = false;
  assert.equal(deploy(), 'OVERLOADED');
  hasMemory = true;
  assert.equal(deploy(), 'deployed');
  hasMemory = false;
  assert.equal(send(), 'OVERLOADED');
  hasMemory = true;
  simulation.runFor(1000);
  assert.equal(send(), 'accepted');
});
