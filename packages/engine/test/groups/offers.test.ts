import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Offers } from '../../src/groups/offers.js';

test('a node that stops fetching a snapshot is found out, once', () => {
  const offers = new Offers();
  offers.offered(2, 0);
  offers.offered(3, 0);
  offers.pulled(2, 2000);
  offers.pulled(4, 2000);
  assert.deepEqual(offers.takeStale(2999), []);
  assert.deepEqual(offers.takeStale(3000), [3]);
  assert.deepEqual(offers.takeStale(4999), []);
  assert.deepEqual(offers.takeStale(5000), [2]);
  assert.deepEqual(offers.takeStale(9000), []);
});
