import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import fc from 'fast-check';
import { type DeltaRecord, type Known, type SessionChange, Sessions } from '../src/index.js';
import { sampleMessage, sampleOutcome, sampleRecord } from './sample.js';

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

function failureIn({ error: { code, message } }: Extract<Known, { kind: 'refused' }>) {
  return { kind: 'failed', code, message };
}

/** What is on disk, as `name part`. */
type Rows = Map<string, SessionChange>;

function store(changes: readonly SessionChange[], rows: Rows): void {
  for (const change of changes) {
    const key = `${change.name} ${String(change.part).padStart(9, '0')}`;
    if (change.bytes === undefined) assert.ok(rows.delete(key), `${key} is on disk`);
    else rows.set(key, change);
  }
}

function fromRows(rows: Rows): Sessions {
  const sessions = new Sessions(LIMITS);
  for (const key of [...rows.keys()].sort()) {
    const { name, part, bytes } = rows.get(key)!;
    sessions.load(name, part, bytes!.slice());
  }
  return sessions;
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

test('a full table makes room by itself when time has passed, though nothing is folded', () => {
  const limits = { ...LIMITS, sessionsPerGroupMax: 1 };
  const sessions = folded([sampleRecord({ session: 'c0', time: OPENED })], limits);
  const later = OPENED + LIMITS.sessionAgeMsMax + 60_001;
  const fresh = (openedAt: number) =>
    sampleMessage({ number: 1, session: { name: 'new', openedAt, settled: 0 } });
  assert.equal(sessions.find(fresh(OPENED), OPENED + 60_001).kind, 'refused');
  assert.equal(sessions.find(fresh(later), later).kind, 'unknown');
  // What was forgotten stays refused, whatever a later leader's clock says.
  assert.equal(sessions.size, 0);
  assert.equal(sessions.time, later);
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

test('messages may come in any order with any reply: each has the answer it got first', () => {
  const message = fc.record({
    number: fc.integer({ min: 1, max: 60 }),
    reply: fc.option(fc.uint8Array({ maxLength: 60 }), { nil: undefined }),
    fails: fc.boolean(),
    settle: fc.constantFrom(0, 0, 0, 1, 5),
    store: fc.constantFrom(false, false, false, true),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 150 }), (messages) => {
      const rows: Rows = new Map();
      let sessions = new Sessions(LIMITS);
      const answers = new Map<number, object>();
      let settled = 1;
      for (const [seq, { number, reply, fails, settle, store: isStored }] of messages.entries()) {
        const isNew = number >= settled && !answers.has(number);
        // What comes again is not folded, nor what it says is settled.
        if (isNew) settled = Math.max(settled, Math.min(number, settled + settle));
        const refusedFor = { kind: 'failed', code: 'REJECTED', message: `no ${seq}` } as const;
        const says = Math.min(number, settled);
        if (fails)
          sessions.foldOutcome(sampleOutcome({ number, settled: says, answer: refusedFor }));
        else sessions.fold(sampleRecord({ number, settled: says, seq: seq + 1, reply }));
        if (isNew) {
          const text = reply && Buffer.from(reply).toString();
          answers.set(number, fails ? refusedFor : { seq: seq + 1, reply: text });
        }
        if (!isStored) continue;
        store(sessions.takeChanges(), rows);
        sessions = fromRows(rows);
      }
      for (let number = 1; number <= 61; number++) {
        const known = find(sessions, number);
        assert.equal(sessions.has('c1', number), number < settled || answers.has(number));
        if (known.kind === 'unknown') assert.ok(!answers.has(number));
        else if (known.kind === 'answered') assert.deepEqual(plain(known), answers.get(number));
        else if (number >= settled) assert.deepEqual(failureIn(known), answers.get(number));
        else assert.equal(known.error.code, 'INVALID_ARGUMENT');
      }
    }),
  );
});

test('what is stored and loaded knows what was known', () => {
  const records = [1, 2, 3, 5].map((number) =>
    sampleRecord({ number, settled: 2, reply: number === 3 ? undefined : sampleRecord().reply }),
  );
  const sessions = folded(records);
  const rows: Rows = new Map();
  store(sessions.takeChanges(), rows);
  const loaded = fromRows(rows);
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
  assert.deepEqual(sessions.takeChanges(), [
    { name: 'c1', part: 0, bytes: undefined },
    { name: 'c1', part: 1, bytes: undefined },
  ]);
});

test('the time of a group never goes back', () => {
  const sessions = folded([sampleRecord({ time: OPENED + 9 }), sampleRecord({ time: OPENED })]);
  assert.equal(sessions.time, OPENED + 9);
  sessions.loadTime(OPENED + 5);
  assert.equal(sessions.time, OPENED + 9);
});

test('a session of an unknown form is damage', () => {
  const sessions = new Sessions(LIMITS);
  const corrupt = { code: 'DATA_CORRUPT' };
  const [header, row] = folded([sampleRecord()])
    .takeChanges()
    .map(({ bytes }) => bytes!);
  assert.throws(() => sessions.load('c1', 0, Uint8Array.of(0x90)), corrupt);
  assert.throws(() => sessions.load('c1', 1, row!), corrupt, 'without the session itself');
  sessions.load('c1', 0, header!);
  assert.throws(() => sessions.load('c1', 1, header!), corrupt);
  sessions.load('c1', 1, row!);
});

test('a message that left no delta keeps its answer too, once that is in the log (AckedIsDurable)', () => {
  const rows: Rows = new Map();
  const sessions = new Sessions(LIMITS);
  const refused = { kind: 'failed', code: 'REJECTED', message: 'closed' } as const;
  const reply = Buffer.from('"nothing"');
  sessions.foldOutcome(sampleOutcome({ number: 12, answer: refused }));
  sessions.foldOutcome(sampleOutcome({ number: 13, answer: { kind: 'accepted', seq: 4, reply } }));
  assert.equal(sessions.time, sampleOutcome().time);
  store(sessions.takeChanges(), rows);
  for (const each of [sessions, fromRows(rows)]) {
    const first = find(each, 12);
    assert.ok(first.kind === 'refused');
    assert.deepEqual([first.error.code, first.error.message], ['REJECTED', 'closed']);
    assert.deepEqual(plain(find(each, 13)), { seq: 4, reply: '"nothing"' });
    assert.ok(each.has('c1', 12), 'it counts as executed');
  }
  sessions.fold(sampleRecord({ number: 14, settled: 14 }));
  assert.equal(refusal(sessions, 12), 'INVALID_ARGUMENT');
});

test('rows of a session stay small, and each is written while it grows and never after', () => {
  const rows: Rows = new Map();
  const sessions = new Sessions(LIMITS);
  const reply = new Uint8Array(LIMITS.replyBytesMax);
  const written = new Map<number, number>();
  for (let number = 1; number <= 400; number++) {
    const isLarge = number % 100 === 0;
    sessions.fold(
      sampleRecord({ number, settled: 1, reply: isLarge ? reply : reply.subarray(0, 1000) }),
    );
    if (number % 20 !== 0) continue;
    const changes = sessions.takeChanges();
    for (const { part, bytes } of changes) {
      assert.ok(bytes!.length <= LIMITS.replyBytesMax + 70_000, `part ${part}: ${bytes!.length}`);
      written.set(part, (written.get(part) ?? 0) + 1);
    }
    assert.ok(changes.length <= 3, 'a flush writes what is new');
    store(changes, rows);
  }
  for (const [part, times] of written)
    assert.ok(part === 0 || times <= 5, `part ${part}: ${times}`);
  const loaded = fromRows(rows);
  for (let number = 1; number <= 401; number++) {
    assert.deepEqual(plain(find(loaded, number)), plain(find(sessions, number)), String(number));
  }
});

test('what is on disk always knows what was known, and nothing that is settled stays there', () => {
  const steps = fc.array(
    fc.record({
      bytes: fc.constantFrom(3, 30_000, 70_000),
      settle: fc.nat(4),
      flush: fc.boolean(),
    }),
    { minLength: 1, maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const rows: Rows = new Map();
      let sessions = new Sessions(LIMITS);
      let settled = 1;
      for (const [at, { bytes, settle, flush }] of all.entries()) {
        const number = at + 1;
        settled = Math.min(number, settled + settle);
        sessions.fold(sampleRecord({ number, settled, reply: Buffer.alloc(bytes, number) }));
        if (!flush) continue;
        store(sessions.takeChanges(), rows);
        const loaded = fromRows(rows);
        for (let each = 1; each <= number + 1; each++) {
          assert.deepEqual(plain(find(loaded, each)), plain(find(sessions, each)), String(each));
        }
        sessions = loaded; // Going on from disk makes no difference.
      }
      const last = all.length + 1;
      sessions.fold(sampleRecord({ number: last, settled: last }));
      store(sessions.takeChanges(), rows);
      assert.equal(rows.size, 2, 'the session itself and its last answer');
    }),
  );
});

