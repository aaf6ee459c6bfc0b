import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paintFor } from '../../src/format/paint.js';
import { thingsToTry } from '../../src/tour/things-to-try.js';

const PAINT = paintFor({ env: {}, isTerminal: false }, true);
const NODES = [
  { id: 1, pid: 11 },
  { id: 2, pid: 12 },
  { id: 3, pid: 13 },
];

test('the address is to be exported only where it is not the default', () => {
  const usual = thingsToTry({ port: 7410, nodes: NODES }, PAINT).join('\n');
  const other = thingsToTry({ port: 9000, nodes: NODES }, PAINT).join('\n');
  assert.doesNotMatch(usual, /export/);
  assert.match(other, /^ {2}export DELTABASE_ADDRESS=127\.0\.0\.1:9000 /m);
  assert.match(usual, /^ {2}kill -9 13 .* node 3/m);
});
