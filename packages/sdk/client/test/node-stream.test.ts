import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import { CLIENT_LIMITS, type ClientLimits } from '../src/limits.js';
import { NodeStream } from '../src/sending/node-stream.js';
import { Outgoing, targetOf } from '../src/sending/outgoing.js';
import { Sessions } from '../src/sending/sessions.js';
import type { WireMessage, WireSession } from '../src/transport/wire.js';
import { VirtualWorld } from './support/virtual-world.js';

interface Frame {
  readonly session: WireSession | undefined;
  readonly numbers: readonly number[];
  readonly timeoutMs: number;
}

function make(limits: Partial<ClientLimits> = {}) {
  const world = new VirtualWorld(1);
  const all = { ...CLIENT_LIMITS, ...limits };
  const sessions = new Sessions(world, all);
  const frames: Frame[] = [];
  const back: string[] = [];
  const state = { takesMore: true, stalled: 0 };
  const stream = new NodeStream({
    world,
    limits: all,
    sessions,
    returns: {
      accepted: ({ number }, seq, reply) => back.push(`accepted ${number} ${seq} ${reply}`),
      failed: ({ number }, { code }) => back.push(`failed ${number} ${code}`),
      skipped: ({ number }) => back.push(`skipped ${number}`),
      returned: ({ number, written }) => back.push(`returned ${number} ${written}`),
    },
    wire: {
      write(session, messages: readonly WireMessage[], timeoutMs) {
        frames.push({ session, numbers: messages.map(({ number }) => number), timeoutMs });
        return state.takesMore;
      },
      cancel() {},
    },
    stalled: () => {
      state.stalled++;
    },
  });
  const send = (payload = '1', deadlineMs = 5000): Outgoing => {
    const message = new Outgoing({
      target: targetOf('s', 'k'),
      channel: 'c',
      payload,
      timeoutMs: deadlineMs,
      deadlineMs,
      receiver: { accepted() {}, failed() {} },
      tag: 0,
    });
    sessions.add(message);
    stream.send(message);
    return message;
  };
  return { world, sessions, stream, frames, back, state, send };
}

test('what is sent in one turn of the process leaves as one frame', async () => {
  const { world, frames, send } = make();
  for (let count = 0; count < 3; count++) send();
  assert.deepEqual(frames, []);
  await world.run(1);
  send();
  await world.run(1);
  assert.deepEqual(
    frames.map(({ numbers }) => numbers),
    [[2, 4, 6], [8]],
  );
});

test('the session is told first, and again only when it or what is settled changes', async () => {
  const { world, sessions, frames, send } = make();
  const first = send();
  await world.run(1);
  send();
  await world.run(1);
  sessions.remove(first);
  send();
  await world.run(1);
  assert.deepEqual(
    frames.map(({ session }) => session?.settled),
    [1, undefined, 3],
  );
  assert.equal(frames[0]!.session!.name, first.session!.name);
});

test('a frame holds messages of one session', async () => {
  const { world, sessions, frames, send } = make();
  send();
  sessions.rotate();
  send();
  send();
  await world.run(1);
  assert.deepEqual(
    frames.map(({ numbers }) => numbers),
    [[2], [4, 6]],
  );
  assert.notEqual(frames[0]!.session!.name, frames[1]!.session!.name);
});

test('frames are cut by their number of messages and by their bytes', async () => {
  const byCount = make({ frameMessagesMax: 2 });
  for (let count = 0; count < 5; count++) byCount.send();
  await byCount.world.run(1);
  assert.deepEqual(
    byCount.frames.map(({ numbers }) => numbers.length),
    [2, 2, 1],
  );
  const byBytes = make({ frameBytesMax: 1000 });
  for (let count = 0; count < 3; count++) byBytes.send('x'.repeat(600));
  byBytes.send('x'.repeat(2000));
  await byBytes.world.run(1);
  assert.deepEqual(
    byBytes.frames.map(({ numbers }) => numbers.length),
    [1, 1, 1, 1],
  );
});

test('no more is on its way than the stream may hold; answers make room', async () => {
  const { world, stream, frames, send } = make({ streamInFlightMax: 2 });
  for (let count = 0; count < 3; count++) send();
  await world.run(1);
  assert.deepEqual(
    frames.map(({ numbers }) => numbers),
    [[2, 4]],
  );
  stream.accepted(4, 1, undefined);
  stream.received();
  await world.run(1);
  assert.deepEqual(
    frames.map(({ numbers }) => numbers),
    [[2, 4], [6]],
  );
});

test('nothing is written while the transport wants a pause', async () => {
  const { world, stream, frames, state, send } = make();
  state.takesMore = false;
  send();
  await world.run(1);
  send();
  await world.run(1);
  assert.equal(frames.length, 1);
  state.takesMore = true;
  stream.drained();
  await world.run(1);
  assert.deepEqual(frames[1]!.numbers, [4]);
});

test('a node gets as long as the most patient of a frame waits, within the limit', async () => {
  const { world, frames, send } = make({ attemptTimeoutMs: 1000 });
  send('1', 200);
  send('1', 700);
  await world.run(1);
  send('1', 9000);
  await world.run(1);
  assert.deepEqual(
    frames.map(({ timeoutMs }) => timeoutMs),
    [700, 1000],
  );
});

test('answers go to their messages; those to none are dropped', async () => {
  const { world, stream, back, send } = make();
  send();
  send();
  await world.run(1);
  stream.accepted(4, 7, '"reply"');
  stream.failed(2, { code: 'REJECTED', message: '', details: {} });
  stream.accepted(4, 8, undefined);
  stream.failed(99, { code: 'REJECTED', message: '', details: {} });
  assert.deepEqual(back, ['accepted 4 7 "reply"', 'failed 2 REJECTED']);
});

test('what was given up before it was written is left out and comes back at once', async () => {
  const { world, sessions, frames, back, send } = make();
  const first = send();
  send();
  first.settled = true;
  sessions.remove(first);
  await world.run(1);
  assert.deepEqual(frames[0]!.numbers, [4]);
  assert.deepEqual(back, ['skipped 2']);
});

test('everything comes back when the stream ends, written or not', async () => {
  const { world, stream, back, send } = make({ streamInFlightMax: 1 });
  send();
  send();
  await world.run(1);
  stream.ended(new DeltabaseError('UNAVAILABLE', 'gone'));
  assert.deepEqual(back, ['returned 2 true', 'returned 4 false']);
});

test('a message without an answer for too long makes the stream count as broken', async () => {
  const { world, stream, state, send } = make({ stallMs: 800 });
  send();
  await world.run(500);
  send();
  await world.run(200);
  stream.accepted(2, 1, undefined);
  await world.run(500);
  assert.equal(state.stalled, 0);
  await world.run(200);
  assert.equal(state.stalled, 1);
});
