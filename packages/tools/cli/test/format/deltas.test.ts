import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@deltabase/base';
import type { Operation } from '@deltabase/client';
import { deltaOfRecord, deltaText, operationText } from '../../src/format/deltas.js';
import { deltaJson } from '../../src/format/json.js';
import { COLORED, PLAIN, record } from '../support/samples.js';

test('a delta says what happened and when, who caused it, what ran, and each operation', () => {
  assert.equal(
    deltaText(deltaOfRecord(record()), PLAIN, 'counter/visits  '),
    [
      'counter/visits  seq 7  2023-11-14 22:13:20.123Z  add {"by":2}\n',
      '    by ana  message b7/3  version 1  fuel 99  hash 00000000000000ff\n',
      '    replace /n 7\n',
    ].join(''),
  );
});

test('a delta of nobody known, without a payload, says so', () => {
  const bare = record({ principal: '', session: '', number: 0, payload: encodeUtf8('') });
  const [first, second] = deltaText(deltaOfRecord(bare), PLAIN).split('\n');
  assert.equal(first, 'seq 7  2023-11-14 22:13:20.123Z  add null');
  assert.equal(second, '    by nobody known  version 1  fuel 99  hash 00000000000000ff');
});

test('each kind of operation is told in its own way', () => {
  const told = (operation: Operation): string => operationText(operation, PLAIN);
  assert.equal(told({ op: 'add', path: '', value: {} }), 'add (whole document) {}');
  assert.equal(told({ op: 'remove', path: '/a/0' }), 'remove /a/0');
  assert.equal(told({ op: 'replace', path: '/a', value: 'b' }), 'replace /a "b"');
  assert.equal(told({ op: 'move', from: '/a', path: '/b' }), 'move /a to /b');
  assert.equal(told({ op: 'copy', from: '', path: '/b' }), 'copy (whole document) to /b');
  assert.equal(told({ op: 'test', path: '/a', value: null }), 'test /a null');
});

test('what a document holds cannot paint over the terminal', () => {
  const evil = '\u001b[2J\u009b';
  const patch = encodeUtf8(JSON.stringify([{ op: 'add', path: `/${evil}`, value: evil }]));
  const payload = encodeUtf8(JSON.stringify(evil));
  const text = deltaText(deltaOfRecord(record({ patch, payload, principal: evil })), PLAIN);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for.
  assert.doesNotMatch(text, /[\u001b\u009b]/);
  const colored = deltaText(deltaOfRecord(record({ patch })), COLORED);
  assert.ok(!colored.includes('\u001b[2J'));
});

test('large values are cut for people and whole for programs', () => {
  const value = 'x'.repeat(10_000);
  const patch = encodeUtf8(JSON.stringify([{ op: 'add', path: '/a', value }]));
  const delta = deltaOfRecord(record({ patch, payload: encodeUtf8(JSON.stringify(value)) }));
  assert.ok(deltaText(delta, PLAIN).length < 600);
  assert.deepEqual(deltaJson(delta), {
    seq: 7,
    time: 1_700_000_000_123,
    hash: '00000000000000ff',
    cause: {
      channel: 'add',
      payload: value,
      principal: 'ana',
      messageId: 'b7/3',
      version: 1,
      fuel: 99,
      seed: 5,
    },
    patch: [{ op: 'add', path: '/a', value }],
  });
});
