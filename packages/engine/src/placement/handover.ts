// How a node that stops gives its leaderships away: each to the voter that is most up to date, or the next one if
// that does not take it, for as long as this node can wait; then what it took is answered, and it may go.

import type { Status } from 'raft-ts';
import type { NodeId } from '../ports.js';

/** What a handover looks at, and what it may do. */
export interface LedGroup {
  readonly id: number;
  readonly idle: boolean;
  status(): Status;
  transferTo(peer: NodeId): void;
}

/** A node that stops tries for so long to hand its groups over and to answer what it took, and goes in any case. */
const DRAIN_MS = 10_000;

export class Handover {
  readonly #self: NodeId;
  readonly #sinceMs: number;
  /** By group, who was asked to take it over and has not. */
  readonly #asked = new Map<number, Set<NodeId>>();

  constructor(self: NodeId, nowMs: number) {
    this.#self = self;
    this.#sinceMs = nowMs;
  }

  /** Whether it has taken so long that this node goes in any case. */
  isLate(nowMs: number): boolean {
    return nowMs - this.#sinceMs >= DRAIN_MS;
  }

  /** Goes on with it for the groups that this node leads; call it now and then. Returns whether all that this node can do for its groups is done. */
  step(led: Iterable<LedGroup>, canLead: (peer: NodeId) => boolean): boolean {
    let isDone = true;
    for (const group of led) isDone = this.#handOver(group, canLead) && isDone;
    return isDone;
  }

  /** Returns whether nobody can take the group, and nothing of it is left to be answered. */
  #handOver(group: LedGroup, canLead: (peer: NodeId) => boolean): boolean {
    const { leadTransferee, progress } = group.status();
    if (leadTransferee !== 0) return false;
    const heirs = progress
      .filter(({ id, isLearner, damaged }) => id !== this.#self && !isLearner && !damaged)
      .filter(({ id }) => canLead(id))
      .sort((a, b) => b.match - a.match);
    if (heirs.length === 0) return group.idle;
    const asked = this.#askedOf(group);
    const heir = heirs.find(({ id }) => !asked.has(id));
    if (heir === undefined) {
      // All of them once more, next time: until then what waits for the transfers can be executed.
      asked.clear();
      return false;
    }
    asked.add(heir.id);
    group.transferTo(heir.id);
    return false;
  }

  #askedOf({ id }: LedGroup): Set<NodeId> {
    let asked = this.#asked.get(id);
    if (asked === undefined) {
      asked = new Set();
      this.#asked.set(id, asked);
    }
    return asked;
  }
}
