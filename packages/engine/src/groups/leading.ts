// A group's duties as leader, whether this node has them now or not: the messages it takes, the leadership while
// there is one, the activation of new versions, and a configuration that follows the members.

import type { Entry, RawNode } from 'raft-ts';
import type { LocalDocument } from '../documents/local-document.js';
import type { NodeId } from '../ports.js';
import type { Failure, Submission } from '../results.js';
import type { TurnBudget } from '../turn-budget.js';
import { Activations, type Versions } from './activations.js';
import { Backlog } from './backlog.js';
import type { Confirmed } from './confirmations.js';
import type { GroupHost } from './group-host.js';
import type { GroupState } from './group-state.js';
import { Leadership } from './leadership.js';
import { Reconfiguration } from './reconfiguration.js';

export interface LeadingHost {
  readonly group: number;
  readonly node: GroupHost;
  readonly raft: RawNode;
  readonly state: GroupState;
  /** The latest deployed versions that this group should run: another list for every change. */
  latestVersions(): Versions;
  confirm(expiresMs: number, done: Confirmed): void;
  /** Asks for another turn of the group. */
  wake(): void;
  applied(local: LocalDocument): void;
}

const NO_LOAD = { inFlight: 0, silent: 0 };

export class Leading {
  readonly #host: LeadingHost;
  readonly #backlog: Backlog;
  readonly #activations: Activations;
  readonly #reconfiguration: Reconfiguration;
  #leadership: Leadership | undefined;

  constructor(host: LeadingHost) {
    const { group, raft, state, node } = host;
    this.#host = host;
    this.#backlog = new Backlog(node.limits);
    this.#activations = new Activations(raft, (space) => state.activeVersion(space));
    this.#reconfiguration = new Reconfiguration({
      group,
      self: node.config.node,
      raft,
      state,
      members: node.members,
      log: node.log,
      nowMs: () => node.nowMs(),
      wake: () => host.wake(),
    });
  }

  /** Messages that wait to be executed. */
  get backlogCount(): number {
    return this.#backlog.count;
  }

  /** What waits here, and what a leadership remembers. */
  get load() {
    const { count: queued, bytes: queuedBytes } = this.#backlog;
    return { queued, queuedBytes, ...(this.#leadership?.load ?? NO_LOAD) };
  }

  /** Whether every message that was taken is answered. */
  get idle(): boolean {
    return this.#backlog.count === 0 && (this.#leadership?.idle ?? true);
  }

  /** Whether a message waits that could be executed. */
  get canGoOn(): boolean {
    return this.#leadership?.canGoOn ?? false;
  }

  /** Takes a message; `false`: too many wait. */
  enqueue(submission: Submission): boolean {
    return this.#backlog.push(submission);
  }

  execute(budget: TurnBudget): void {
    this.#leadership?.execute(budget);
  }

  /** An entry is committed. Returns whether it was proposed here and has taken effect with that. */
  committed(entry: Entry): boolean {
    return this.#leadership?.committed(entry) ?? false;
  }

  tick(nowMs: number): void {
    this.#leadership?.tick(nowMs);
    this.activateLatest();
    if (this.#leadership !== undefined) this.#reconfiguration.look();
  }

  /** The members document has changed, or the configuration has. */
  followMembers(): void {
    if (this.#leadership !== undefined) this.#reconfiguration.follow();
  }

  /** Whether a node has all that was committed a moment ago; known to the leader only. */
  hasCaughtUp(node: NodeId): boolean {
    return this.#leadership !== undefined && this.#reconfiguration.hasCaughtUp(node);
  }

  /** Whether the configuration is, and stays, what the members document says; known to the leader only. */
  get hasFollowed(): boolean {
    return this.#leadership !== undefined && this.#reconfiguration.isDone;
  }

  /** This node is the leader: messages run once everything before its term is applied (OnlyLeadersRunLogic). */
  maybeBegin(): void {
    if (this.#leadership !== undefined) return;
    const { node, raft, state } = this.#host;
    const { term, applied, commit } = raft.basicStatus();
    const hasApplied = applied >= commit && state.applied.term === term;
    if (!hasApplied || !raft.leadsWithCommit) return;
    const { limits, counters, touched } = node;
    this.#leadership = new Leadership(
      {
        node: raft,
        documents: state.documents,
        sessions: state.sessions,
        backlog: this.#backlog,
        limits,
        counters,
        touched,
        nowMs: () => node.nowMs(),
        wallMs: () => node.wallMs(),
        random: () => node.random(),
        activeVersion: (space) => this.#activations.activeVersion(space),
        machine: (space, version, ready) => node.machine(space, version, ready),
        run: (machine, call, draft) => node.runMachine(machine, call, draft),
        confirm: (expiresMs, done) => this.#host.confirm(expiresMs, done),
        wake: () => this.#host.wake(),
        applied: (local) => this.#host.applied(local),
      },
      term,
    );
    this.#activations.leadershipChanged();
    this.activateLatest();
  }

  /** The leader makes the latest version of every machine the active one. */
  activateLatest(): void {
    if (this.#leadership === undefined) return;
    if (this.#activations.propose(this.#host.latestVersions())) this.#host.wake();
  }

  /** What was executed is answered with the loss. Returns what was not: it is for whoever leads now. */
  end(): Submission[] {
    this.#leadership?.abort();
    this.#leadership = undefined;
    return this.#backlog.drain();
  }

  /** Answers everything; for a node that stops. */
  close(why: Failure): void {
    for (const { sink, tag } of this.end()) {
      sink.answer(tag, why);
      this.#host.node.touched.add(sink);
    }
  }
}
