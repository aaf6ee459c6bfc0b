// The members document on this node: kept in memory and followed. It says where the others are, which the network is
// told; who may speak; what the configurations of groups are to be; and whether this node is still one of the cluster.

import { SYSTEM_GROUP, SYSTEM_SPACE } from '@deltabase/machine';
import type { LocalDocument } from '../documents/local-document.js';
import type { Confirmed } from '../groups/confirmations.js';
import type { Group } from '../groups/group.js';
import type { GroupMembers } from '../groups/reconfiguration.js';
import type { Identities } from '../peers/identities.js';
import type { Links } from '../peers/links.js';
import type { Liveness } from '../peers/liveness.js';
import type { DiskOperation, Log, NodeId } from '../ports.js';
import { NODE_KEY } from '../storage/keys.js';
import { encodeNodeRow, type NodeRow } from '../storage/rows.js';
import { type Expulsion, type ExpulsionNotice, expulsionText, type Member } from './member.js';
import {
  conforms,
  type Goal,
  goalOf,
  MEMBERS_KEY,
  type MembersState,
  readMembers,
  wasBefore,
  wasRemoved,
} from './members-state.js';
import type { Peers } from './peers.js';

export interface MembershipHost {
  readonly row: NodeRow;
  /** Of this node's frames; it gets the cluster's id once that is known. */
  readonly header: { clusterId: string };
  groups(): readonly Group[];
  readonly links: Links;
  readonly liveness: Liveness;
  readonly identities: Identities;
  readonly peers: Peers;
  readonly log: Log;
  write(operations: readonly DiskOperation[], done: () => void): void;
  inTurn(step: () => void): void;
  /** This node is not one of the cluster any more, and its disk says so. */
  expelled(expulsion: Expulsion): void;
}

export class Membership implements GroupMembers {
  readonly #host: MembershipHost;
  #row: NodeRow;
  #state: MembersState | undefined;
  #goal: Goal | undefined;
  #isExpelled = false;

  constructor(host: MembershipHost) {
    this.#host = host;
    this.#row = host.row;
    host.peers.set(host.row.members);
  }

  /** The document as it is here; `undefined`: it has had no message, or is not loaded yet. */
  get state(): MembersState | undefined {
    return this.#state;
  }

  /** Whether the document is of this cluster; it is of what that was before, right after a recovery. */
  get isOfCluster(): boolean {
    return this.#state !== undefined && this.#state.id === this.#row.clusterId;
  }

  get clusterId(): string {
    return this.#row.clusterId;
  }

  /** The voters that the logs of all groups begin with. */
  get founders(): readonly NodeId[] {
    return this.#row.founders;
  }

  /** All groups, the system group among them. */
  get groups(): number {
    return this.#groups.length;
  }

  get goal(): Goal | undefined {
    return this.#goal;
  }

  /** The number of the change for which voters come and go now; 0: none do. Until then the goal is another one. */
  get changing(): number {
    const change = this.#goal === undefined ? undefined : this.#state?.change;
    return change?.phase === 'changing' ? change.number : 0;
  }

  /** Where the nodes are, as far as this one knows. */
  get members(): readonly Member[] {
    return this.#row.members;
  }

  /** The document stays in memory from now on, until the system group's documents are replaced. */
  follow(): void {
    this.#goal = undefined;
    const system = this.#groups[SYSTEM_GROUP]!;
    system.documents.open(SYSTEM_SPACE, MEMBERS_KEY).watches++;
    system.load(SYSTEM_SPACE, MEMBERS_KEY, (local) => {
      if (local !== undefined) this.#update(local);
    });
  }

  /** Something was applied to a document of the system group. */
  documentChanged(local: LocalDocument): void {
    if (local.key === MEMBERS_KEY && local.document !== undefined) this.#update(local);
  }

  /** How many groups are here as the document wants them. */
  get groupsDone(): number {
    const goal = this.#goal;
    if (goal === undefined) return 0;
    return this.#groups.filter((group) => conforms(group.confState, goal)).length;
  }

