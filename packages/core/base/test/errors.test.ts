import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError, ERRORS, isErrorCode, toDeltabaseError } from '../src/index.js';

test('every code has a retry rule, a gRPC status, an HTTP status and an exit code that exist', () => {
  for (const [code, facts] of Object.entries(ERRORS)) {
    assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
    assert.ok(['never', 'later', 'in-order'].includes(facts.retry), code);
    assert.ok(facts.grpc >= 1 && facts.grpc <= 16, code);
    assert.ok(facts.http >= 400 && facts.http <= 504, code);
    assert.ok([1, 2, 3, 4, 5, 130].includes(facts.exit), code);
    assert.ok(facts.meaning.length > 0 && !facts.meaning.endsWith('.'), code);
  }
});

test('codes that may be retried have an exit code and a gRPC status that say so', () => {
  const retryable = new Set([4, 8, 10, 14]);
  for (const [code, facts] of Object.entries(ERRORS)) {
    if (facts.retry === 'never') continue;
    assert.equal(facts.exit, 5, code);
    assert.ok(retryable.has(facts.grpc), code);
  }
});

test('an error carries its code, details, cause and retry rule', () => {
  const cause = new Error('disk');
  const error = new DeltabaseError('OVERLOADED', 'wait', { details: { retryAfterMs: 5 }, cause });
  assert.equal(error.retry, 'later');
  assert.deepEqual(error.details, { retryAfterMs: 5 });
  assert.equal(error.cause, cause);
  assert.equal(String(error), 'DeltabaseError: wait');
});

test('what is not expected becomes INTERNAL and keeps its cause', () => {
  const cause = new TypeError('x is not a function');
  const error = toDeltabaseError(cause);
  assert.equal(error.code, 'INTERNAL');
  assert.equal(error.cause, cause);
  assert.equal(toDeltabaseError(error), error);
  assert.equal(toDeltabaseError('text').message, 'text');
});

test('only codes of the table are codes', () => {
  assert.ok(isErrorCode('REJECTED'));
  assert.ok(!isErrorCode('toString'));
  assert.ok(!isErrorCode('rejected'));
});
