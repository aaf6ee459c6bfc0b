import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodeOfInterruption, Interruptions } from '../../src/tour/interruptions.js';

test('the first interruption counts; those of the next half second are the same one', async () => {
  let nowMs = 1000;
  const interruptions = new Interruptions(() => nowMs);
  assert.equal(interruptions.raise('SIGINT'), true);
  nowMs += 499;
  assert.equal(interruptions.raise('SIGTERM'), true);
  nowMs += 2;
  assert.equal(interruptions.raise('SIGINT'), false);
  assert.equal(await interruptions.first, 'SIGINT');
});

test('exit codes are those that shells give', () => {
  assert.equal(exitCodeOfInterruption('SIGINT'), 130);
  assert.equal(exitCodeOfInterruption('SIGTERM'), 143);
});
