import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIENT_LIMITS } from '../src/limits.js';
import { Outgoing, targetOf } from '../src/sending/outgoing.js';
import { Sessions, unusedBefore } from '../src/sending/sessions.js';
import { VirtualWorld } from './support/virtual-world.js';

function make(limits = {}): { world: VirtualWorld; sessions: Sessions } {
  const world = new VirtualWorld(1);
  return { world, sessions: new Sessions(world, { ...CLIENT_LIMITS, ...limits }) };
}

function add(sessions: Sessions): Outgoing {
  const message = new Outgoing({
    target: targetOf('s', 'k'),
    channel: 'c',
    payload: '',
    timeoutMs: 1,
    deadlineMs: 1,
    receiver: { accepted() {}, failed() {} },
    tag: 0,
  });
  sessions.add(message);
  return message;
}

test('numbers rise and leave one unused before each', () => {
  const { sessions } = make();
  const numbers = [add(sessions), add(sessions), add(sessions)].map(({ number }) => number);
  assert.deepEqual(numbers, [2, 4, 6]);
});

test('a session says when it ends: no earlier than its last message could be retried', () => {
  const { world, sessions } = make();
  const { sessionAgeMsMax, deadlineMsMax } = CLIENT_LIMITS;
  const [session] = sessions.live;
  const { openedAtMs, expiresAtMs } = sessions.announce(session!);
  assert.equal(openedAtMs, world.wallMs());
  assert.ok(expiresAtMs > openedAtMs + sessionAgeMsMax + deadlineMsMax);
  assert.ok(expiresAtMs < openedAtMs + 35 * 60_000, 'and well before an hour');
});

test('what is settled ends before the lowest unsettled message and its unused number', () => {
  const { sessions } = make();
  const session = sessions.live[0]!;
  assert.equal(sessions.settledOf(session), 1);
  const [first, second, third] = [add(sessions), add(sessions), add(sessions)];
  sessions.remove(second!);
  assert.equal(sessions.settledOf(session), unusedBefore(first!.number));
  sessions.remove(first!);
  assert.equal(sessions.settledOf(session), unusedBefore(third!.number));
  sessions.remove(third!);
  assert.equal(sessions.settledOf(session), 7);
});

test('a session that is old is followed by a new one with a name and a time of its own', async () => {
  const { world, sessions } = make({ sessionAgeMsMax: 1000 });
  const before = add(sessions);
  await world.run(1001);
  const after = add(sessions);
  assert.notEqual(after.session, before.session);
  assert.notEqual(after.session!.name, before.session!.name);
  assert.equal(after.session!.openedAtMs - before.session!.openedAtMs, 1001);
  assert.ok(after.number > before.number);
});

test('a session ends with its last message, the present one stays', async () => {
  const { sessions } = make();
  const [first, second] = [add(sessions), add(sessions)];
  sessions.rotate();
  const third = add(sessions);
  assert.equal(sessions.live.length, 2);
  sessions.remove(first!);
  assert.equal(sessions.live.length, 2);
  sessions.remove(second!);
  assert.deepEqual(sessions.live, [third.session]);
  sessions.remove(third);
  assert.deepEqual(sessions.live, [third.session]);
});

test('one message that gets no answer does not stop the others: they go to new sessions', () => {
  const { sessions } = make({ sessionWidthMax: 10, sessionsMax: 3 });
  const stuck = add(sessions);
  for (let count = 0; count < 9; count++) sessions.remove(add(sessions));
  assert.equal(sessions.live.length, 1);
  const next = add(sessions);
  assert.notEqual(next.session, stuck.session);
  assert.equal(sessions.settledOf(stuck.session!), unusedBefore(stuck.number));
});

test('there is no room when every session is wide', () => {
  const { sessions } = make({ sessionWidthMax: 4, sessionsMax: 2 });
  const all = Array.from({ length: 8 }, () => add(sessions));
  assert.equal(sessions.live.length, 2);
  assert.equal(sessions.hasRoom, false);
  for (const message of all.slice(0, 4)) sessions.remove(message);
  assert.equal(sessions.hasRoom, true);
});

test('a wall clock that was set back begins a new session', async () => {
  const { world, sessions } = make();
  const before = add(sessions);
  world.skewMs = -5000;
  const after = add(sessions);
  assert.equal(after.session!.openedAtMs, before.session!.openedAtMs - 5000);
});
