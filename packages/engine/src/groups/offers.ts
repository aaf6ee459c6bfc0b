// Which nodes were offered a snapshot by this leader, and when each last asked for some of it. Offers get lost,
// and so do nodes in the middle of one: then Raft must try again.

import type { NodeId } from '../ports.js';

/** A node that asks for nothing of a snapshot for so long does not know of it any more. */
const OFFER_MS = 3000;

export class Offers {
  readonly #pulledMs = new Map<NodeId, number>();

  /** Whether no node is known to be fetching one. */
  get idle(): boolean {
    return this.#pulledMs.size === 0;
  }

  /** A snapshot was offered to `peer`. */
  offered(peer: NodeId, nowMs: number): void {
    this.#pulledMs.set(peer, nowMs);
  }

  /** `peer` is fetching it. */
  pulled(peer: NodeId, nowMs: number): void {
    if (this.#pulledMs.has(peer)) this.#pulledMs.set(peer, nowMs);
  }

  /** Takes out the nodes that have not asked for a while. */
  takeStale(nowMs: number): NodeId[] {
    const stale: NodeId[] = [];
    for (const [peer, pulledMs] of this.#pulledMs) {
      if (nowMs - pulledMs < OFFER_MS) continue;
      this.#pulledMs.delete(peer);
      stale.push(peer);
    }
    return stale;
  }
}
