// What the other nodes say, frame by frame: checked, taken apart, and handed to whom it is for. A frame that
// cannot be read is lost, like any other that does not come; none of them can end this node.

import { DeltabaseError } from '@deltabase/base';
import type { Group } from '../groups/group.js';
import type { SnapshotSender } from '../groups/snapshot-sender.js';
import { decodeAnswer, decodeForward } from '../placement/forward-codec.js';
import { type Forwarding, PeerAnswerSink } from '../placement/forwarding.js';
import type { Router } from '../placement/router.js';
import type { Lane, Log, NodeId } from '../ports.js';
import type { ClusterClock } from './cluster-clock.js';
import { decodeBulkFrame, decodeFrame } from './frame.js';
import type { Links } from './links.js';
import { decodeRaftMessage } from './raft-codec.js';

export interface PeerIntakeHost {
  readonly self: NodeId;
  readonly groups: readonly Group[];
  readonly links: Links;
  readonly clusterClock: ClusterClock;
  readonly router: Router;
  readonly forwarding: Forwarding;
  readonly snapshots: SnapshotSender;
  readonly log: Log;
  nowMs(): number;
  /** Whether the disk has room, and is not too far behind, for what leaders send. */
  takesEntries(): boolean;
  dirty(group: Group): void;
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
    const { links, log, forwarding, groups } = this.#host;
    links.setReachable(peer, is);
    log.info('reachable', { peer, is });
    if (is) return;
    forwarding.lost(peer);
    for (const group of groups) {
      group.peerUnreachable(peer);
      this.#host.dirty(group);
    }
  }

  #receiveFrame(from: NodeId, bytes: Uint8Array): void {
    const { links, router, forwarding, clusterClock } = this.#host;
    const frame = decodeFrame(bytes);
    if (!links.accepts(from, frame)) return;
    links.setAbstaining(from, frame.abstains);
    clusterClock.heard(from, frame.wallMs);
    const now = this.#host.nowMs();
    for (const list of frame.raft) this.#step(from, list);
    for (const list of frame.forwards) {
      const { id, msLeft, message } = decodeForward(list);
      const sink = this.#sink(from);
      router.submitForwarded({ message, sink, tag: id, expiresMs: now + msLeft });
    }
    for (const list of frame.answers) {
      const { id, result } = decodeAnswer(list);
      forwarding.answered(from, id, result);
    }
  }

  #step(from: NodeId, list: unknown): void {
    const { self, groups } = this.#host;
    const { group: id, message } = decodeRaftMessage(self, list);
    const group = groups[id];
    if (group === undefined || message.from !== from || from === self) return;
    // As if it had been lost: the leader sends it again when this node answers heartbeats.
    if (message.type === 'append' && !this.#host.takesEntries()) return;
    group.step(message);
    this.#host.dirty(group);
  }

  #receiveBulk(from: NodeId, bytes: Uint8Array): void {
    const { links, groups, snapshots } = this.#host;
    const frame = decodeBulkFrame(bytes);
    const group = groups[frame.group];
    if (!links.accepts(from, frame) || group === undefined) return;
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
