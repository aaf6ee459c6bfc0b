import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from 'raft-ts';
import type { Group } from '../../src/groups/group.js';
import type { Expulsion, ExpulsionNotice } from '../../src/members/member.js';
import { writeHeartbeat, writeHeartbeatResponse } from '../../src/peers/beat-codec.js';
import {
  emptyParts,
  encodeBulkFrame,
  encodeFrame,
  type FrameHeader,
  type FrameParts,
  type Presence,
} from '../../src/peers/frame.js';
import type { Judgement } from '../../src/peers/identities.js';
import { PeerIntake, type PeerIntakeHost } from '../../src/peers/intake.js';
import { encodeRaftMessage } from '../../src/peers/raft-codec.js';
import { encodeAnswer, encodeForward } from '../../src/placement/forward-codec.js';
import type { Submission } from '../../src/results.js';
import { bytes, damaged, own } from '../support/bytes.js';
import { SILENT } from '../support/log.js';
import { HEARTBEAT, HEARTBEAT_RESPONSE, LISTED_MESSAGES } from '../support/raft-messages.js';
import { sampleMessage } from '../support/samples.js';

const HEADER: FrameHeader = {
  cluster: 'sim',
  clusterId: 'id',
  groups: 1,
  founders: 9,
  incarnation: 5,
};
const PRESENCE: Presence = {
  life: 8,
  abstains: true,
  isWatched: true,
  wallMs: 7,
  notice: undefined,
};

function setUp({
  judgement = 'peer' as Judgement,
  takesEntries = true,
  isAbstaining = false,
} = {}) {
  const said: string[] = [];
  const groups = [0, 1].map((id) => ({
    step: (message: Message) => said.push(`group ${id} ${message.type} from ${message.from}`),
    heartbeat: ({ from }: Message, { offersSleep }: { offersSleep: boolean }) =>
      said.push(`group ${id} heartbeat from ${from}${offersSleep ? ', which will sleep' : ''}`),
    heartbeatResponse: ({ from }: Message, sleepsAt: number) =>
      said.push(`group ${id} answer from ${from}, asleep at ${sleepsAt}`),
    snapshotPulled: (from: number) => said.push(`group ${id} pulled by ${from}`),
    peerUnreachable: (peer: number) => said.push(`group ${id} lost ${peer}`),
    receiver: { chunk: (from: number) => said.push(`group ${id} chunk from ${from}`) },
  }));
  const host = {
    self: 1,
    groups: groups as unknown as Group[],
    links: {
      setReachable() {},
      sendExpulsion: (to: number, { expulsion, clusterId }: ExpulsionNotice) =>
        said.push(`${to} is told: ${expulsion} from ${clusterId}`),
      isAbstaining: () => isAbstaining,
      setAbstaining: (from: number, is: boolean) => said.push(`${from} abstains ${is}`),
      setWatched: (from: number, is: boolean) => said.push(`${from} is watched: ${is}`),
      answered: (from: number, group: number) => said.push(`${from} answers in ${group}`),
      sendAnswer() {},
    },
    liveness: {
      heard: (from: number, life: number) => said.push(`${from} lives ${life}`),
      disconnected: (peer: number) => said.push(`${peer} is away`),
    },
    identities: { judge: () => judgement },
    membership: {
      told: ({ expulsion }: ExpulsionNotice, { isPeer }: { isPeer: boolean }) =>
        said.push(`told: ${expulsion} by a ${isPeer ? 'peer' : 'stranger'}`),
      reachable() {},
    },
    standings: { heard: (list: unknown) => said.push(`standing ${JSON.stringify(list)}`) },
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
    peerChanged: () => said.push('look at the sleepers'),
  };
  const intake = new PeerIntake(host as unknown as PeerIntakeHost);
  return { intake, said };
}

function frame(parts: Partial<FrameParts>, expulsion?: Expulsion): Uint8Array {
  const notice = expulsion && { expulsion, clusterId: 'id' };
  return own(encodeFrame(HEADER, { ...PRESENCE, notice }, { ...emptyParts(), ...parts }));
}

/** A heartbeat to a group, or the answer of its sender to one. */
function beat(group: number, kind: 'heartbeat' | 'answer' = 'heartbeat'): Partial<FrameParts> {
  const list: number[] = [];
  if (kind === 'heartbeat') {
    writeHeartbeat(list, { group, message: HEARTBEAT, offersSleep: group > 0 });
    return { heartbeats: list };
  }
  writeHeartbeatResponse(list, { group, message: HEARTBEAT_RESPONSE, sleepsAt: 12 });
  return { heartbeatResponses: list };
}

