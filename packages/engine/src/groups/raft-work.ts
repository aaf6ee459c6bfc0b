// What the Raft replica of a group asks for, done in the turns of the group: it sends, writes and takes another role at
// once, and applies as far as the turn's budget goes. What one group has to apply, or this one, keeps no group from its
// heartbeats: others would take a node for dead that has much to do (docs/raft.md, pitfall 21).

import {
  type AppendWork,
  type ApplyWork,
  decodeConfChange,
  type Entry,
  entriesBytes,
  isRaftError,
  type RawNode,
  type Ready,
  type Role,
} from 'raft-ts';
import { Fifo } from '../fifo.js';
import type { NodeId } from '../ports.js';
import type { TurnBudget } from '../turn-budget.js';
import type { Confirmations } from './confirmations.js';
import type { GroupHost } from './group-host.js';
import type { GroupStorage } from './group-storage.js';
import type { Leading } from './leading.js';
import type { Offers } from './offers.js';
import type { Outgoing } from './outgoing.js';

export interface RaftWorkHost {
  readonly group: number;
  readonly node: GroupHost;
  readonly raft: RawNode;
  readonly storage: GroupStorage;
  readonly confirmations: Confirmations;
  readonly leading: Leading;
  readonly offers: Offers;
  readonly outgoing: Outgoing;
  /** It has another role or leader. */
  roleChanged(): void;
  /** The group has another configuration. */
  configured(): void;
}

export class RaftWork {
  readonly #host: RaftWorkHost;
  /** Handed out and not applied. Raft adds to it while it has less than `applyBytesMax`. */
  readonly #decided = new Fifo<ApplyWork>();
  #role: Role = 'follower';
  #lead: NodeId = 0;
  #lastLead: NodeId = 0;

  constructor(host: RaftWorkHost) {
    this.#host = host;
  }

  get role(): Role {
    return this.#role;
  }

  /** Who leads, as far as this node knows; 0: unknown. */
  get lead(): NodeId {
    return this.#lead;
  }

  /** Who led when somebody did, as far as this node knows; 0: unknown. */
  get lastLead(): NodeId {
    return this.#lastLead;
  }

  /** Whether something is decided that was not applied for want of budget. */
  get isBehind(): boolean {
    return this.#decided.length > 0;
  }

  /** Sends and writes what there is, and takes another role; what is decided waits for `settle`. */
  handOut(): void {
    const { raft } = this.#host;
    while (raft.hasReady()) this.#handle(raft.ready());
  }

  /** Does what there is to do, and applies as far as the budget goes. */
  settle(budget: TurnBudget): void {
    const { storage, confirmations, leading } = this.#host;
    this.handOut();
    while (this.isBehind && !budget.applied) {
      budget.apply(this.#applyNext());
      this.handOut();
    }
    storage.settled();
    confirmations.applied(this.#readableIndex);
    if (this.#role === 'leader') leading.maybeBegin();
  }

  /** `work` is on stable storage, and all that was asked for before it. */
  acknowledge(work: AppendWork): void {
    const { raft, outgoing } = this.#host;
    for (const message of raft.acknowledgeAppend(work)) outgoing.acknowledge(message, work);
  }

  /** Until a snapshot is in place nothing of it may be relied on. */
  get #readableIndex(): number {
    const { isInstalling, state } = this.#host.storage;
    return isInstalling ? 0 : state.applied.index;
  }

  #handle({ softState, messages, append, apply, readStates }: Ready): void {
    const { node, storage, confirmations, offers, outgoing } = this.#host;
    const isCalm = append === undefined && apply === undefined && !this.isBehind;
    if (softState !== undefined) this.#changeRole(softState.role, softState.lead);
    for (const message of messages) {
      if (message.type === 'snapshot') offers.offered(message.to, node.nowMs());
    }
    outgoing.send(messages, storage.state.confState, { isCalm });
    // It takes the place of the state that the entries before it lead to.
    if (append?.snapshot !== undefined) while (this.isBehind) this.#applyNext();
    if (apply !== undefined) this.#decided.push(apply);
    if (append !== undefined) {
      storage.append(append);
      // A leader waits for its own disk while others do: its frames go first. What a follower applies holds up nobody but its disk.
      if (this.isBehind && this.#role === 'follower') node.writeEarly();
    }
    for (const state of readStates) confirmations.confirmed(state, this.#readableIndex);
  }

  /** Applies what was decided first; returns how many bytes that was. */
  #applyNext(): number {
    const { raft, storage } = this.#host;
    const work = this.#decided.shift()!;
    for (const entry of work.entries) this.#apply(entry);
    raft.acknowledgeApply(work);
    storage.log.trimCache(storage.state.applied.index);
    return entriesBytes(work.entries);
  }

  #apply(entry: Entry): void {
    const { state } = this.#host.storage;
    if (entry.type === 'confChange') {
      this.#applyConfChange(entry);
    } else if (entry.data.length > 0 && !this.#host.leading.committed(entry)) {
      state.applyCommand(entry.data);
    }
    state.applyEntry(entry);
  }

  #applyConfChange(entry: Entry): void {
    const { group, node, raft, storage, configured } = this.#host;
    try {
      storage.state.configure(raft.applyConfChange(decodeConfChange(entry.data)));
    } catch (thrown) {
      // It does not fit the configuration, here and on all others: nothing changes.
      if (!isRaftError(thrown, 'ConfChangeInvalid')) throw thrown;
      node.log.warn('configuration-refused', { group, reason: thrown.message });
    }
    configured();
  }

  #changeRole(role: Role, lead: NodeId): void {
    const { group, node, confirmations, leading, outgoing } = this.#host;
    node.log[lead === 0 ? 'debug' : 'info']('role', { group, role, lead });
    if (lead !== this.#lead) confirmations.leaderChanged();
    outgoing.leaderChanged();
    const wasLeader = this.#role === 'leader';
    this.#role = role;
    this.#lead = lead;
    if (lead !== 0) this.#lastLead = lead;
    this.#host.roleChanged();
    if (!wasLeader || role === 'leader') return;
    for (const submission of leading.end()) node.reroute(submission);
  }
}
