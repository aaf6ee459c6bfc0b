import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExampleDocument, sendSamples } from '../../harness.js';

test('the sample messages add up', () => {
  assert.deepEqual(sendSamples('counter').state, { n: 6 });
});

test('each message replies with the new count and emits one operation', () => {
  const counter = new ExampleDocument('counter');
  assert.equal(counter.do('add', { by: 40 }), 40);
  const sent = counter.send('add', { by: 2 });
  assert.equal(sent.reply, 42);
  assert.equal(sent.patchBytes, '[{"op":"replace","path":"/n","value":42}]'.length);
});

test('a fraction and a count beyond exact whole numbers are rejected and change nothing', () => {
  const counter = new ExampleDocument('counter');
  counter.do('add', { by: Number.MAX_SAFE_INTEGER });
  const before = counter.state;
  assert.match(counter.rejected('add', { by: 0.5 }), /whole number/);
  assert.match(counter.rejected('add', { by: 1 }), /range/);
  assert.match(counter.rejected('add', { by: 1e300 }), /range/);
  assert.deepEqual(counter.state, before);
});
