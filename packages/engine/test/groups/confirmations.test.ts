import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Confirmations } from '../../src/groups/confirmations.js';

function setUp(life = 7) {
  const asked: Uint8Array[] = [];
  const node = { readIndex: (context: Uint8Array) => void asked.push(context) };
  const confirmations = new Confirmations({ node, retryMs: 500, life });
  const told: string[] = [];
  const request = (name: string, expiresMs = 10_000) =>
    confirmations.request(expiresMs, (reached) => told.push(`${name} ${reached}`));
  return { confirmations, asked, told, request };
}

test('all that ask in a turn share a round, and are told when its index is applied', () => {
  const { confirmations, asked, told, request } = setUp();
  request('a');
  request('b');
  confirmations.begin(0);
  confirmations.begin(0);
  assert.equal(asked.length, 1);
  confirmations.confirmed({ index: 5, context: asked[0]! }, 3);
  confirmations.applied(4);
  assert.deepEqual(told, []);
  confirmations.applied(5);
  assert.deepEqual(told, ['a true', 'b true']);
});

test('who asks after a round has begun waits for the next one', () => {
  const { confirmations, asked, told, request } = setUp();
  request('a');
  confirmations.begin(0);
  request('b');
  confirmations.confirmed({ index: 1, context: asked[0]! }, 1);
  assert.deepEqual(told, ['a true']);
  confirmations.begin(0);
  confirmations.confirmed({ index: 1, context: asked[1]! }, 1);
  assert.deepEqual(told, ['a true', 'b true']);
});

test('rounds that are confirmed out of order are told in the order of their indices', () => {
  const { confirmations, asked, told, request } = setUp();
  for (const name of ['a', 'b', 'c']) {
    request(name);
    confirmations.begin(0);
  }
  confirmations.confirmed({ index: 9, context: asked[2]! }, 0);
  confirmations.confirmed({ index: 4, context: asked[0]! }, 0);
  confirmations.confirmed({ index: 6, context: asked[1]! }, 0);
  confirmations.applied(6);
  assert.deepEqual(told, ['a true', 'b true']);
  confirmations.applied(9);
  assert.deepEqual(told, ['a true', 'b true', 'c true']);
});

test('an answer to a round of an earlier life, or of another form, counts for nothing (pitfall 10)', () => {
  const earlier = setUp(6);
  earlier.request('x');
  earlier.confirmations.begin(0);
  const { confirmations, told, request } = setUp(7);
  request('a');
  confirmations.begin(0);
  confirmations.confirmed({ index: 1, context: earlier.asked[0]! }, 9);
  confirmations.confirmed({ index: 1, context: Uint8Array.of(1, 2) }, 9);
  assert.deepEqual(told, []);
});

test('a round that is lost is begun again; what answers the lost one counts for nothing', () => {
  const { confirmations, asked, told, request } = setUp();
  request('a');
  confirmations.begin(0);
  confirmations.tick(499);
  confirmations.begin(499);
  assert.equal(asked.length, 1);
  confirmations.tick(500);
  confirmations.begin(500);
  assert.equal(asked.length, 2);
  confirmations.confirmed({ index: 1, context: asked[0]! }, 9);
  assert.deepEqual(told, []);
  confirmations.confirmed({ index: 1, context: asked[1]! }, 9);
  assert.deepEqual(told, ['a true']);
});

test('another leader is asked anew: the one before will not answer', () => {
  const { confirmations, asked, told, request } = setUp();
  request('a');
  confirmations.begin(0);
  confirmations.leaderChanged();
  confirmations.begin(10);
  confirmations.confirmed({ index: 1, context: asked[0]! }, 9);
  assert.deepEqual(told, []);
  confirmations.confirmed({ index: 1, context: asked[1]! }, 9);
  assert.deepEqual(told, ['a true']);
});

test('whoever has no time left is told so, whatever it waits for', () => {
  const { confirmations, asked, told, request } = setUp();
  request('applied', 1000);
  confirmations.begin(0);
  confirmations.confirmed({ index: 9, context: asked[0]! }, 0);
  request('confirmed', 1000);
  confirmations.begin(0);
  request('begun', 1000);
  request('later', 9000);
  confirmations.tick(1000);
  assert.deepEqual(told.sort(), ['applied false', 'begun false', 'confirmed false']);
});

test('a node that stops tells everybody that the point was not reached', () => {
  const { confirmations, asked, told, request } = setUp();
  request('applied');
  confirmations.begin(0);
  confirmations.confirmed({ index: 9, context: asked[0]! }, 0);
  request('confirmed');
  confirmations.begin(0);
  request('begun');
  confirmations.close();
  assert.deepEqual(told.sort(), ['applied false', 'begun false', 'confirmed false']);
});

test('who gives up is told with the next tick, whatever round it is in, and others are not', () => {
  const { confirmations, asked, told, request } = setUp();
  const applying = request('applying');
  request('patient');
  confirmations.begin(0);
  confirmations.confirmed({ index: 5, context: asked[0]! }, 3);
  const gathered = request('gathered');
  for (const given of [applying, gathered]) given.expiresMs = Number.NEGATIVE_INFINITY;
  confirmations.tick(100);
  assert.deepEqual(told, ['gathered false', 'applying false']);
  confirmations.applied(5);
  assert.deepEqual(told.slice(2), ['patient true']);
  assert.ok(confirmations.idle);
});
