import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError, ERRORS, type ErrorCode } from '@deltabase/base';
import { endOf, errorText, exitCodeOf } from '../src/exit.js';
import { OutputClosed } from '../src/io.js';
import { testIo } from './support/test-io.js';

test('the exit code is that of the errors table', () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    assert.equal(exitCodeOf(new DeltabaseError(code, 'x')), ERRORS[code].exit, code);
  }
  assert.equal(exitCodeOf(new TypeError('a defect')), 1);
});

test('an error is told in a line, or as JSON; a defect with its stack', () => {
  const error = new DeltabaseError('REJECTED', 'not\n\u001b[31mnow', { details: { a: 1 } });
  assert.equal(errorText(error, false), 'deltabase: not\\n\\u001b[31mnow (REJECTED)\n');
  assert.equal(errorText(error, false, 'line 3: ').slice(0, 19), 'deltabase: line 3: ');
  assert.deepEqual(JSON.parse(errorText(error, true)), {
    error: { code: 'REJECTED', message: 'not\n\u001b[31mnow', details: { a: 1 } },
  });
  assert.ok(errorText(new DeltabaseError('REJECTED', '\u009b2J'), true).includes('"\\u009b2J"'));
  assert.match(
    errorText(new TypeError('oops'), false),
    /^deltabase: oops \(INTERNAL\)\n.*exit\.test/s,
  );
});

test('a command that nobody reads any more ends quietly', () => {
  const io = testIo();
  assert.equal(endOf(new OutputClosed(), io, false), 0);
  assert.deepEqual(io.written, { out: '', err: '' });
});

test('a command that was interrupted ends as shells count, and tells only what became of a message', () => {
  const cancelled = new DeltabaseError('CANCELLED', 'the caller gave up');
  const unknown = new DeltabaseError('CANCELLED', 'may have taken effect', {
    details: { outcomeUnknown: true },
  });
  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    const io = testIo();
    io.interrupt(name);
    assert.equal(endOf(cancelled, io, false), code);
    assert.equal(io.written.err, '');
    assert.equal(endOf(unknown, io, false), code);
    assert.equal(io.written.err, 'deltabase: may have taken effect (CANCELLED)\n');
  }
});

test('a call that the cluster cancelled is an error like others', () => {
  const io = testIo();
  assert.equal(endOf(new DeltabaseError('CANCELLED', 'gone'), io, false), 130);
  assert.equal(io.written.err, 'deltabase: gone (CANCELLED)\n');
});
