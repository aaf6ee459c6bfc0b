// What the other nodes say, frame by frame: checked, taken apart, and handed to whom it is for. A frame that
// cannot be read is lost, like any other that does not come; none of them can end this node.

import { DeltabaseError } from '@deltabase/base';
import type { Group } from '../groups/group.js';
import type { SnapshotSender } from '../groups/snapshot-sender.js';
import type { Membership } from '../members/membership.js';
import type { Standings } from '../members/standings.js';
import { decodeAnswer, decodeForward } from '../placement/forward-codec.js';
import { type Forwarding, PeerAnswerSink } from '../placement/forwarding.js';
import type { Router } from '../placement/router.js';
import type { Lane, Log, NodeId } from '../ports.js';
import { readHeartbeatResponses, readHeartbeats } from './beat-codec.js';
import type { ClusterClock } from './cluster-clock.js';
import { decodeBulkFrame, decodeFrame, type Frame, type FrameHeader } from './frame.js';
import type { Identities } from './identities.js';
import type { Links } from './links.js';
import type { Liveness } from './liveness.js';
import { decodeRaftMessage } from './raft-codec.js';

export interface PeerIntakeHost {
  readonly self: NodeId;
  readonly groups: readonly Group[];
  readonly links: Links;
  readonly liveness: Liveness;
  readonly identities: Identities;
  readonly membership: Membership;
  readonly standings: Standings;
  readonly clusterClock: ClusterClock;
  readonly router: Router;
  readonly forwarding: Forwarding;
  readonly snapshots: SnapshotSender;
  readonly log: Log;
  nowMs(): number;
  /** Whether the disk has room, and is not too far behind, for what leaders send. */
  takesEntries(): boolean;
  dirty(group: Group): void;
  /** What is known of a peer has changed: groups may have to wake. */
  peerChanged(): void;
}

export class PeerIntake {
  readonly #host: PeerIntakeHost;
  readonly #sinks = new Map<NodeId, PeerAnswerSink>();

  constructor(host: PeerIntakeHost) {
    this.#host = host;
  }

  received(from: NodeId, lane: Lane, bytes: Uint8Array): void {
    try {
      if (lane === 'bulk') this.#receiveBulk(from, bytes);
      else this.#receiveFrame(from, bytes);
    } catch (thrown) {
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      this.#host.log.warn('bad-frame', { peer: from, reason: thrown.message });
    }
  }

  reachable(peer: NodeId, is: boolean): void {
    const { links, liveness, log, forwarding, groups, membership } = this.#host;
    links.setReachable(peer, is);
    membership.reachable(peer, is);
    log.info('reachable', { peer, is });
    if (is) return;
    liveness.disconnected(peer);
    forwarding.lost(peer);
    for (const group of groups) {
      group.peerUnreachable(peer);
      this.#host.dirty(group);
    }
  }

  #receiveFrame(from: NodeId, bytes: Uint8Array): void {
    const { links, liveness, router, forwarding, clusterClock } = this.#host;
    const { standings, membership } = this.#host;
    const frame = decodeFrame(bytes);
    const isPeer = this.#accepts(from, frame);
    if (frame.notice !== undefined) membership.told(frame.notice, { isPeer });
    if (!isPeer) return;
    liveness.heard(from, frame.life);
    if (links.isAbstaining(from) !== frame.abstains) {
      links.setAbstaining(from, frame.abstains);
      this.#host.peerChanged();
    }
    links.setWatched(from, frame.isWatched);
    clusterClock.heard(from, frame.wallMs);
    const now = this.#host.nowMs();
    this.#takeRaft(from, frame);
    for (const list of frame.forwards) {
      const { id, msLeft, message } = decodeForward(list);
      const sink = this.#sink(from);
      router.submitForwarded({ message, sink, tag: id, expiresMs: now + msLeft });
    }
    for (const list of frame.answers) {
      const { id, result } = decodeAnswer(list);
      forwarding.answered(from, id, result);
    }
    for (const list of frame.standings) standings.heard(list, now);
  }

  /** Whether a node is listened to; one that is expelled is told. */
  #accepts(from: NodeId, header: FrameHeader): boolean {
    const judgement = this.#host.identities.judge(from, header);
    if (judgement === 'peer') return true;
    if (judgement !== 'stranger') {
      const { clusterId } = header;
      this.#host.links.sendExpulsion(from, { expulsion: judgement, clusterId });
    }
    return false;
  }

  #takeRaft(from: NodeId, frame: Frame): void {
    const { raft, heartbeats, heartbeatResponses: answers } = frame;
    const { self } = this.#host;
    if (from === self) return;
    const ends = { from, to: self };
    for (const { group: id, message, offersSleep } of readHeartbeats(heartbeats, ends)) {
      this.#take(id, (group) => group.heartbeat(message, { offersSleep }));
    }
    for (const { group: id, message, sleepsAt } of readHeartbeatResponses(answers, ends)) {
      this.#take(id, (group) => group.heartbeatResponse(message, sleepsAt));
    }
    for (const list of raft) {
      const { group: id, message } = decodeRaftMessage(self, list);
      if (message.from !== from) continue;
      // As if it had been lost: the leader sends it again when this node answers heartbeats.
      if (message.type === 'append' && !this.#host.takesEntries()) continue;
      if (message.type === 'appendResponse') this.#host.links.answered(from, id);
      this.#take(id, (group) => group.step(message));
    }
  }

  #take(id: number, step: (group: Group) => void): void {
    const group = this.#host.groups[id];
    if (group === undefined) return;
    step(group);
    this.#host.dirty(group);
  }

  #receiveBulk(from: NodeId, bytes: Uint8Array): void {
    const { groups, snapshots } = this.#host;
    const frame = decodeBulkFrame(bytes);
    const group = groups[frame.group];
    if (!this.#accepts(from, frame) || group === undefined) return;
    if (frame.kind === 'chunk') {
      if (this.#host.takesEntries()) group.receiver.chunk(from, frame);
    } else {
      group.snapshotPulled(from);
      snapshots.pull(from, frame, this.#host.nowMs());
    }
  }

  #sink(peer: NodeId): PeerAnswerSink {
    let sink = this.#sinks.get(peer);
    if (sink === undefined) {
      sink = new PeerAnswerSink(this.#host.links, peer);
      this.#sinks.set(peer, sink);
    }
    return sink;
  }
}
