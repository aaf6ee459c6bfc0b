import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import { decodeFrame } from '../../src/peers/frame.js';
import { Links } from '../../src/peers/links.js';
import type { DiskOperation, Lane, Network } from '../../src/ports.js';
import { SILENT } from '../support/log.js';
import { HEARTBEAT, HEARTBEAT_RESPONSE, LISTED_MESSAGES } from '../support/raft-messages.js';

const HEADER = { cluster: 'sim', groups: 2, founders: 9, incarnation: 7 };

function setUp(limits: Partial<Limits> = {}) {
  const sent: Array<{ to: number; lane: Lane; frame: Uint8Array }> = [];
  const queued = new Map<number, number>();
  const network: Network = {
    send: (to, lane, frame) => void sent.push({ to, lane, frame }),
    queuedBytes: (to) => queued.get(to) ?? 0,
    listen() {},
  };
  const errors: string[] = [];
  const timers: Array<{ delayMs: number; run: () => void }> = [];
  const written: Array<{ operations: readonly DiskOperation[]; done: () => void }> = [];
  const links = new Links({
    network,
    limits: { ...DEFAULT_LIMITS, ...limits },
    log: { ...SILENT, error: (_event, fields) => void errors.push(String(fields?.['reason'])) },
    header: HEADER,
    self: 1,
    life: 70,
    members: [1, 2, 3],
    wallMs: () => 5,
    incarnations: new Map([[2, 22]]),
    write: (operations, done) => void written.push({ operations, done }),
    after: (delayMs, run) => void timers.push({ delayMs, run }),
    isWatched: () => false,
  });
  return { links, sent, queued, written, errors, timers };
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

test('a node of another cluster or number of groups is not listened to', () => {
  const { links } = setUp();
  assert.ok(links.accepts(2, { ...HEADER, incarnation: 22 }));
  assert.ok(!links.accepts(2, { ...HEADER, cluster: 'other', incarnation: 22 }));
  assert.ok(!links.accepts(2, { ...HEADER, groups: 3, incarnation: 22 }));
});

test('a node with other first members is not listened to, and the log says so once', () => {
  const { links, errors } = setUp();
  const stranger = { ...HEADER, founders: 8, incarnation: 22 };
  assert.ok(!links.accepts(2, stranger));
  assert.ok(!links.accepts(2, stranger));
  assert.equal(errors.length, 1);
  assert.match(errors[0]!, /other first members than 1, 2, 3/);
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

test('a node that lost its disk is not listened to under its old id (pitfall 7)', () => {
  const { links } = setUp();
  assert.ok(!links.accepts(2, { ...HEADER, incarnation: 23 }));
});

test('a new peer is listened to once its incarnation is durable, and only under that one', () => {
  const { links, written } = setUp();
  assert.ok(!links.accepts(3, { ...HEADER, incarnation: 33 }));
  assert.ok(!links.accepts(3, { ...HEADER, incarnation: 33 }));
  assert.equal(written.length, 1);
  written[0]!.done();
  assert.ok(links.accepts(3, { ...HEADER, incarnation: 33 }));
  assert.ok(!links.accepts(3, { ...HEADER, incarnation: 34 }));
});

const NOTICE = {
  ...({ type: 'append', from: 1, to: 2, term: 3, prevIndex: 8, prevTerm: 3 } as const),
  ...{ entries: [], commit: 7, match: 6 },
};

test('a notice waits for a frame that leaves anyway, or for its time', () => {
  const { links, sent, timers } = setUp({ noticeMs: 10 });
  links.sendNotice(1, NOTICE);
  links.flush();
  assert.equal(sent.length, 0);
  links.sendForward(2, [1], 10);
  links.flush();
  assert.equal(decodeFrame(sent[0]!.frame).raft.length, 1);

  links.sendNotice(1, NOTICE);
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
  links.sendNotice(1, NOTICE);
  links.flush();
  assert.equal(sent.length, 1);
  links.setWatched(2, false);
  links.sendNotice(1, NOTICE);
  links.flush();
  assert.equal(sent.length, 1);
});
