import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Config, completeConfig } from '../src/config.js';
import { isRaftError } from '../src/errors.js';
import { MemoryStorage } from '../src/memory-storage.js';

const MINIMAL: Config = {
  id: 1,
  storage: new MemoryStorage([1]),
  electionTicks: 10,
  heartbeatTicks: 1,
  random: () => 0,
};

test('pre-vote and check-quorum are on unless they are turned off', () => {
  const full = completeConfig(MINIMAL);
  assert.equal(full.preVote, true);
  assert.equal(full.checkQuorum, true);
  assert.equal(full.stepDownOnRemoval, true);
  assert.equal(full.readOnly, 'safe');
  assert.equal(completeConfig({ ...MINIMAL, preVote: false }).preVote, false);
});

test('every limit takes Infinity', () => {
  const limits = {
    appendBytesMax: Infinity,
    applyingBytesMax: Infinity,
    uncommittedBytesMax: Infinity,
    inflightMessagesMax: Infinity,
    inflightBytesMax: Infinity,
    pendingReadsMax: Infinity,
  };
  assert.equal(completeConfig({ ...MINIMAL, ...limits }).inflightMessagesMax, Infinity);
});

test('a configuration that cannot work is refused, and the field is named', () => {
  const wrong: readonly Partial<Config>[] = [
    { id: 0 },
    { id: 1.5 },
    { heartbeatTicks: 0 },
    { heartbeatTicks: 0.5 },
    { electionTicks: 1 },
    { electionTicks: 2.5 },
    { appendBytesMax: 0 },
    { applyingBytesMax: 0 },
    { uncommittedBytesMax: Number.NaN },
    { inflightMessagesMax: 0 },
    { inflightBytesMax: -1 },
    { pendingReadsMax: 0 },
    { readOnly: 'lease', checkQuorum: false },
  ];
  for (const parts of wrong) {
    const [field] = Object.keys(parts);
    assert.throws(
      () => completeConfig({ ...MINIMAL, ...parts }),
      (thrown: Error) => isRaftError(thrown, 'ConfigInvalid') && /must|need/.test(thrown.message),
      field,
    );
  }
});
