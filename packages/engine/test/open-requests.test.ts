import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenRequests } from '../src/open-requests.js';
import { failure } from '../src/results.js';

const STOPS = failure('UNAVAILABLE', 'it stops');

test('each request gets one answer: its own, or that the node stops', () => {
  const open = new OpenRequests();
  const got: unknown[] = [];
  const first = open.add<number>((result) => got.push(result));
  open.add<number>((result) => got.push(result));
  assert.equal(open.count, 2);
  first(1);
  first(2);
  open.close(STOPS);
  first(3);
  assert.deepEqual(got, [1, STOPS]);
  assert.equal(open.count, 0);
});
