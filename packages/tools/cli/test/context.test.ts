import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Context } from '../src/context.js';
import { testIo } from './support/test-io.js';

test('a result with --json is one line in which no text of others reaches the terminal', async () => {
  const io = testIo();
  const value = { body: '\u009b31m\u202e\u2029' };
  await new Context(io, { json: true, color: false }).show(value, () => 'for people');
  assert.equal(io.written.out, '{"body":"\\u009b31m\\u202e\\u2029"}\n');
  assert.deepEqual(JSON.parse(io.written.out), value);
});
