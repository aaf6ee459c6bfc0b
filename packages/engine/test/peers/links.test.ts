import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import type { AppendMessage } from 'raft-ts';
import { decodeFrame } from '../../src/peers/frame.js';
import { Links } from '../../src/peers/links.js';
import { decodeRaftMessage } from '../../src/peers/raft-codec.js';
import type { Lane, Network } from '../../src/ports.js';
import { HEARTBEAT, HEARTBEAT_RESPONSE, LISTED_MESSAGES } from '../support/raft-messages.js';

const HEADER = { cluster: 'sim', clusterId: 'id', groups: 2, founders: 9, incarnation: 7 };

function setUp(limits: Partial<Limits> = {}) {
  const sent: Array<{ to: number; lane: Lane; frame: Uint8Array }> = [];
  const queued = new Map<number, number>();
  const network: Network = {
    setPeer() {},
    removePeer() {},
    send: (to, lane, frame) => void sent.push({ to, lane, frame }),
    queuedBytes: (to) => queued.get(to) ?? 0,
    listen() {},
  };
  const timers: Array<{ delayMs: number; run: () => void }> = [];
  const now = { ms: 0 };
  const links = new Links({
    self: 1,
    network,
    limits: { ...DEFAULT_LIMITS, ...limits },
    header: HEADER,
    life: 70,
    wallMs: () => 5,
    nowMs: () => now.ms,
    after: (delayMs, run) => void timers.push({ delayMs, run }),
    isWatched: () => false,
  });
  links.setPeers([2, 3]);
  return { links, sent, queued, now, timers };
}

test('what is said to a node in a turn leaves in one frame', () => {
  const { links, sent } = setUp();
  links.sendRaft(1, { ...LISTED_MESSAGES[7]!, to: 2 });
  links.sendRaft(2, { ...LISTED_MESSAGES[7]!, to: 2 });
  links.sendForward(2, [1], 10);
  links.sendAnswer(3, [2], 10);
  assert.equal(sent.length, 0);
  links.flush();
  assert.deepEqual(
    sent.map(({ to, lane }) => [to, lane]),
    [
      [2, 'urgent'],
      [3, 'urgent'],
    ],
  );
  const frame = decodeFrame(sent[0]!.frame);
  assert.equal(frame.raft.length, 2);
  assert.deepEqual(frame.forwards, [[1]]);
  links.flush();
  assert.equal(sent.length, 2);
});

test('heartbeats of all groups wait for the beat, which is one frame for each member', () => {
  const { links, sent } = setUp();
  for (const group of [0, 1, 2]) {
    for (const to of [2, 3]) {
      const message = { ...HEARTBEAT, to };
      links.sendHeartbeat({ group, message, offersSleep: group === 1 }, { waits: true });
    }
  }
  links.flush();
  assert.equal(sent.length, 0);
  links.beat();
  links.flush();
  assert.deepEqual(
    sent.map(({ to }) => to),
    [2, 3],
  );
  const each = [0, 1, 2].flatMap((group) => [group, 9, 4, 5, 2, group === 1 ? 1 : 0]);
  for (const { frame } of sent) assert.deepEqual(decodeFrame(frame).heartbeats, each);
  links.beat();
  links.flush();
  assert.equal(sent.length, 4, 'a beat is heard, with nothing to say too');
  assert.deepEqual(decodeFrame(sent[3]!.frame).heartbeats, []);
});

test('a heartbeat that reads wait for, and answers, leave in the frame of their turn', () => {
  const { links, sent } = setUp();
  const message = { ...HEARTBEAT, to: 2 };
  links.sendHeartbeat({ group: 1, message, offersSleep: false }, { waits: false });
  const response = { ...HEARTBEAT_RESPONSE, to: 2 };
  links.sendHeartbeatResponse({ group: 2, message: response, sleepsAt: 8 });
  links.flush();
  const { life, heartbeats, heartbeatResponses } = decodeFrame(sent[0]!.frame);
  assert.deepEqual(
    [life, heartbeats, heartbeatResponses],
    [70, [1, 9, 4, 5, 2, 0], [2, 9, 2, 1, 8]],
  );
});

test('a frame that grows large leaves before the turn ends', () => {
  const { links, sent } = setUp({ frameBytesMax: 100 });
  for (let count = 0; count < 5; count++) links.sendForward(2, [count], 60);
  assert.equal(sent.length, 2);
  links.flush();
  assert.deepEqual(
    sent.flatMap(({ frame }) => decodeFrame(frame).forwards),
    [[0], [1], [2], [3], [4]],
  );
});

test('a peer whose queue is full loses frames instead of filling memory', () => {
  const { links, sent, queued } = setUp({ peerQueueBytesMax: 1000 });
  queued.set(2, 1001);
  links.sendForward(2, [1], 10);
  links.sendForward(3, [1], 10);
  links.flush();
  assert.deepEqual(
    sent.map(({ to }) => to),
    [3],
  );
});

