import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions } from '../src/options.js';

const KNOWN = ['messages', 'cold'];

test('benchmarks are chosen by name, all by default, with seed 1', () => {
  const some = parseOptions(['cold', '--smoke', '--seed', '7'], KNOWN);
  const said = { list: false, help: false, peers: [] };
  assert.deepEqual(some, { names: ['cold'], smoke: true, seed: 7, ...said });
  const all = parseOptions([], KNOWN);
  assert.deepEqual(all, { names: [], smoke: false, seed: 1, ...said });
});

test('what is no option, no benchmark or no seed is refused, and it is said why', () => {
  assert.match(String(parseOptions(['--rounds', '3'], KNOWN)), /--rounds/);
  assert.match(String(parseOptions(['--peer', 'redis'], KNOWN)), /no peer redis: there is etcd/);
  assert.match(String(parseOptions(['hot'], KNOWN)), /no benchmark hot: there are messages, cold/);
  for (const seed of ['-1', '1.5', 'x']) {
    assert.match(String(parseOptions([`--seed=${seed}`], KNOWN)), /no whole number/);
  }
});

test('another system is measured where it is named', () => {
  const options = parseOptions(['cold', '--peer', 'etcd'], KNOWN);
  assert.ok(typeof options !== 'string');
  assert.deepEqual(options.peers, ['etcd']);
});
