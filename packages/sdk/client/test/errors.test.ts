import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { pauseMs } from '../src/backoff.js';
import { codeOfStatus, errorFromWire } from '../src/errors.js';
import { callError } from '../src/transport/grpc/call-error.js';
import { encodeError } from '../src/transport/grpc/protos.js';

test('an error of a node keeps its code, its message and its details by type', () => {
  const details = { leader: '3', outcomeUnknown: 'true', name: 'x', zip: '007', much: '1e400' };
  const error = errorFromWire({ code: 'REJECTED', message: 'sold out', details });
  assert.equal(error.code, 'REJECTED');
  assert.equal(error.message, 'sold out');
  assert.deepEqual(error.details, {
    leader: 3,
    outcomeUnknown: true,
    name: 'x',
    zip: '007',
    much: '1e400',
  });
});

test('a code of a later release is INTERNAL and named', () => {
  const error = errorFromWire({ code: 'FROM_THE_FUTURE', message: 'hm', details: {} });
  assert.equal(error.code, 'INTERNAL');
  assert.equal(error.details['code'], 'FROM_THE_FUTURE');
  assert.match(error.message, /FROM_THE_FUTURE.*hm/);
});

test('a failed call is the error in its trailer, or what its status means', () => {
  const metadata = new Metadata();
  metadata.set(
    'deltabase-error-bin',
    encodeError({ code: 'HISTORY_GONE', message: 'gone', details: { seq: '4' } }),
  );
  const failed = (code: number, of = new Metadata()) =>
    Object.assign(new Error('x'), { code, details: 'because', metadata: of });
  const own = callError('host:1', failed(status.OUT_OF_RANGE, metadata));
  assert.equal(own.code, 'HISTORY_GONE');
  assert.deepEqual(own.details, { seq: 4 });
  const bare = callError('host:1', failed(status.UNAVAILABLE));
  assert.equal(bare.code, 'UNAVAILABLE');
  assert.equal(bare.message, 'host:1: because');
  const foreign = callError('host:1', failed(status.UNIMPLEMENTED));
  assert.equal(foreign.code, 'INTERNAL');
  assert.match(foreign.message, /is it a Deltabase node/);
  const defect = new TypeError('a defect');
  assert.throws(() => callError('host:1', defect), defect);
});

test('statuses without an error of ours are final unless the table says otherwise', () => {
  assert.equal(codeOfStatus(status.DEADLINE_EXCEEDED), 'DEADLINE_EXCEEDED');
  assert.equal(codeOfStatus(status.RESOURCE_EXHAUSTED), 'OVERLOADED');
  assert.equal(codeOfStatus(status.CANCELLED), 'UNAVAILABLE');
  assert.equal(codeOfStatus(status.INVALID_ARGUMENT), 'INVALID_ARGUMENT');
  assert.equal(codeOfStatus(status.UNAUTHENTICATED), 'INTERNAL');
});

test('pauses double up to their maximum, half of each by chance', () => {
  const range = { minMs: 10, maxMs: 100 };
  const longest = [1, 2, 3, 4, 5, 60].map((attempt) => pauseMs(attempt, range, 1));
  assert.deepEqual(longest, [10, 20, 40, 80, 100, 100]);
  assert.equal(pauseMs(1, range, 0), 5);
});
