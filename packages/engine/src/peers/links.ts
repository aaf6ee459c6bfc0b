// What this node says to the others in a turn, gathered into one frame for each, and what it knows of the ways there.
// Heartbeats of groups wait for the node's beat, and go in one list: one frame for each peer and interval, with however
// many groups. Notices wait for any frame (notices.ts), and so do entries that a leader needs no answer to (promptness.ts),
// but not for long, and not where somebody watches.

import type { Limits } from '@deltabase/base';
import type { ExpulsionNotice } from '../members/member.js';
import type { Network, NodeId } from '../ports.js';
import {
  type GroupHeartbeat,
  type GroupHeartbeatResponse,
  writeHeartbeat,
  writeHeartbeatResponse,
} from './beat-codec.js';
import { emptyParts, encodeFrame, type FrameHeader, type FrameParts } from './frame.js';
import { type NoticeMessage, Notices } from './notices.js';
import { Promptness } from './promptness.js';
import { encodeRaftMessage, type ListedMessage } from './raft-codec.js';

interface Outbox {
  readonly parts: FrameParts;
  /** About how large the frame will be. */
  bytes: number;
  notice: ExpulsionNotice | undefined;
  /** Whether it leaves with this turn. */
  isDue: boolean;
}

export interface LinkCounters {
  framesSent: number;
  bytesSent: number;
}

export interface LinksOptions {
  readonly self: NodeId;
  readonly network: Network;
  readonly limits: Limits;
  readonly header: Readonly<FrameHeader>;
  /** 32 bits drawn for this life of the node. */
  readonly life: number;
  /** This node's own wall clock. */
  readonly wallMs: () => number;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
  /** Has `run` called in a turn, `delayMs` from now. */
  readonly after: (delayMs: number, run: () => void) => void;
  /** Whether somebody waits for commits on this node. */
  readonly isWatched: () => boolean;
}

/** A node that is told that it is expelled is told again after so long. */
const EXPELLED_MS = 500;

export class Links {
  readonly #options: LinksOptions;
  readonly #outboxes = new Map<NodeId, Outbox>();
  /** Heartbeats that wait for the beat, by their receivers. */
  readonly #waiting = new Map<NodeId, number[]>();
  /** Everybody that the network knows. */
  #peers: readonly NodeId[] = [];
  readonly #reachable = new Set<NodeId>();
  readonly #abstaining = new Set<NodeId>();
  readonly #watched = new Set<NodeId>();
  readonly #notices = new Notices();
  readonly #promptness: Promptness;
  /** Whether there is a timer for what waits for a frame. */
  #isTimed = false;
  /** When a node was last told that it is expelled. */
  readonly #expelledMs = new Map<NodeId, number>();
  #abstains = false;
  readonly counters: LinkCounters = { framesSent: 0, bytesSent: 0 };

  constructor(options: LinksOptions) {
    this.#options = options;
    const { self, limits } = options;
    this.#promptness = new Promptness({ self, lateAfterMs: limits.noticeMs });
  }

  /** There are these peers now. */
  setPeers(peers: readonly NodeId[]): void {
    this.#peers = peers;
  }

  isReachable(peer: NodeId): boolean {
    return this.#reachable.has(peer);
  }

  setReachable(peer: NodeId, is: boolean): void {
    if (is) this.#reachable.add(peer);
    else this.#reachable.delete(peer);
  }

  /** Whether this node tells the others that it is not to be made a leader. */
  get abstains(): boolean {
    return this.#abstains;
  }

  /** Tells the others, with every frame, whether this node is not to be made a leader. */
  setAbstains(is: boolean): void {
    this.#abstains = is;
  }

  /** What a peer says of itself: whether it is not to be made a leader. */
  setAbstaining(peer: NodeId, is: boolean): void {
    if (is) this.#abstaining.add(peer);
    else this.#abstaining.delete(peer);
  }

  /** What a peer says of itself: whether somebody waits for commits there. */
  setWatched(peer: NodeId, is: boolean): void {
    if (is) this.#watched.add(peer);
    else this.#watched.delete(peer);
  }

  /** Whether a peer says that it is not to be made a leader. */
  isAbstaining(peer: NodeId): boolean {
    return this.#abstaining.has(peer);
  }

  /** Whether a peer can be reached and may be made a leader. */
  canLead(peer: NodeId): boolean {
    return this.#reachable.has(peer) && !this.#abstaining.has(peer);
  }

  /** Lets go of what is known of a node that is no peer any more. */
  forget(peer: NodeId): void {
    this.#reachable.delete(peer);
    this.#abstaining.delete(peer);
    this.#watched.delete(peer);
    this.#expelledMs.delete(peer);
    this.#waiting.delete(peer);
    this.#notices.forget(peer);
    this.#promptness.forget(peer);
    this.#outboxes.delete(peer);
  }

