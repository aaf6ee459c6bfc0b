// Which followers are asked first. A leader commits with as many answers as make a quorum, so an append leaves at once
// for that many followers, the prompt ones, and a little later for the others, with whatever else is for them: a node
// that nobody waits for takes one frame where it took many. Who does not answer in time comes last from then on, and
// nobody waits behind it: then the others are asked at once, as if there were no order (docs/decisions/0012).

import type { NodeId } from '../ports.js';

interface Follower {
  /** Since when each group's append is not answered, the oldest first. */
  readonly unansweredMs: Map<number, number>;
  /** When it last came too late. */
  lateMs: number;
}

export class Promptness {
  readonly #self: NodeId;
  /** A follower that takes longer to answer is late, ms. */
  readonly #lateAfterMs: number;
  readonly #followers = new Map<NodeId, Follower>();

  constructor(options: { readonly self: NodeId; readonly lateAfterMs: number }) {
    this.#self = options.self;
    this.#lateAfterMs = options.lateAfterMs;
  }

  /** Entries of a group have left for `peer`. */
  asked(peer: NodeId, group: number, nowMs: number): void {
    const { unansweredMs } = this.#follower(peer);
    if (!unansweredMs.has(group)) unansweredMs.set(group, nowMs);
  }

  /** `peer` says what it has of a group. */
  answered(peer: NodeId, group: number): void {
    this.#followers.get(peer)?.unansweredMs.delete(group);
  }

  /** This node leads a group no more: no answers will come. */
  ended(group: number): void {
    for (const { unansweredMs } of this.#followers.values()) unansweredMs.delete(group);
  }

  /** `peer` is one no more. */
  forget(peer: NodeId): void {
    this.#followers.delete(peer);
  }

  /** Whether at least `count` of the followers that are `asked` are prompt and come before `peer`. */
  mayWait(peer: NodeId, asked: readonly NodeId[], count: number, nowMs: number): boolean {
    let prompt = 0;
    for (const other of asked) {
      if (other !== peer && !this.#isLate(other, nowMs) && this.#comesBefore(other, peer)) prompt++;
    }
    return prompt >= count;
  }

  #isLate(peer: NodeId, nowMs: number): boolean {
    const follower = this.#follower(peer);
    for (const sinceMs of follower.unansweredMs.values()) {
      if (nowMs - sinceMs < this.#lateAfterMs) return false;
      follower.lateMs = nowMs;
      return true;
    }
    return false;
  }

  /** Those who were late longer ago come first; of equals, the next one after this node, so that each is somebody's first. */
  #comesBefore(a: NodeId, b: NodeId): boolean {
    const [lateA, lateB] = [this.#follower(a).lateMs, this.#follower(b).lateMs];
    if (lateA !== lateB) return lateA < lateB;
    return a > this.#self === b > this.#self ? a < b : a > this.#self;
  }

  #follower(peer: NodeId): Follower {
    let follower = this.#followers.get(peer);
    if (follower === undefined) {
      follower = { unansweredMs: new Map(), lateMs: -Infinity };
      this.#followers.set(peer, follower);
    }
    return follower;
  }
}
