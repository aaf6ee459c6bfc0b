// How a node that stops gives its leaderships away: each to the voter that is most up to date, for as long as that
// may work; then what it took is answered, and it may go.

import type { Status } from 'raft-ts';
import type { NodeId } from '../ports.js';

/** What a handover looks at, and what it may do. */
export interface LedGroup {
  readonly role: string;
  readonly idle: boolean;
  status(): Status;
  transferTo(peer: NodeId): void;
}

/** A node that stops tries for so long to hand its groups over: the others may be stopping too. */
const HANDOVER_MS = 2000;
/** Then it answers what it took, and goes in any case. */
const DRAIN_MS = 10_000;

export class Handover {
  readonly #self: NodeId;
  readonly #sinceMs: number;

  constructor(self: NodeId, nowMs: number) {
    this.#self = self;
    this.#sinceMs = nowMs;
  }

  /** Whether it has taken so long that this node goes in any case. */
  isLate(nowMs: number): boolean {
    return nowMs - this.#sinceMs >= DRAIN_MS;
  }

  /** Goes on with it. Returns whether all that this node can do for its groups is done. */
  step(
    groups: readonly LedGroup[],
    nowMs: number,
    isReachable: (peer: NodeId) => boolean,
  ): boolean {
    const canHandOver = nowMs - this.#sinceMs < HANDOVER_MS;
    let isDone = true;
    for (const group of groups) {
      if (group.role !== 'leader') continue;
      const heir = canHandOver ? this.#heirOf(group.status(), isReachable) : undefined;
      if (heir !== undefined) group.transferTo(heir);
      isDone &&= heir === undefined && group.idle;
    }
    return isDone;
  }

  /** The voter that can take a group over with the least delay; `undefined`: none can be reached. */
  #heirOf({ progress }: Status, isReachable: (peer: NodeId) => boolean): NodeId | undefined {
    const heirs = progress.filter(
      ({ id, isLearner, damaged }) =>
        id !== this.#self && !isLearner && !damaged && isReachable(id),
    );
    return heirs.sort((a, b) => b.match - a.match)[0]?.id;
  }
}
