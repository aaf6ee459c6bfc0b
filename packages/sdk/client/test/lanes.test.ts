// Where and when a document's messages go; that they stay in order is shown by exactly-once.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIENT_LIMITS } from '../src/limits.js';
import { Lanes } from '../src/sending/lanes.js';
import type { NodeStream } from '../src/sending/node-stream.js';
import { Outgoing, targetOf } from '../src/sending/outgoing.js';
import { Sessions } from '../src/sending/sessions.js';
import { VirtualWorld } from './support/virtual-world.js';

/** A stream that only remembers what was sent on it. */
class Recorder {
  readonly sent: string[] = [];

  send({ number, after }: Outgoing): void {
    this.sent.push(`${number} after ${after}`);
  }
}

function make() {
  const world = new VirtualWorld(1);
  const sessions = new Sessions(world, CLIENT_LIMITS);
  const ways: { straight: Recorder | undefined; others: Recorder[]; group: number } = {
    straight: undefined,
    others: [],
    group: 1,
  };
  const lanes = new Lanes(world, CLIENT_LIMITS, {
    groupOf: () => ways.group,
    straight: (group) =>
      (group === 1 ? ways.straight : undefined) as unknown as NodeStream | undefined,
    any: (_group, attempt) =>
      ways.others[attempt % ways.others.length] as unknown as NodeStream | undefined,
  });
  const send = (): Outgoing => {
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
    lanes.add(message);
    return message;
  };
  /** The answer to a copy has come, and it was the last word. */
  const answer = (message: Outgoing): void => {
    const lane = lanes.takeBack(message);
    lane.wasExecuted(message);
    message.settled = true;
    sessions.remove(message);
    lane.remove(message);
    lanes.goOn(lane);
  };
  /** The copy has come back and must go again. */
  const comeBack = (message: Outgoing, how: { needsRest: boolean; retryAfterMs?: number }) => {
    const lane = lanes.takeBack(message);
    lane.broken = true;
    lane.needsRest ||= how.needsRest;
    lane.retryAfterMs = how.retryAfterMs ?? 0;
    lanes.goOn(lane);
  };
  return { world, sessions, ways, lanes, send, answer, comeBack };
}

test('each message names the unanswered one before it', () => {
  const { ways, send, answer } = make();
  const stream = new Recorder();
  ways.straight = stream;
  const first = send();
  send();
  answer(first);
  send();
  assert.deepEqual(stream.sent, ['2 after 0', '4 after 2', '6 after 4']);
});

test('a lane stays on its stream while something is in flight, and then moves to the leader', () => {
  const { ways, lanes, send, answer } = make();
  const [old, leader] = [new Recorder(), new Recorder()];
  ways.straight = old;
  const first = send();
  ways.straight = leader;
  const second = send();
  assert.deepEqual(leader.sent, []);
  answer(first);
  assert.deepEqual(leader.sent, ['4 after 0']);
  assert.deepEqual(old.sent, ['2 after 0']);
  answer(second);
  assert.equal(lanes.size, 0);
});

test('without a leader it stays where it is, and otherwise takes another way each time', async () => {
  const { world, ways, send, comeBack } = make();
  ways.others = [new Recorder(), new Recorder()];
  const [a, b] = ways.others as [Recorder, Recorder];
  const first = send();
  const second = send();
  assert.deepEqual(a.sent, ['2 after 0', '4 after 2']);
  comeBack(first, { needsRest: true });
  comeBack(second, { needsRest: false });
  await world.run(1000);
  assert.deepEqual(b.sent, ['2 after 0', '4 after 2']);
});

test('a lane without any way waits until one opens', () => {
  const { ways, lanes, send } = make();
  send();
  const stream = new Recorder();
  ways.others = [stream];
  send();
  assert.deepEqual(stream.sent, []);
  lanes.waysOpened();
  assert.deepEqual(stream.sent, ['2 after 0', '4 after 2']);
});

test('nothing is sent again before everything in flight is back', async () => {
  const { world, ways, send, comeBack } = make();
  const stream = new Recorder();
  ways.straight = stream;
  const [first, second] = [send(), send()];
  comeBack(first, { needsRest: true });
  send();
  await world.run(5000);
  assert.equal(stream.sent.length, 2);
  comeBack(second, { needsRest: false });
  await world.run(5000);
  assert.deepEqual(stream.sent.slice(2), ['2 after 0', '4 after 2', '6 after 4']);
});

test('what was only out of order goes again at once, unless that happens over and over', async () => {
  const { world, ways, send, comeBack } = make();
  const stream = new Recorder();
  ways.straight = stream;
  const message = send();
  comeBack(message, { needsRest: false });
  comeBack(message, { needsRest: false });
  assert.equal(stream.sent.length, 3);
  comeBack(message, { needsRest: false });
  assert.equal(stream.sent.length, 3);
  await world.run(CLIENT_LIMITS.retryMsMax);
  assert.equal(stream.sent.length, 4);
});

test('pauses grow with the rounds, and are never shorter than the node advises', async () => {
  const { world, ways, send, comeBack } = make();
  const stream = new Recorder();
  ways.straight = stream;
  const message = send();
  const pauses: number[] = [];
  for (let round = 1; round <= 8; round++) {
    const startMs = world.nowMs();
    comeBack(message, { needsRest: true, retryAfterMs: round === 1 ? 300 : 0 });
    await world.runUntil(() => stream.sent.length === round + 1);
    pauses.push(world.nowMs() - startMs);
  }
  assert.ok(pauses[0]! >= 300 && pauses[0]! < 320, `${pauses}`);
  const { retryMsMax } = CLIENT_LIMITS;
  assert.ok(pauses[1]! < 60 && pauses[7]! >= retryMsMax / 2, `${pauses}`);
});

test('messages of a new session wait for those of the old', () => {
  const { sessions, ways, send, answer } = make();
  const stream = new Recorder();
  ways.straight = stream;
  const [first, second] = [send(), send()];
  sessions.rotate();
  send();
  answer(first);
  assert.equal(stream.sent.length, 2);
  answer(second);
  assert.deepEqual(stream.sent.slice(2), ['6 after 0']);
});

test('a lane that began when nobody knew its group goes straight once that is known', () => {
  const { ways, lanes, send } = make();
  ways.group = 0;
  send();
  const leader = new Recorder();
  ways.straight = leader;
  ways.others = [new Recorder()];
  ways.group = 1;
  lanes.waysOpened();
  assert.deepEqual([leader.sent, ways.others[0]!.sent], [['2 after 0'], []]);
});
