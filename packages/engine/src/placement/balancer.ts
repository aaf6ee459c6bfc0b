// Spreads leaders over the nodes: each group prefers the voter that its number names, and a leader hands over
// to that one when it is there and up to date. One transfer at a time, and not right after an election, so
// that a node which flaps is not given leaderships to lose.

import type { Status } from 'raft-ts';
import type { NodeId } from '../ports.js';

/** What the balancer looks at, and what it may do. */
export interface BalancedGroup {
  readonly id: number;
  readonly voters: readonly NodeId[];
  status(): Status;
  transferTo(peer: NodeId): void;
}

/** How long a group is left alone after this node became its leader. */
const SETTLE_MS = 3000;
/** A target that is further behind than this would hold messages up. */
const LAG_MAX = 100;

export class Balancer {
  readonly #self: NodeId;
  readonly #leadingSince = new Map<number, number>();

  constructor(self: NodeId) {
    this.#self = self;
  }

  /** Hands over at most one of the groups that this node leads to the node that should. */
  balance(
    led: readonly BalancedGroup[],
    nowMs: number,
    isReachable: (peer: NodeId) => boolean,
  ): void {
    this.#remember(led, nowMs);
    for (const group of led) {
      const preferred = preferredLeader(group);
      if (preferred === this.#self || !isReachable(preferred)) continue;
      if (nowMs - this.#leadingSince.get(group.id)! < SETTLE_MS) continue;
      const status = group.status();
      if (status.leadTransferee !== 0) return;
      const peer = status.progress.find(({ id }) => id === preferred);
      if (peer === undefined || peer.isLearner || peer.damaged || !peer.recentActive) continue;
      if (status.lastIndex - peer.match > LAG_MAX) continue;
      group.transferTo(preferred);
      return;
    }
  }

  #remember(led: readonly BalancedGroup[], nowMs: number): void {
    const ids = new Set(led.map(({ id }) => id));
    for (const id of this.#leadingSince.keys()) {
      if (!ids.has(id)) this.#leadingSince.delete(id);
    }
    for (const id of ids) {
      if (!this.#leadingSince.has(id)) this.#leadingSince.set(id, nowMs);
    }
  }
}

/** The voter that should lead a group while all are well. */
export function preferredLeader({ id, voters }: Pick<BalancedGroup, 'id' | 'voters'>): NodeId {
  return voters[id % voters.length]!;
}