  /** Sends a heartbeat with the next beat, or in this turn's frame if it is not to wait. */
  sendHeartbeat(heartbeat: GroupHeartbeat, { waits }: { readonly waits: boolean }): void {
    const { to } = heartbeat.message;
    writeHeartbeat(waits ? this.#waitingFor(to) : this.#outbox(to).parts.heartbeats, heartbeat);
  }

  sendHeartbeatResponse(response: GroupHeartbeatResponse): void {
    const { parts } = this.#outbox(response.message.to);
    writeHeartbeatResponse(parts.heartbeatResponses, response);
  }

  /** This turn every peer gets a frame, with the heartbeats that waited: it is how nodes know of each other. */
  beat(): void {
    for (const peer of this.#peers) this.#outbox(peer);
    for (const [to, waiting] of this.#waiting) {
      const { heartbeats } = this.#outbox(to).parts;
      for (const number of waiting) heartbeats.push(number);
    }
    this.#waiting.clear();
  }

  sendRaft(group: number, message: ListedMessage): void {
    if (message.type === 'append' && message.entries.length > 0) {
      this.#promptness.asked(message.to, group, this.#options.nowMs());
    }
    this.#putRaft(this.#outbox(message.to), group, message);
  }

  /**
   * Sends what nobody waits for, or nobody but those who watch at the receiver: with the next frame, a little later, or
   * if it is news that something later outdates, never.
   */
  sendLater(group: number, message: NoticeMessage): void {
    const { type, to } = message;
    if (type === 'append' && this.#watched.has(to)) {
      this.sendRaft(group, message);
      return;
    }
    if (type === 'append' && message.entries.length > 0) {
      this.#putRaft(this.#openOutbox(to), group, message);
    } else {
      this.#notices.add(group, message);
    }
    this.#time();
  }

  /** Whether entries may come to `peer` a little later, since `count` of those who are `asked` are sure to answer at once. */
  mayWait(peer: NodeId, asked: readonly NodeId[], count: number): boolean {
    return this.#promptness.mayWait(peer, asked, count, this.#options.nowMs());
  }

  /** A follower says what it has of a group that this node leads. */
  answered(peer: NodeId, group: number): void {
    this.#promptness.answered(peer, group);
  }

  /** This node leads a group no more. */
  leadershipEnded(group: number): void {
    this.#promptness.ended(group);
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

  sendStanding(to: NodeId, standing: unknown[]): void {
    this.#outbox(to).parts.standings.push(standing);
  }

  /** Tells a node, now and then, that it is not one of the cluster any more. */
  sendExpulsion(to: NodeId, notice: ExpulsionNotice): void {
    const nowMs = this.#options.nowMs();
    if (nowMs - (this.#expelledMs.get(to) ?? -Infinity) < EXPELLED_MS) return;
    this.#expelledMs.set(to, nowMs);
    this.#outbox(to).notice = notice;
  }

  sendBulk(to: NodeId, frame: Uint8Array): void {
    this.#count(frame);
    this.#options.network.send(to, 'bulk', frame);
  }

  /** Sends what the turn has gathered. Returns whether that was anything. */
  flush(): boolean {
    let isSent = false;
    for (const [to, outbox] of this.#outboxes) {
      if (!outbox.isDue) continue;
      this.#outboxes.delete(to);
      this.#send(to, outbox);
      isSent = true;
    }
    return isSent;
  }

  /** What leaves with this turn. */
  #outbox(to: NodeId): Outbox {
    const outbox = this.#openOutbox(to);
    outbox.isDue = true;
    return outbox;
  }

  /** What leaves with the next frame. */
  #openOutbox(to: NodeId): Outbox {
    let outbox = this.#outboxes.get(to);
    if (outbox === undefined) {
      outbox = { parts: emptyParts(), bytes: 0, notice: undefined, isDue: false };
      this.#outboxes.set(to, outbox);
    }
    return outbox;
  }

  #putRaft(outbox: Outbox, group: number, message: ListedMessage): void {
    this.#notices.supersede(group, message);
    outbox.parts.raft.push(encodeRaftMessage(group, message));
    if (message.type === 'append') {
      for (const { data } of message.entries) outbox.bytes += data.length;
    }
    this.#sendIfLarge(message.to, outbox);
  }

  /** What waits for a frame gets one of its own in time. */
  #time(): void {
    if (this.#isTimed) return;
    this.#isTimed = true;
    const { after, limits } = this.#options;
    after(limits.noticeMs, () => {
      this.#isTimed = false;
      for (const peer of [...this.#outboxes.keys(), ...this.#notices.receivers]) this.#outbox(peer);
    });
  }

  #waitingFor(to: NodeId): number[] {
    let waiting = this.#waiting.get(to);
    if (waiting === undefined) {
      waiting = [];
      this.#waiting.set(to, waiting);
    }
    return waiting;
  }

  #sendIfLarge(to: NodeId, outbox: Outbox): void {
    if (outbox.bytes < this.#options.limits.frameBytesMax) return;
    this.#send(to, outbox);
    this.#outboxes.delete(to);
  }

  /** A peer that takes nothing loses frames rather than filling memory: Raft sends again. */
  #send(to: NodeId, { parts, notice }: Outbox): void {
    const { network, limits, header, life, wallMs, isWatched } = this.#options;
    for (const { group, message } of this.#notices.take(to)) {
      parts.raft.push(encodeRaftMessage(group, message));
    }
    if (network.queuedBytes(to, 'urgent') > limits.peerQueueBytesMax) return;
    const abstains = this.#abstains;
    const presence = { life, abstains, isWatched: isWatched(), wallMs: wallMs(), notice };
    const frame = encodeFrame(header, presence, parts);
    this.#count(frame);
    network.send(to, 'urgent', frame);
  }

  #count(frame: Uint8Array): void {
    this.counters.framesSent++;
    this.counters.bytesSent += frame.length;
  }
}
