// The checker that every cluster test ends with must find what it is there for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Moments } from '@deltabase/testkit';
import { TokenRecord } from '../src/token-record.js';

const record = (): TokenRecord => new TokenRecord('doc', new Moments());

/** A record with tokens a, b, ... acknowledged one after the other. */
function withTokens(...tokens: string[]): TokenRecord {
  const made = record();
  for (const [at, token] of tokens.entries()) made.send(token).acknowledged(at + 1);
  return made;
}

test('everything as it was told passes, whatever became of what nobody was told of', () => {
  withTokens('a', 'b').check('b a ');
  for (const text of ['b a ', 'c b a ']) {
    const made = withTokens('a', 'b');
    made.send('c').unknown();
    made.check(text);
  }
  const refused = withTokens('a');
  refused.send('b').refused();
  refused.check('a ');
  assert.deepEqual(
    [refused.seq, refused.count('acknowledged'), refused.count('refused')],
    [1, 1, 1],
  );
});

test('a token that is lost, doubled, refused, unknown or out of order is found', () => {
  assert.throws(() => withTokens('a', 'b').check('b '), /a of doc was acknowledged and is lost/);
  assert.throws(() => withTokens('a', 'b').check('b a a '), /twice/);
  assert.throws(() => withTokens('a', 'b').check('c b a '), /never sent/);
  assert.throws(() => withTokens('a', 'b').check('a b '), /not linearizable/);
  const refused = withTokens('a');
  refused.send('b').refused();
  assert.throws(() => refused.check('b a '), /told that it is not/);
});

test('a read that shows less than was acknowledged before it began is found', () => {
  const stale = withTokens('a');
  const sent = stale.send('b');
  const early = stale.read();
  sent.acknowledged(2);
  early.saw('a ');
  stale.check('b a ');
  stale.read().saw('a ');
  assert.throws(() => stale.check('b a '), /not linearizable/);
});

test('a token that was seen, then not, then again is found', () => {
  const flickers = record();
  flickers.send('a').unknown();
  flickers.read().saw('a ');
  flickers.read().saw('');
  assert.throws(() => flickers.check('a '), /not linearizable/);
});
