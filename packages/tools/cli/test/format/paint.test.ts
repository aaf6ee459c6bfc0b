import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paintFor } from '../../src/format/paint.js';

function isColored(isTerminal: boolean, env: Record<string, string> = {}, wanted = true): boolean {
  return paintFor({ isTerminal, env }, wanted).red('x') !== 'x';
}

test('colors are for terminals that can show them', () => {
  assert.equal(isColored(true), true);
  assert.equal(isColored(false), false);
  assert.equal(isColored(true, { TERM: 'dumb' }), false);
});

test('NO_COLOR and --no-color take colors away, whatever asks for them', () => {
  assert.equal(isColored(true, { NO_COLOR: '1' }), false);
  assert.equal(isColored(true, { NO_COLOR: '1', FORCE_COLOR: '1' }), false);
  assert.equal(isColored(true, { FORCE_COLOR: '1' }, false), false);
  assert.equal(isColored(true, { NO_COLOR: '' }), true, 'empty means not set (no-color.org)');
});

test('FORCE_COLOR colors what no terminal shows', () => {
  assert.equal(isColored(false, { FORCE_COLOR: '1' }), true);
  assert.equal(isColored(false, { FORCE_COLOR: '0' }), false);
  assert.equal(isColored(false, { FORCE_COLOR: '' }), false);
});
