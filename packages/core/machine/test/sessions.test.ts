import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import fc from 'fast-check';
import { type DeltaRecord, type Known, Sessions } from '../src/index.js';
import { sampleMessage, sampleRecord } from './sample.js';

const OPENED = 1_700_000_000_000;
const LIMITS: Limits = DEFAULT_LIMITS;

function folded(records: readonly DeltaRecord[], limits = LIMITS): Sessions {
  const sessions = new Sessions(limits);
  for (const record of records) sessions.fold(record);
  return sessions;
}

function find(sessions: Sessions, number: number, now = OPENED + 1000) {
  return sessions.find(sampleMessage({ number }), now);
}

/** What is known, with a reply as text: stored bytes come back as another kind of byte array. */
function plain(known: Known) {
  if (known.kind !== 'answered') return known;
  const { reply, seq } = known.answer;
  return { seq, reply: reply === undefined ? undefined : Buffer.from(reply).toString() };
}

function refusal(sessions: Sessions, number: number, now?: number): string | undefined {
  const known = find(sessions, number, now);
  return known.kind === 'refused' ? known.error.code : undefined;
}

test('a message that took effect keeps its first answer (AckedIsDurable)', () => {
  const sessions = folded([sampleRecord({ number: 12, settled: 10, seq: 7 })]);
  const known = find(sessions, 12);
  assert.ok(known.kind === 'answered');
  assert.equal(known.answer.seq, 7);
  assert.deepEqual(Buffer.from(known.answer.reply!), Buffer.from('7'));
  assert.equal(find(sessions, 13).kind, 'unknown');
});

test('a message without a session is never known', () => {
  const sessions = folded([sampleRecord({ session: '', number: 0 })]);
  const session = { name: '', openedAt: 0, settled: 0 };
  assert.equal(sessions.find(sampleMessage({ session, number: 0 }), OPENED).kind, 'unknown');
  assert.equal(sessions.size, 0);
});

test('a settled message is refused, and counts as executed', () => {
  const sessions = folded([sampleRecord({ number: 12, settled: 12 })]);
  assert.equal(refusal(sessions, 11), 'INVALID_ARGUMENT');
  assert.ok(sessions.has('c1', 11));
  assert.ok(sessions.has('c1', 12));
  assert.ok(!sessions.has('c1', 13));
});

test('one number for two documents is an error of the client, not an answer', () => {
  const sessions = folded([sampleRecord({ key: 'other', number: 12 })]);
  assert.equal(refusal(sessions, 12), 'INVALID_ARGUMENT');
});

test('a session is refused before it can be forgotten, and forgotten after', () => {
  const sessions = folded([sampleRecord({ time: OPENED })]);
  const age = LIMITS.sessionAgeMsMax;
  assert.equal(find(sessions, 12, OPENED + age).kind, 'answered');
  assert.equal(refusal(sessions, 12, OPENED + age + 1), 'SESSION_EXPIRED');
  sessions.fold(sampleRecord({ session: 'c2', openedAt: OPENED + age, time: OPENED + age + 2 }));
  assert.equal(sessions.size, 1);
  // Even the new session's leader refuses the forgotten one: its clock is never behind the fold's.
  assert.equal(refusal(sessions, 12, sessions.time), 'SESSION_EXPIRED');
});

test('a session from the future is refused, because it would outlive its memory', () => {
  const now = OPENED - LIMITS.clockSkewMsMax;
  assert.equal(find(new Sessions(LIMITS), 1, now).kind, 'unknown');
  assert.equal(refusal(new Sessions(LIMITS), 1, now - 1), 'INVALID_ARGUMENT');
});

test('a full table takes no new session and a full window no new message', () => {
  const limits = { ...LIMITS, sessionsPerGroupMax: 1, sessionWindowMax: 2 };
  const sessions = folded([sampleRecord({ session: 'c0', number: 1, settled: 1 })], limits);
  assert.equal(refusal(sessions, 1), 'OVERLOADED');
  const full = folded(
    [1, 2].map((number) => sampleRecord({ number, settled: 1 })),
    limits,
  );
  assert.equal(refusal(full, 3), 'OVERLOADED');
  assert.equal(find(full, 2).kind, 'answered');
});

test('folding records again changes nothing, at whatever point of a replay', () => {
  const numbers = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(numbers, fc.nat(), (sent, cut) => {
      const seen = new Set<number>();
      let settled = 1;
      const records: DeltaRecord[] = [];
      for (const number of sent) {
        if (seen.has(number) || number < settled) continue;
        seen.add(number);
        records.push(sampleRecord({ number, settled, seq: records.length + 1 }));
        while (seen.has(settled)) settled++;
      }
      const once = folded(records);
      const twice = folded([...records, ...records.slice(cut % records.length)]);
      for (let number = 1; number <= 41; number++) {
        assert.deepEqual(find(twice, number), find(once, number));
      }
    }),
  );
});

test('what is stored and loaded knows what was known', () => {
  const records = [1, 2, 3, 5].map((number) =>
    sampleRecord({ number, settled: 2, reply: number === 3 ? undefined : sampleRecord().reply }),
  );
  const sessions = folded(records);
  const loaded = new Sessions(LIMITS);
  for (const { name, bytes } of sessions.takeChanges()) loaded.load(name, bytes!.slice());
  for (let number = 1; number <= 6; number++) {
    assert.deepEqual(plain(find(loaded, number)), plain(find(sessions, number)), String(number));
  }
  assert.deepEqual(sessions.takeChanges(), []);
});

test('a forgotten session is deleted from storage', () => {
  const sessions = folded([sampleRecord({ time: OPENED })]);
  sessions.takeChanges();
  const later = OPENED + LIMITS.sessionAgeMsMax + 1;
  sessions.fold(sampleRecord({ session: '', number: 0, time: later }));
  assert.deepEqual(sessions.takeChanges(), [{ name: 'c1', bytes: undefined }]);
});

test('the time of a group never goes back', () => {
  const sessions = folded([sampleRecord({ time: OPENED + 9 }), sampleRecord({ time: OPENED })]);
  assert.equal(sessions.time, OPENED + 9);
  sessions.loadTime(OPENED + 5);
  assert.equal(sessions.time, OPENED + 9);
});

test('a session of an unknown form is damage', () => {
  const sessions = new Sessions(LIMITS);
  assert.throws(() => sessions.load('c1', Uint8Array.of(0x90)), { code: 'DATA_CORRUPT' });
});
