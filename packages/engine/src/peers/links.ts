// What this node says to the others in a turn, gathered into one frame for each, and what it listens to: only
// nodes of its own cluster, and each only under the incarnation in which it first spoke (RAFT.md pitfall 7).

import type { Limits } from '@deltabase/base';
import type { Message as RaftMessage } from 'raft-ts';
import type { DiskOperation, Log, Network, NodeId } from '../ports.js';
import { peerKey } from '../storage/keys.js';
import { encodeIncarnation } from '../storage/recovery.js';
import { emptyParts, encodeFrame, type FrameHeader, type FrameParts } from './frame.js';
import { encodeRaftMessage } from './raft-codec.js';

interface Outbox {
  parts: FrameParts;
  /** About how large the frame will be. */
  bytes: number;
}

export interface LinkCounters {
  framesSent: number;
  bytesSent: number;
}

export class Links {
  readonly #network: Network;
  readonly #limits: Limits;
  readonly #log: Log;
  readonly #header: FrameHeader;
  readonly #write: (operations: readonly DiskOperation[], done: () => void) => void;
  readonly #incarnations: Map<NodeId, number>;
  readonly #introducing = new Set<NodeId>();
  readonly #outboxes = new Map<NodeId, Outbox>();
  readonly #reachable = new Set<NodeId>();
  readonly counters: LinkCounters = { framesSent: 0, bytesSent: 0 };

  constructor(options: {
    readonly network: Network;
    readonly limits: Limits;
    readonly log: Log;
    readonly header: FrameHeader;
    readonly incarnations: ReadonlyMap<NodeId, number>;
    readonly write: (operations: readonly DiskOperation[], done: () => void) => void;
  }) {
    this.#network = options.network;
    this.#limits = options.limits;
    this.#log = options.log;
    this.#header = options.header;
    this.#incarnations = new Map(options.incarnations);
    this.#write = options.write;
  }

  isReachable(peer: NodeId): boolean {
    return this.#reachable.has(peer);
  }

  setReachable(peer: NodeId, is: boolean): void {
    if (is) this.#reachable.add(peer);
    else this.#reachable.delete(peer);
  }

  /** Whether a frame of `from` is to be listened to. A node that is new here is remembered first. */
  accepts(from: NodeId, header: FrameHeader): boolean {
    if (header.cluster !== this.#header.cluster) {
      this.#log.warn('foreign-cluster', { peer: from, cluster: header.cluster });
      return false;
    }
    const known = this.#incarnations.get(from);
    if (known === header.incarnation) return true;
    if (known === undefined) this.#introduce(from, header.incarnation);
    else this.#log.error('foreign-incarnation', { peer: from, known, is: header.incarnation });
    return false;
  }

  sendRaft(group: number, message: RaftMessage): void {
    const outbox = this.#outbox(message.to);
    outbox.parts.raft.push(encodeRaftMessage(group, message));
    if (message.type === 'append') {
      for (const { data } of message.entries) outbox.bytes += data.length;
    }
    this.#sendIfLarge(message.to, outbox);
  }

  sendForward(to: NodeId, forward: unknown[], bytes: number): void {
    const outbox = this.#outbox(to);
    outbox.parts.forwards.push(forward);
    outbox.bytes += bytes;
    this.#sendIfLarge(to, outbox);
  }

  sendAnswer(to: NodeId, answer: unknown[], bytes: number): void {
    const outbox = this.#outbox(to);
    outbox.parts.answers.push(answer);
    outbox.bytes += bytes;
    this.#sendIfLarge(to, outbox);
  }

  sendBulk(to: NodeId, frame: Uint8Array): void {
    this.#count(frame);
    this.#network.send(to, 'bulk', frame);
  }

  /** Sends what the turn has gathered. */
  flush(): void {
    for (const [to, outbox] of this.#outboxes) this.#send(to, outbox);
    this.#outboxes.clear();
  }

  #outbox(to: NodeId): Outbox {
    let outbox = this.#outboxes.get(to);
    if (outbox === undefined) {
      outbox = { parts: emptyParts(), bytes: 0 };
      this.#outboxes.set(to, outbox);
    }
    return outbox;
  }

  #sendIfLarge(to: NodeId, outbox: Outbox): void {
    if (outbox.bytes < this.#limits.frameBytesMax) return;
    this.#send(to, outbox);
    this.#outboxes.delete(to);
  }

  /** A peer that takes nothing loses frames rather than filling memory: Raft sends again. */
  #send(to: NodeId, { parts }: Outbox): void {
    if (this.#network.queuedBytes(to, 'urgent') > this.#limits.peerQueueBytesMax) return;
    const frame = encodeFrame(this.#header, parts);
    this.#count(frame);
    this.#network.send(to, 'urgent', frame);
  }

  #count(frame: Uint8Array): void {
    this.counters.framesSent++;
    this.counters.bytesSent += frame.length;
  }

  /** What it says counts only once its incarnation is on disk; until then its frames are lost. */
  #introduce(peer: NodeId, incarnation: number): void {
    if (this.#introducing.has(peer)) return;
    this.#introducing.add(peer);
    const value = encodeIncarnation(incarnation);
    this.#write([{ kind: 'put', key: peerKey(peer), value }], () => {
      this.#introducing.delete(peer);
      this.#incarnations.set(peer, incarnation);
    });
  }
}
