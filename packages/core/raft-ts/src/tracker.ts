// The present configuration, what is known of each of its nodes, and the votes of the present election; all that
// is counted is counted here, of voters and of nobody else (VotersOnly).
// Nodes are visited in order of their ids, everywhere: runs are repeatable.

import { assert } from './assert.js';
import { nodesOf } from './changer.js';
import { makeProgress, type Progress } from './progress.js';
import { jointIndex, jointVote, type VoteResult, type Voters } from './quorum.js';
import type { ConfState, NodeId } from './types.js';

interface InflightLimits {
  readonly messagesMax: number;
  readonly bytesMax: number;
}

export class Tracker {
  readonly #limits: InflightLimits;
  #conf!: ConfState;
  #voters!: Voters;
  #progress = new Map<NodeId, Progress>();
  #nodes: readonly NodeId[] = [];
  #voterIds: readonly NodeId[] = [];
  readonly #votes = new Map<NodeId, boolean>();
  /** A damaged node may have lost anything that it acknowledged. */
  readonly #matchOf = (id: NodeId): number => {
    const { damaged, match } = this.#progress.get(id)!;
    return damaged ? 0 : match;
  };
  readonly #readRoundOf = (id: NodeId): number => this.#progress.get(id)!.readRound;

  /** Nothing is known of any node but that it may begin at `next`. */
  constructor(conf: ConfState, next: number, limits: InflightLimits) {
    this.#limits = limits;
    this.configure(conf, next);
  }

  get conf(): ConfState {
    return this.#conf;
  }

  /** All nodes, sorted. */
  get nodes(): readonly NodeId[] {
    return this.#nodes;
  }

  /** The voters of both halves, sorted. */
  get voterIds(): readonly NodeId[] {
    return this.#voterIds;
  }

  get isSingleton(): boolean {
    return this.#voters.incoming.length === 1 && this.#voters.outgoing.length === 0;
  }

  progress(id: NodeId): Progress | undefined {
    return this.#progress.get(id);
  }

  /** Takes another configuration. Nodes that stay keep their progress; new ones begin at `next`. */
  configure(conf: ConfState, next: number): void {
    const before = this.#progress;
    this.#conf = conf;
    this.#voters = { incoming: conf.voters, outgoing: conf.votersOutgoing };
    this.#nodes = nodesOf(conf);
    this.#voterIds = this.#nodes.filter((id) => !conf.learners.includes(id));
    this.#progress = new Map();
    for (const id of this.#nodes) {
      const progress = before.get(id) ?? this.#newcomer(next);
      progress.isLearner = conf.learners.includes(id);
      this.#progress.set(id, progress);
    }
  }

  /** Forgets what was known: a new term has begun. */
  reset(next: number): void {
    for (const id of this.#nodes) {
      const { isLearner } = this.#progress.get(id)!;
      this.#progress.set(id, makeProgress(next, isLearner, this.#limits));
    }
    this.#votes.clear();
  }

  /** The largest index that a quorum holds durably (Raft §5.3). */
  committed(): number {
    return jointIndex(this.#voters, this.#matchOf);
  }

  /** The latest round of reads that a quorum has confirmed (thesis §6.4). */
  confirmedReadRound(): number {
    return jointIndex(this.#voters, this.#readRoundOf);
  }

  /** Whether a quorum was heard of since the last call; starts counting anew (thesis §6.2). */
  checkQuorumActive(self: NodeId): boolean {
    const isActive = (id: NodeId) => id === self || this.#progress.get(id)!.recentActive;
    const result = jointVote(this.#voters, isActive);
    for (const progress of this.#progress.values()) progress.recentActive = false;
    return result === 'won';
  }

  resetVotes(): void {
    this.#votes.clear();
  }

  /** Counts a vote; a node's first answer stands. */
  recordVote(id: NodeId, granted: boolean): void {
    if (!this.#votes.has(id)) this.#votes.set(id, granted);
  }

  voteResult(): VoteResult {
    return jointVote(this.#voters, (id) => this.#votes.get(id));
  }

  /** A node that was just added counts as active, so that a check does not depose the leader at once. */
  #newcomer(next: number): Progress {
    assert(next > 0, 'the next index is at least 1');
    const progress = makeProgress(next, false, this.#limits);
    progress.recentActive = true;
    return progress;
  }
}