test('a peer that is away, or says that it abstains, is not to be made a leader', () => {
  const { links, sent } = setUp();
  assert.ok(!links.canLead(2));
  links.setReachable(2, true);
  assert.ok(links.canLead(2));
  links.setAbstaining(2, true);
  assert.ok(links.isReachable(2) && !links.canLead(2));
  links.setAbstaining(2, false);
  assert.ok(links.canLead(2));
  for (const is of [true, false]) {
    links.setAbstains(is);
    links.sendForward(2, [1], 10);
    links.flush();
    assert.equal(decodeFrame(sent.at(-1)!.frame).abstains, is);
  }
});

test('a node that is expelled is told so, now and then', () => {
  const { links, sent, now } = setUp();
  const told = (): unknown[] =>
    sent.splice(0).map(({ frame }) => decodeFrame(frame).notice?.expulsion);
  links.sendExpulsion(4, { expulsion: 'removed', clusterId: 'id' });
  links.flush();
  assert.deepEqual(told(), ['removed']);
  now.ms = 499;
  links.sendExpulsion(4, { expulsion: 'removed', clusterId: 'id' });
  links.flush();
  assert.deepEqual(told(), []);
  now.ms = 500;
  links.sendExpulsion(4, { expulsion: 'lost', clusterId: 'id' });
  links.sendExpulsion(5, { expulsion: 'removed', clusterId: 'id' });
  links.flush();
  assert.deepEqual(told(), ['lost', 'removed']);
});

test('nothing is left of a peer that is forgotten', () => {
  const { links } = setUp();
  links.setReachable(2, true);
  links.setAbstaining(2, true);
  links.forget(2);
  assert.ok(!links.isReachable(2));
  links.setReachable(2, true);
  assert.ok(links.canLead(2));
});

const NOTICE = {
  ...({ type: 'append', from: 1, to: 2, term: 3, prevIndex: 8, prevTerm: 3 } as const),
  ...{ entries: [], commit: 7, match: 6 },
};

test('a notice waits for a frame that leaves anyway, or for its time', () => {
  const { links, sent, timers } = setUp({ noticeMs: 10 });
  links.sendLater(1, NOTICE);
  links.flush();
  assert.equal(sent.length, 0);
  links.sendForward(2, [1], 10);
  links.flush();
  assert.equal(decodeFrame(sent[0]!.frame).raft.length, 1);

  links.sendLater(1, NOTICE);
  assert.deepEqual(
    timers.map(({ delayMs }) => delayMs),
    [10],
    'one timer for all that wait',
  );
  timers[0]!.run();
  links.flush();
  assert.equal(decodeFrame(sent[1]!.frame).raft.length, 1);
  links.flush();
  assert.equal(sent.length, 2);
});

test('a node that is watched is told of commits at once', () => {
  const { links, sent } = setUp();
  links.setWatched(2, true);
  links.sendLater(1, NOTICE);
  links.flush();
  assert.equal(sent.length, 1);
  links.setWatched(2, false);
  links.sendLater(1, NOTICE);
  links.flush();
  assert.equal(sent.length, 1);
});

const ENTRIES = {
  ...NOTICE,
  entries: [{ index: 9, term: 3, type: 'normal', data: new Uint8Array(60) }],
} as const;

test('entries that wait go with the next frame, before news that came later, or when their time is over', () => {
  const { links, sent, timers } = setUp({ noticeMs: 10 });
  links.sendLater(1, ENTRIES);
  links.sendLater(1, { ...NOTICE, prevIndex: 9, commit: 9 });
  links.flush();
  assert.deepEqual([sent.length, timers.length], [0, 1]);
  links.sendForward(2, [1], 10);
  links.flush();
  const { raft } = decodeFrame(sent[0]!.frame);
  const commits = raft.map((list) => (decodeRaftMessage(1, list).message as AppendMessage).commit);
  assert.deepEqual(commits, [7, 9]);

  timers[0]!.run();
  links.flush();
  assert.equal(sent.length, 1, 'nothing waits any more');
  links.sendLater(1, ENTRIES);
  assert.equal(timers.length, 2);
  timers[1]!.run();
  links.flush();
  assert.equal(decodeFrame(sent[1]!.frame).raft.length, 1);
});

test('entries do not wait for a node that is watched, and never gather beyond a frame', () => {
  const { links, sent } = setUp({ frameBytesMax: 100 });
  links.sendLater(1, ENTRIES);
  links.flush();
  assert.equal(sent.length, 0);
  links.sendLater(2, ENTRIES);
  assert.equal(sent.length, 1);
  links.setWatched(2, true);
  links.sendLater(1, ENTRIES);
  links.flush();
  assert.equal(sent.length, 2);
});

test('nothing that waits for a peer is left when it is forgotten', () => {
  const { links, sent, timers } = setUp();
  links.sendLater(1, ENTRIES);
  links.forget(2);
  timers[0]!.run();
  links.flush();
  assert.equal(sent.length, 0);
});

test('who was asked and has not answered in time is waited for no more', () => {
  const { links, now } = setUp({ noticeMs: 10 });
  links.sendRaft(1, { ...ENTRIES, to: 2 });
  assert.ok(links.mayWait(3, [2], 1));
  now.ms = 10;
  assert.ok(!links.mayWait(3, [2], 1));
  links.answered(2, 1);
  assert.ok(!links.mayWait(3, [2], 1), 'it comes last from then on');
  assert.ok(links.mayWait(2, [3], 1));
});
