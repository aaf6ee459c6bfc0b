// How the configuration of a group follows the members document while this node leads the group: one step after the
// other, each looked for again from the group as it is (next-step.ts). An old copy of the document must undo nothing,
// so a leader changes nothing before its node has confirmed, in the leader's own term, that its copy is not older: all
// that the document had brought about in this group by then is in the group's log, and stood in the document before.
//
// A change is done in a group when nobody can forget it. That it is committed is no more than a commit index, which goes
// to disk with whatever is written next: after a failure of all power the group may be back in the configuration before,
// and need the votes of nodes that are gone by then. So the leader appends an entry without data behind it. Whoever
// acknowledges that has written, in the same batch, how far the log was committed.

import type { PeerStatus, RawNode, Status } from 'raft-ts';
import { conforms, type Goal } from '../members/members-state.js';
import { nextStep } from '../members/next-step.js';
import type { Log, NodeId } from '../ports.js';
import type { Confirmed } from './confirmations.js';
import type { GroupState } from './group-state.js';

/** What the leader of a group must know of the members. */
export interface GroupMembers {
  /** What configurations are to be: another object for every change; `undefined`: not known here. */
  readonly goal: Goal | undefined;
  /** The number of the change for which voters come and go now; 0: none do. */
  readonly changing: number;
  /** Whether nodes may leave `group` now. */
  mayDrop(group: number): boolean;
  /** Whether a node can be reached, and is to be made a leader. */
  canLead(node: NodeId): boolean;
  /** Calls `done` in a later turn: with `true` if the goal is not older than this call. */
  confirm(expiresMs: number, done: Confirmed): void;
}

export interface ReconfigurationHost {
  readonly group: number;
  readonly self: NodeId;
  readonly raft: Pick<RawNode, 'status' | 'basicStatus' | 'canPropose' | 'proposeConfChange'> &
    Pick<RawNode, 'propose' | 'transferLeader'>;
  readonly state: Pick<GroupState, 'confState' | 'applied'>;
  readonly members: GroupMembers;
  readonly log: Log;
  nowMs(): number;
  /** Asks for another turn of the group. */
  wake(): void;
}

const CONFIRM_MS = 2000;

export class Reconfiguration {
  readonly #host: ReconfigurationHost;
  /** The term in which the document was confirmed. */
  #confirmedTerm = 0;
  #isConfirming = false;
  /** The last change proposed; the next one waits until it is applied, or its term is over. */
  #proposed = { index: 0, term: 0 };
  /** What was appended once the configuration was as it is to be. */
  #sealed = { goal: undefined as Goal | undefined, index: 0, term: 0 };
  /** What was committed at the last two looks in `term`: who has all of the earlier one keeps up. */
  #commits = { term: 0, before: Infinity, last: Infinity };
  #waitsFor = '';

  constructor(host: ReconfigurationHost) {
    this.#host = host;
  }

  /** Looks what is to be done, now and then, while this node leads the group and has applied all of earlier terms. */
  look(): void {
    const { term, commit } = this.#host.raft.basicStatus();
    // What was committed when this node led before says nothing of who keeps up now.
    const before = this.#commits.term === term ? this.#commits.last : Infinity;
    this.#commits = { term, before, last: commit };
    this.follow();
  }