test('answers that are left unsettled here and there take few rows, and all are known', () => {
  const rows: Rows = new Map();
  const sessions = new Sessions(LIMITS);
  const large = new Uint8Array(70_000);
  const far = 2 ** 40;
  for (let at = 0; at < 300; at++) {
    // Each second one fills a row, and is settled with the next.
    const [left, settled] = [far + at, 2 * at + 1];
    sessions.fold(sampleRecord({ number: left, settled, seq: at + 1 }));
    sessions.fold(sampleRecord({ number: settled, settled, reply: large }));
    if (at % 7 === 0) store(sessions.takeChanges(), rows);
  }
  sessions.fold(sampleRecord({ number: 1000, settled: 1000 }));
  store(sessions.takeChanges(), rows);
  assert.ok(rows.size <= 4, `${rows.size} rows`);
  for (const each of [sessions, fromRows(rows)]) {
    for (let at = 0; at < 300; at++) {
      assert.deepEqual(plain(find(each, far + at)), { seq: at + 1, reply: '7' });
    }
    assert.equal(find(each, far + 300).kind, 'unknown');
  }
});

test('a session with too many bytes of answers must settle some, and can do so with any message', () => {
  const limits = { ...LIMITS, sessionBytesMax: 100_000, sessionWindowMax: 200 };
  const large = folded(
    [1, 2, 3].map((number) => sampleRecord({ number, settled: 1, reply: new Uint8Array(40_000) })),
    limits,
  );
  const many = folded(
    Array.from({ length: 200 }, (_, at) => sampleRecord({ number: at + 1, settled: 1 })),
    limits,
  );
  for (const [sessions, next] of [
    [large, 4],
    [many, 201],
  ] as const) {
    assert.equal(refusal(sessions, next), 'OVERLOADED');
    // A message that says what is settled makes its own room: else nobody could ever settle.
    const session = { name: 'c1', openedAt: OPENED, settled: 2 };
    const known = sessions.find(sampleMessage({ number: next, session }), OPENED + 1000);
    assert.equal(known.kind, 'unknown');
    sessions.fold(sampleRecord({ number: next, settled: 2 }));
    assert.equal(refusal(sessions, 1), 'INVALID_ARGUMENT');
  }
});

test('when a group remembers too much, those that hold more than their share wait, and nobody else', () => {
  const limits = { ...LIMITS, sessionBytesPerGroupMax: 200_000 };
  const reply = new Uint8Array(60_000);
  const records = [1, 2, 3].map((number) => sampleRecord({ number, settled: 1, reply }));
  const sessions = folded(
    [...records, sampleRecord({ session: 'c2', number: 1, settled: 1 })],
    limits,
  );
  assert.equal(refusal(sessions, 4), undefined);
  sessions.fold(sampleRecord({ number: 4, settled: 1, reply }));
  assert.equal(refusal(sessions, 5), 'OVERLOADED');
  for (const name of ['c2', 'new']) {
    const session = { name, openedAt: OPENED, settled: 1 };
    const known = sessions.find(sampleMessage({ number: 2, session }), OPENED + 1000);
    assert.equal(known.kind, 'unknown', name);
  }
  sessions.fold(sampleRecord({ number: 5, settled: 5 }));
  assert.equal(refusal(sessions, 6), undefined, 'settled answers count no more');
});
