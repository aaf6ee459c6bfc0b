import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { callError } from '../src/transport/grpc/call-error.js';

function thrown(code: status, details: string): ServiceError {
  const metadata = new Metadata();
  return Object.assign(new Error(`${code} ${details}`), { code, details, metadata });
}

test('a call that reached nobody says why in the words of the system', () => {
  const details =
    'No connection established. Last error: Error: connect ECONNREFUSED 10.0.0.1:7. Resolution note: ';
  const error = callError('10.0.0.1:7', thrown(status.UNAVAILABLE, details));
  assert.equal(error.code, 'UNAVAILABLE');
  assert.equal(error.message, '10.0.0.1:7: connect ECONNREFUSED 10.0.0.1:7');
});

test('a call that took too long says so, and keeps what gRPC said as its cause', () => {
  const late = thrown(status.DEADLINE_EXCEEDED, 'Deadline exceeded after 1.000s,LB pick: 0.001s');
  const error = callError('10.0.0.1:7', late);
  assert.equal(error.code, 'DEADLINE_EXCEEDED');
  assert.equal(error.message, '10.0.0.1:7: no answer in time');
  assert.equal(error.cause, late);
});

test('a message beyond the limit of its receiver is no overload: it would be as large again', () => {
  for (const details of [
    'Received message larger than max (16777085 vs 8454144)',
    'grpc: received message larger than max (16777085 vs. 8454144)',
  ]) {
    const error = callError('10.0.0.1:7', thrown(status.RESOURCE_EXHAUSTED, details));
    assert.equal(error.code, 'INVALID_ARGUMENT');
    assert.deepEqual(error.details, { bytes: 16777085, bytesMax: 8454144 });
    assert.match(error.message, /a message of 16777085 bytes, of 8454144 allowed/);
  }
  const busy = callError('10.0.0.1:7', thrown(status.RESOURCE_EXHAUSTED, 'too many requests'));
  assert.equal(busy.code, 'OVERLOADED');
});

test('what else gRPC says is told as it is', () => {
  const error = callError('10.0.0.1:7', thrown(status.UNAVAILABLE, 'Connection dropped'));
  assert.equal(error.message, '10.0.0.1:7: Connection dropped');
});