  /** Makes the next step, if there is one and it can be made. */
  follow(): void {
    const { members, state, raft, group } = this.#host;
    const { goal } = members;
    if (goal === undefined) return;
    if (conforms(state.confState, goal)) {
      if (members.changing !== 0) this.#seal(goal);
      return;
    }
    const status = raft.status();
    if (status.role !== 'leader' || status.leadTransferee !== 0 || this.#isPending(status)) return;
    const step = nextStep(state.confState, goal, {
      self: this.#host.self,
      isFit: (node) => node === this.#host.self || isFit(peerIn(status, node)),
      hasCaughtUp: (node) => this.#hasCaughtUp(status, node),
      heirOf: (nodes) => this.#heirOf(status, nodes),
      mayDrop: members.mayDrop(group),
    });
    if (step === undefined) return;
    if (step.kind === 'wait') this.#wait(step.why);
    else if (this.#confirmedTerm !== status.term) this.#confirm(status.term);
    else if (step.kind === 'transfer') this.#transfer(step.to);
    else this.#propose(step.change, status.term);
  }

  /** Whether a node has all that was committed a moment ago; known to the leader only. */
  hasCaughtUp(node: NodeId): boolean {
    return this.#hasCaughtUp(this.#host.raft.status(), node);
  }

  /** Whether the configuration is what it is to be, for good, and nothing that is under way changes it; known to the leader only. */
  get isDone(): boolean {
    const { members, state, raft } = this.#host;
    const { goal } = members;
    if (goal === undefined || !conforms(state.confState, goal)) return false;
    const status = raft.basicStatus();
    return this.#isSealed(goal, status) && state.applied.index >= this.#sealed.index;
  }

  #isSealed(goal: Goal, { term }: Pick<Status, 'term'>): boolean {
    return this.#sealed.goal === goal && this.#sealed.term === term;
  }

  /** Has a quorum write down that the configuration is committed. */
  #seal(goal: Goal): void {
    const { raft, wake } = this.#host;
    const status = raft.basicStatus();
    if (status.role !== 'leader' || this.#isPending(status) || this.#isSealed(goal, status)) return;
    if (!raft.canPropose(0)) return;
    raft.propose(NOTHING);
    this.#sealed = { goal, index: raft.basicStatus().lastIndex, term: status.term };
    wake();
  }

  #isPending({ term }: Pick<Status, 'term'>): boolean {
    return this.#proposed.term === term && this.#proposed.index > this.#host.state.applied.index;
  }

  #hasCaughtUp(status: Status, node: NodeId): boolean {
    const peer = peerIn(status, node);
    if (peer === undefined || !isFit(peer) || peer.state !== 'replicate') return false;
    return this.#commits.term === status.term && peer.match >= this.#commits.before;
  }

  /** The voter that has most of the log. */
  #heirOf(status: Status, nodes: readonly NodeId[]): NodeId | undefined {
    const heirs = nodes
      .filter((node) => node !== this.#host.self && this.#host.members.canLead(node))
      .map((node) => peerIn(status, node))
      .filter((peer) => peer !== undefined && isFit(peer) && !peer.isLearner)
      .sort((a, b) => b!.match - a!.match);
    return heirs[0]?.id;
  }

  #confirm(term: number): void {
    if (this.#isConfirming) return;
    this.#isConfirming = true;
    const { members, nowMs } = this.#host;
    members.confirm(nowMs() + CONFIRM_MS, (reached) => {
      this.#isConfirming = false;
      if (!reached) return;
      this.#confirmedTerm = term;
      this.follow();
    });
  }

  #propose(change: Parameters<RawNode['proposeConfChange']>[0], term: number): void {
    const { raft, log, group } = this.#host;
    if (!raft.canPropose(CHANGE_BYTES_MAX)) return;
    raft.proposeConfChange(change);
    this.#proposed = { index: raft.basicStatus().lastIndex, term };
    this.#waitsFor = '';
    const changes = change.changes.map(({ kind, node }) => `${kind} ${node}`).join(', ');
    log.info('configuration-step', { group, changes: changes || 'leave the joint one' });
    this.#host.wake();
  }

  #transfer(to: NodeId): void {
    const { raft, log, group } = this.#host;
    this.#waitsFor = '';
    log.info('configuration-step', { group, changes: `hand over to ${to}` });
    raft.transferLeader(to);
    this.#host.wake();
  }

  /** The log says what a step waits for, once. */
  #wait(why: string): void {
    const { log, group } = this.#host;
    if (why !== this.#waitsFor) log.info('configuration-waits', { group, why });
    this.#waitsFor = why;
  }
}

const NOTHING = new Uint8Array(0);
/** More than a change of all members takes. */
const CHANGE_BYTES_MAX = 1024;

function peerIn({ progress }: Status, node: NodeId): PeerStatus | undefined {
  return progress.find(({ id }) => id === node);
}

/** Heard of lately, and whole. */
function isFit(peer: PeerStatus | undefined): boolean {
  return peer?.recentActive === true && !peer.damaged;
}