test('a frame is taken apart, each part for whom it is', () => {
  const { intake, said } = setUp();
  const whole = frame({
    ...beat(1),
    ...beat(0, 'answer'),
    raft: [encodeRaftMessage(1, LISTED_MESSAGES[0]!)],
    forwards: [encodeForward(7, 500, sampleMessage())],
    answers: [encodeAnswer(8, { kind: 'accepted', seq: 1, reply: undefined })],
    standings: [[4, [0, 1]]],
  });
  intake.received(2, 'urgent', whole);
  assert.deepEqual(said, [
    '2 lives 8',
    '2 abstains true',
    'look at the sleepers',
    '2 is watched: true',
    '2 says 7',
    'group 1 heartbeat from 2, which will sleep',
    'group 0 answer from 2, asleep at 12',
    'group 1 append from 2',
    'message 7 to a until 1500',
    'answer 8 from 2',
    'standing [4,[0,1]]',
  ]);
});

test('an answer to entries shows that a follower is prompt, before its group takes it', () => {
  const { intake, said } = setUp();
  const response = LISTED_MESSAGES.find(({ type }) => type === 'appendResponse')!;
  intake.received(2, 'urgent', frame({ raft: [encodeRaftMessage(1, response)] }));
  assert.deepEqual(said.slice(-2), ['2 answers in 1', 'group 1 appendResponse from 2']);
});

test('groups are told when a peer begins to abstain, not with every frame', () => {
  const { intake, said } = setUp({ isAbstaining: true });
  intake.received(2, 'urgent', frame({}));
  assert.deepEqual(said, ['2 lives 8', '2 is watched: true', '2 says 7']);
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
  const append = LISTED_MESSAGES[0]!;
  intake.received(3, 'urgent', frame({ raft: [encodeRaftMessage(1, append)] }));
  intake.received(2, 'urgent', frame({ raft: [encodeRaftMessage(9, append)] }));
  intake.received(1, 'urgent', frame(beat(1)));
  intake.received(2, 'urgent', frame(beat(9)));
  intake.received(2, 'urgent', frame(beat(9, 'answer')));
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
  const raft = [encodeRaftMessage(1, LISTED_MESSAGES[0]!)];
  intake.received(2, 'urgent', frame({ raft, ...beat(1) }));
  const place = { ...HEADER, group: 1, transfer: 3, after: bytes('') };
  const rows = [bytes('k'), bytes('v')];
  const chunk = encodeBulkFrame({ ...place, kind: 'chunk', rows, end: undefined });
  intake.received(2, 'bulk', own(chunk));
  assert.deepEqual(
    said.filter((line) => line.startsWith('group')),
    ['group 1 heartbeat from 2, which will sleep'],
  );
});

test('nothing is taken of a node that is not listened to', () => {
  const { intake, said } = setUp({ judgement: 'stranger' });
  intake.received(2, 'urgent', frame(beat(1)));
  const place = { ...HEADER, group: 1, transfer: 3, after: bytes('') };
  intake.received(2, 'bulk', own(encodeBulkFrame({ ...place, kind: 'pull' })));
  assert.deepEqual(said, []);
});

test('a node that is expelled is told so, and nothing is taken of it', () => {
  for (const judgement of ['removed', 'lost', 'left-behind'] as const) {
    const { intake, said } = setUp({ judgement });
    intake.received(2, 'urgent', frame(beat(1)));
    assert.deepEqual(said, [`2 is told: ${judgement} from id`]);
  }
});

test('a node is told that it is expelled by a peer, or by a cluster that was recovered without it', () => {
  const { intake, said } = setUp();
  intake.received(2, 'urgent', frame({}, 'removed'));
  assert.equal(said[0], 'told: removed by a peer');
  const other = setUp({ judgement: 'stranger' });
  other.intake.received(2, 'urgent', frame(beat(1), 'left-behind'));
  assert.deepEqual(other.said, ['told: left-behind by a stranger']);
});

test('a frame that cannot be read is lost, and ends nothing', () => {
  const { intake } = setUp();
  const whole = frame({
    ...beat(1),
    ...beat(1, 'answer'),
    raft: LISTED_MESSAGES.map((message) => encodeRaftMessage(1, message)),
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
  assert.deepEqual(said, ['2 is away', 'given up at 2', 'group 0 lost 2', 'group 1 lost 2']);
});
