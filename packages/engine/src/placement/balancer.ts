// Spreads leaders over the nodes: each group prefers the voter that its number names, and a leader hands over
// to that one when it is there and keeps up. A few groups of many at a time, and not right after an election, so that
// a node which flaps is not given leaderships to lose. While a group is handed over it takes no messages, so a node
// that did not take one, or gave it back soon, is left alone for longer and longer.

import type { PeerStatus, Status } from 'raft-ts';
import type { NodeId } from '../ports.js';

/** What the balancer looks at, and what it may do. */
export interface BalancedGroup {
  readonly id: number;
  readonly voters: readonly NodeId[];
  readonly isAsleep: boolean;
  status(): Status;
  wake(): void;
  transferTo(peer: NodeId): void;
}

/** What it goes by. */
export interface BalancerView {
  /** Whether a node can be reached and is to be made a leader. */
  canLead(peer: NodeId): boolean;
  /** Who should lead a group by the word of an operator; `undefined`: nobody in particular. */
  wanted?(group: number): NodeId | undefined;
}

/** One in so many of the groups that a node leads moves at a time, but at least one. */
const MOVING_SHARE = 16;
/** How long a group is left alone after this node became its leader. */
const SETTLE_MS = 3000;
/** How long a node is left alone after it failed once, and at most. */
const REST_MS = 5000;
const REST_MS_MAX = 300_000;
/** A leadership that is back within such a time was not kept; a node that keeps them so long is sound. */
const KEEP_MS = 60_000;

/** A group that was handed over, or is being. */
interface Handed {
  readonly to: NodeId;
  readonly atMs: number;
}

/** What is held against a node. */
interface Failures {
  readonly count: number;
  readonly restsUntilMs: number;
}

export class Balancer {
  readonly #self: NodeId;
  readonly #leadingSince = new Map<number, number>();
  /** The end of each led group's log at the last look: who is up to date has all of that by now. */
  #lastIndices = new Map<number, number>();
  readonly #handed = new Map<number, Handed>();
  readonly #failures = new Map<NodeId, Failures>();

  constructor(self: NodeId) {
    this.#self = self;
  }

  /**
   * Hands over some of the groups that this node leads to the nodes that should; call it now and then, and soon again
   * if it says that some are still led astray.
   */
  balance(led: readonly BalancedGroup[], nowMs: number, view: BalancerView): boolean {
    const { canLead, wanted = () => undefined } = view;
    const preferredOf = (group: BalancedGroup): NodeId => preferredLeader(group, wanted(group.id));
    this.#remember(led, nowMs);
    const astray = led
      .filter((group) => this.#isAstray(group.id, preferredOf(group), canLead))
      .map((group) => ({ group, status: group.status() }));
    for (const { group, status } of astray) this.#judge(group, status, nowMs);
    this.#forgive(nowMs);
    const lastIndices = this.#lastIndices;
    this.#lastIndices = new Map(astray.map(({ group, status }) => [group.id, status.lastIndex]));
    const staying = astray.filter(({ status }) => status.leadTransferee === 0);
    let room = Math.ceil(led.length / MOVING_SHARE) - (astray.length - staying.length);
    for (const { group, status } of staying) {
      if (room <= 0) break;
      const to = preferredOf(group);
      if (!canLead(to) || this.#rests(to, nowMs) || !this.#hasSettled(group, nowMs)) continue;
      const peer = status.progress.find(({ id }) => id === to);
      if (group.isAsleep) {
        group.wake(); // It is heard of the others before the next look.
      } else if (peer !== undefined && keepsUp(peer, lastIndices.get(group.id) ?? Infinity)) {
        this.#handed.set(group.id, { to, atMs: nowMs });
        group.transferTo(to);
      } else {
        continue;
      }
      room--;
    }
    return astray.length > 0;
  }

  /** Whether another node should lead a group, and could, or was to. */
  #isAstray(group: number, preferred: NodeId, canLead: BalancerView['canLead']): boolean {
    return preferred !== this.#self && (canLead(preferred) || this.#handed.has(group));
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

  /**
   * A group that was handed over and is led here all the same: the transfer failed, or the node lost it. A node that
   * ended lost all its groups by that: they count once.
   */
  #judge(group: BalancedGroup, status: Status, nowMs: number): void {
    const handed = this.#handed.get(group.id);
    if (handed === undefined || status.leadTransferee !== 0) return;
    this.#handed.delete(group.id);
    if (nowMs - handed.atMs >= KEEP_MS || this.#rests(handed.to, nowMs)) return;
    const count = (this.#failures.get(handed.to)?.count ?? 0) + 1;
    const restMs = Math.min(REST_MS * 2 ** (count - 1), REST_MS_MAX);
    this.#failures.set(handed.to, { count, restsUntilMs: nowMs + restMs });
  }

  /** What a node has kept for long enough speaks for it. */
  #forgive(nowMs: number): void {
    for (const [group, { to, atMs }] of this.#handed) {
      if (nowMs - atMs < KEEP_MS) continue;
      this.#handed.delete(group);
      this.#failures.delete(to);
    }
  }

  #hasSettled({ id }: BalancedGroup, nowMs: number): boolean {
    return nowMs - this.#leadingSince.get(id)! >= SETTLE_MS;
  }

  #rests(peer: NodeId, nowMs: number): boolean {
    return nowMs < (this.#failures.get(peer)?.restsUntilMs ?? 0);
  }
}

/** The voter that should lead a group while all are well: the one that is wanted, or what its number says. */
export function preferredLeader(
  { id, voters }: Pick<BalancedGroup, 'id' | 'voters'>,
  wanted?: NodeId,
): NodeId {
  return wanted !== undefined && voters.includes(wanted) ? wanted : voters[id % voters.length]!;
}

/** Whether a voter has everything up to `index`, and what is sent to it arrives. */
function keepsUp(peer: PeerStatus, index: number): boolean {
  const isFit = peer.recentActive && !peer.damaged && !peer.isLearner;
  return isFit && peer.state === 'replicate' && peer.match >= index;
}
