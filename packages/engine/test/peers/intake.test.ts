import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from 'raft-ts';
import type { Group } from '../../src/groups/group.js';
import { encodeBulkFrame, encodeFrame, type FrameHeader } from '../../src/peers/frame.js';
import { PeerIntake, type PeerIntakeHost } from '../../src/peers/intake.js';
import { encodeRaftMessage } from '../../src/peers/raft-codec.js';
import { encodeAnswer, encodeForward } from '../../src/placement/forward-codec.js';
import type { Submission } from '../../src/results.js';
import { bytes, damaged, own } from '../support/bytes.js';
import { SILENT } from '../support/log.js';
import { MESSAGES } from '../support/raft-messages.js';
import { sampleMessage } from '../support/samples.js';

const HEADER: FrameHeader = { cluster: 'sim', groups: 1, founders: 9, incarnation: 5 };
const PRESENCE = { abstains: true, wallMs: 7 };
const HEARTBEAT = MESSAGES.find(({ type }) => type === 'heartbeat')!;

function setUp({ accepts = true, takesEntries = true } = {}) {
  const said: string[] = [];
  const groups = [0, 1].map((id) => ({
    step: (message: Message) => said.push(`group ${id} ${message.type} from ${message.from}`),
    snapshotPulled: (from: number) => said.push(`group ${id} pulled by ${from}`),
    peerUnreachable: (peer: number) => said.push(`group ${id} lost ${peer}`),
    receiver: { chunk: (from: number) => said.push(`group ${id} chunk from ${from}`) },
  }));
  const host = {
    self: 1,
    groups: groups as unknown as Group[],
    links: {
      accepts: () => accepts,
      setReachable() {},
      setAbstaining: (from: number, is: boolean) => said.push(`${from} abstains ${is}`),
      sendAnswer() {},
    },
    clusterClock: { heard: (from: number, ms: number) => said.push(`${from} says ${ms}`) },
    takesEntries: () => takesEntries,
    router: {
      submitForwarded: ({ message, tag, expiresMs }: Submission) =>
        said.push(`message ${tag} to ${message.key} until ${expiresMs}`),
    },
    forwarding: {
      answered: (from: number, id: number) => said.push(`answer ${id} from ${from}`),
      lost: (peer: number) => said.push(`given up at ${peer}`),
    },
    snapshots: { pull: (from: number) => said.push(`pull of ${from}`) },
    log: SILENT,
    nowMs: () => 1000,
    dirty() {},
  };
  const intake = new PeerIntake(host as unknown as PeerIntakeHost);
  return { intake, said };
}

function frame(parts: { raft?: unknown[][]; forwards?: unknown[][]; answers?: unknown[][] }) {
  return own(encodeFrame(HEADER, PRESENCE, { raft: [], forwards: [], answers: [], ...parts }));
}

test('a frame is taken apart, each part for whom it is', () => {
  const { intake, said } = setUp();
  const whole = frame({
    raft: [encodeRaftMessage(1, HEARTBEAT)],
    forwards: [encodeForward(7, 500, sampleMessage())],
    answers: [encodeAnswer(8, { kind: 'accepted', seq: 1, reply: undefined })],
  });
  intake.received(2, 'urgent', whole);
  assert.deepEqual(said, [
    '2 abstains true',
    '2 says 7',
    'group 1 heartbeat from 2',
    'message 7 to a until 1500',
    'answer 8 from 2',
  ]);
});

test('chunks go to the group, pulls to whoever sends snapshots', () => {
  const { intake, said } = setUp();
  const place = { ...HEADER, group: 1, transfer: 3, after: bytes('') };
  intake.received(2, 'bulk', own(encodeBulkFrame({ ...place, kind: 'pull' })));
  const rows = [bytes('k'), bytes('v')];
  intake.received(
    2,
    'bulk',
    own(encodeBulkFrame({ ...place, kind: 'chunk', rows, end: undefined })),
  );
  assert.deepEqual(said, ['group 1 pulled by 2', 'pull of 2', 'group 1 chunk from 2']);
});

test('nobody speaks for another node, nor for a group that there is not', () => {
  const { intake, said } = setUp();
  intake.received(3, 'urgent', frame({ raft: [encodeRaftMessage(1, HEARTBEAT)] }));
  intake.received(2, 'urgent', frame({ raft: [encodeRaftMessage(9, HEARTBEAT)] }));
  assert.deepEqual(
    said.splice(0).filter((line) => line.startsWith('group')),
    [],
  );
  const place = { ...HEADER, group: 9, transfer: 3, after: bytes('') };
  intake.received(2, 'bulk', own(encodeBulkFrame({ ...place, kind: 'pull' })));
  assert.deepEqual(said, []);
});

test('a node whose disk has no room takes no entries and no rows, but hears the leader', () => {
  const { intake, said } = setUp({ takesEntries: false });
  const raft = [MESSAGES[0]!, HEARTBEAT].map((message) => encodeRaftMessage(1, message));
  intake.received(2, 'urgent', frame({ raft }));
  const place = { ...HEADER, group: 1, transfer: 3, after: bytes('') };
  const rows = [bytes('k'), bytes('v')];
  const chunk = encodeBulkFrame({ ...place, kind: 'chunk', rows, end: undefined });
  intake.received(2, 'bulk', own(chunk));
  assert.deepEqual(
    said.filter((line) => line.startsWith('group')),
    ['group 1 heartbeat from 2'],
  );
});

test('nothing is taken of a node that is not listened to', () => {
  const { intake, said } = setUp({ accepts: false });
  intake.received(2, 'urgent', frame({ raft: [encodeRaftMessage(1, HEARTBEAT)] }));
  const place = { ...HEADER, group: 1, transfer: 3, after: bytes('') };
  intake.received(2, 'bulk', own(encodeBulkFrame({ ...place, kind: 'pull' })));
  assert.deepEqual(said, []);
});

test('a frame that cannot be read is lost, and ends nothing', () => {
  const { intake } = setUp();
  const whole = frame({
    raft: MESSAGES.map((message) => encodeRaftMessage(1, message)),
    forwards: [encodeForward(7, 500, sampleMessage())],
  });
  for (const input of damaged(whole, 3)) {
    intake.received(2, 'urgent', input);
    intake.received(2, 'bulk', input);
  }
});

test('a peer that is lost is told to all that wait for it', () => {
  const { intake, said } = setUp();
  intake.reachable(2, true);
  assert.deepEqual(said, []);
  intake.reachable(2, false);
  assert.deepEqual(said, ['given up at 2', 'group 0 lost 2', 'group 1 lost 2']);
});
