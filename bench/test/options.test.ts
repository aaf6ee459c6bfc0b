import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions } from '../src/options.js';

const KNOWN = ['messages', 'cold'];

test('benchmarks are chosen by name, all by default, with seed 1', () => {
  const some = parseOptions(['cold', '--smoke', '--seed', '7'], KNOWN);
  assert.deepEqual(some, { names: ['cold'], smoke: true, list: false, help: false, seed: 7 });
  const all = parseOptions([], KNOWN);
  assert.deepEqual(all, { names: [], smoke: false, list: false, help: false, seed: 1 });
});

test('what is no option, no benchmark or no seed is refused, and it is said why', () => {
  assert.match(String(parseOptions(['--peer', 'etcd'], KNOWN)), /--peer/);
  assert.match(String(parseOptions(['hot'], KNOWN)), /no benchmark hot: there are messages, cold/);
  for (const seed of ['-1', '1.5', 'x']) {
    assert.match(String(parseOptions([`--seed=${seed}`], KNOWN)), /no whole number/);
  }
});
