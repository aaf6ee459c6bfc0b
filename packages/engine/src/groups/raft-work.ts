// What the Raft replica of a group asks for, done in the turns of the group as far as their budgets go: it sends,
// writes and applies, and takes another role.

import {
  type AppendWork,
  decodeConfChange,
  type Entry,
  entriesBytes,
  isRaftError,
  type RawNode,
  type Ready,
  type Role,
} from 'raft-ts';
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

  /** Does what there is to do, as far as the budget goes. */
  settle(budget: TurnBudget): void {
    const { raft, storage, confirmations } = this.#host;
    while (raft.hasReady()) {
      if (budget.applied) return;
      this.#handle(raft.ready(), budget);
    }
    storage.settled();
    confirmations.applied(this.#readableIndex);
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

  #handle({ softState, messages, append, apply, readStates }: Ready, budget: TurnBudget): void {
    const { node, storage, confirmations, leading, offers, outgoing } = this.#host;
    const isCalm = append === undefined && apply === undefined;
    if (softState !== undefined) this.#changeRole(softState.role, softState.lead);
    for (const message of messages) {
      if (message.type === 'snapshot') offers.offered(message.to, node.nowMs());
    }
    outgoing.send(messages, storage.state.confState, { isCalm });
    if (append !== undefined) {
      storage.append(append);
      // A leader waits for its own disk while others do: its frames go first. What a follower applies holds up nobody but its disk.
      if (apply !== undefined && this.#role === 'follower') node.writeEarly();
    }
    if (apply !== undefined) {
      for (const entry of apply.entries) this.#apply(entry);
      this.#host.raft.acknowledgeApply(apply);
      storage.log.trimCache(storage.state.applied.index);
      budget.apply(entriesBytes(apply.entries));
    }
    for (const state of readStates) confirmations.confirmed(state, this.#readableIndex);
    if (this.#role === 'leader') leading.maybeBegin();
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
