import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { numberProblem, sessionOf } from '../../src/services/requests.js';

const SESSION = { name: 's', openedAt: 1, settled: 0 };
/** What decoders make of 2^53 + 1. */
const TOO_LARGE = 2 ** 53 + 2;

test('a message of a session has a number, and one that is too large is told so', () => {
  const problemOf = (number: number, after = 0) => numberProblem(SESSION, { number, after });
  assert.equal(problemOf(2 ** 53 - 1, 2 ** 53 - 2), undefined);
  assert.match(problemOf(0)!, /needs a number: count them from 1$/);
  assert.equal(problemOf(TOO_LARGE), 'number is too large: it may be 2^53 - 1 at most');
  assert.equal(problemOf(1, TOO_LARGE), 'after is too large: it may be 2^53 - 1 at most');
  assert.match(problemOf(5, 5)!, /^after must name an earlier message/);
});

test('what is too large in a session is told so by its name', () => {
  const fields = { name: 's', openedAtMs: 5, settled: 0, expiresAtMs: 0 };
  const names = { openedAtMs: 'opened_at_ms', settled: 'settled', expiresAtMs: 'expires_at_ms' };
  for (const [field, name] of Object.entries(names)) {
    assert.throws(() => sessionOf({ ...fields, [field]: TOO_LARGE }, DEFAULT_LIMITS), {
      code: 'INVALID_ARGUMENT',
      message: `${name} is too large: it may be 2^53 - 1 at most`,
    });
  }
  assert.throws(() => sessionOf({ ...fields, openedAtMs: 0 }, DEFAULT_LIMITS), /is not a time/);
  assert.throws(() => sessionOf({ ...fields, expiresAtMs: 4 }, DEFAULT_LIMITS), /is no time after/);
});