  /** How many groups here have a node in their configuration. */
  groupsWith(node: NodeId): number {
    return this.#groups.filter(
      ({ confState }) => confState.learners.includes(node) || confState.voters.includes(node),
    ).length;
  }

  /** Who should lead a group by the word of an operator; `undefined`: nobody in particular. */
  wantedLeader(group: number): NodeId | undefined {
    return this.#state?.leaders.get(group);
  }

  /** The system group lets go of a node last: until then the node hears what it must do as a leader of others. */
  mayDrop(group: number): boolean {
    const goal = this.#goal;
    if (group !== SYSTEM_GROUP) return true;
    const others = this.#groups.slice(SYSTEM_GROUP + 1);
    return goal !== undefined && others.every(({ confState }) => conforms(confState, goal));
  }

  /** Whether a node can be reached and is to be made a leader; one that leaves is not. */
  canLead(node: NodeId): boolean {
    const { links, liveness } = this.#host;
    const isLeaving = this.#goal !== undefined && !this.#goal.voters.includes(node);
    return !isLeaving && liveness.isLive(node) && links.canLead(node);
  }

  confirm(expiresMs: number, done: Confirmed): void {
    // What is applied in a turn reaches this document at its end.
    this.#groups[SYSTEM_GROUP]!.confirm(expiresMs, (reached) =>
      this.#host.inTurn(() => done(reached)),
    );
  }

  /** A connection to a node was made or lost. */
  reachable(node: NodeId, is: boolean): void {
    if (is && this.#state !== undefined && wasRemoved(this.#state, node)) {
      this.#host.links.sendExpulsion(node, this.#notice('removed'));
    }
    this.#host.peers.reachable(node, is);
  }

  /**
   * A node says that this one is not of the cluster any more. What a recovered cluster says of the one before counts only
   * here where no leader is known: a quorum that lives was not lost, whatever an operator has thought of it.
   */
  told({ expulsion, clusterId }: ExpulsionNotice, { isPeer }: { readonly isPeer: boolean }): void {
    if (isPeer) {
      if (expulsion !== 'left-behind') this.#expel(expulsion);
    } else if (expulsion === 'left-behind' && clusterId === this.#row.clusterId) {
      if (this.#groups[SYSTEM_GROUP]!.lead === 0) this.#expel(expulsion);
    }
  }

  /** The cluster has decided that this node is not one of it any more: it is so for ever. */
  #expel(expulsion: Expulsion): void {
    if (this.#isExpelled) return;
    this.#isExpelled = true;
    this.#goal = undefined;
    const { node } = this.#row;
    this.#host.log.error('expelled', { reason: expulsionText(node, expulsion) });
    this.#write({ ...this.#row, expulsion }, () => this.#host.expelled(expulsion));
  }

  get #groups(): readonly Group[] {
    return this.#host.groups();
  }

  #update(local: LocalDocument): void {
    const state = readMembers(local.document!.committed.root);
    this.#state = state;
    if (state === undefined || this.#isExpelled) return;
    if (this.#row.clusterId === '') this.#adopt(state.id);
    if (!this.isOfCluster) return;
    const { node, incarnation } = this.#row;
    this.#host.identities.decide({
      wasRemoved: (id) => wasRemoved(state, id),
      incarnationOf: (id) => state.nodes.find((one) => one.node === id)?.incarnation,
      wasBefore: (clusterId) => wasBefore(state, clusterId),
    });
    const known = state.nodes.find((one) => one.node === node)?.incarnation;
    if (wasRemoved(state, node)) {
      this.#expel('removed');
    } else if (known !== undefined && known !== incarnation) {
      this.#expel('lost');
    } else {
      this.#keep(state);
      this.#goal = goalOf(state);
      for (const group of this.#groups) group.followMembers();
    }
  }

  #notice(expulsion: Expulsion): ExpulsionNotice {
    return { expulsion, clusterId: this.clusterId };
  }

  #adopt(clusterId: string): void {
    this.#host.header.clusterId = clusterId;
    this.#write({ ...this.#row, clusterId }, () => {});
  }

  /** Where the others are, in the network and for the next start. */
  #keep(state: MembersState): void {
    const { nodes } = state;
    const members = nodes.map(({ node, peerAddress, clientAddress }) => {
      return { node, peerAddress, clientAddress };
    });
    if (JSON.stringify(members) === JSON.stringify(this.#row.members)) return;
    // Whoever is still to come in an earlier state, which a node that starts goes through, is not gone.
    const gone = this.#row.members.filter(({ node }) => wasRemoved(state, node));
    for (const { node } of gone) this.#host.links.sendExpulsion(node, this.#notice('removed'));
    this.#host.peers.set(members);
    this.#write({ ...this.#row, members }, () => {});
  }

  #write(row: NodeRow, done: () => void): void {
    this.#row = row;
    const value = encodeNodeRow(row);
    this.#host.write([{ kind: 'put', key: NODE_KEY, value }], done);
  }
}
