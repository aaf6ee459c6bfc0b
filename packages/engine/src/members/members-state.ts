// The document `members` of the system space as plain data: who is in the cluster, where, as what, and the one change
// that is under way. What the configurations of all groups must become follows from it.
//   {"id": text, "last": n, "changes": n, "nodes": {ID: {"peer", "client", "role", "incarnation": n or null}},
//    "change": null or {"number", "kind", "node", "old": n or null, "phase", "promote"}, "leaders": {GROUP: ID},
//    "recoveries": [{"formerId", "node", "takenFrom": [n], "givenUp": [n], "timeMs"}], left out while there are none}

import { assert } from '@deltabase/base';
import { fromJson, toJson, type Value } from '@deltabase/delta';
import type { ConfState } from 'raft-ts';
import type { NodeId } from '../ports.js';
import type { Recovery } from './member.js';

/** The document that lists the members. */
export const MEMBERS_KEY = 'members';

/** `leaving`: in no group any more once the change under way is through. */
export type MemberRole = 'voter' | 'learner' | 'leaving';

export interface MemberRecord {
  readonly node: NodeId;
  readonly peerAddress: string;
  readonly clientAddress: string;
  readonly role: MemberRole;
  /** That of its data directory; `undefined`: it has not been heard yet. */
  readonly incarnation: number | undefined;
}

export type ChangeKind = 'add' | 'promote' | 'remove' | 'replace';

/** `joining`: the node is to become a learner of every group, and to catch up; `changing`: voters come and go. */
export type ChangePhase = 'joining' | 'changing';

export interface MemberChange {
  /** Counts the changes, from 1. */
  readonly number: number;
  readonly kind: ChangeKind;
  readonly node: NodeId;
  /** The node that a replacement replaces. */
  readonly old: NodeId | undefined;
  readonly phase: ChangePhase;
  /** Whether a node that was added becomes a voter. */
  readonly promote: boolean;
}

export interface MembersState {
  /** The cluster's, drawn when it was made or recovered. */
  readonly id: string;
  /** The highest node id there ever was: lower ones that are not members were removed. */
  readonly last: NodeId;
  /** How many changes have begun. */
  readonly changes: number;
  readonly nodes: readonly MemberRecord[];
  readonly change: MemberChange | undefined;
  /** Who should lead a group, where an operator has said so. */
  readonly leaders: ReadonlyMap<number, NodeId>;
  /** The last times that the quorum was lost and the cluster recovered, oldest first. */
  readonly recoveries: readonly Recovery[];
}

/** What the configuration of every group is to be, in order of the ids. */
export interface Goal {
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
}

/** The document as JSON; `null` stands for what there is not. */
interface StoredMembers extends Pick<MembersState, 'id' | 'last' | 'changes'> {
  readonly nodes: Readonly<Record<string, StoredMember>>;
  readonly change: (Omit<MemberChange, 'old'> & { readonly old: NodeId | null }) | null;
  readonly leaders: Readonly<Record<string, NodeId>>;
  readonly recoveries?: readonly Recovery[];
}

interface StoredMember extends Pick<MemberRecord, 'role'> {
  readonly peer: string;
  readonly client: string;
  readonly incarnation: number | null;
}

/** The state of the document; `undefined`: it has had no message yet. */
export function readMembers(root: Value): MembersState | undefined {
  if (root === null) return undefined;
  // The document's own handlers made it (members-machine.ts).
  const stored = toJson(root) as unknown as StoredMembers;
  const { id, last, changes, nodes, change, leaders, recoveries = [] } = stored;
  assert(typeof id === 'string' && Number.isInteger(last), 'the members document has its form');
  return {
    id,
    last,
    changes,
    nodes: Object.keys(nodes)
      .map(Number)
      .sort((a, b) => a - b)
      .map((node) => {
        const { peer, client, role, incarnation } = nodes[node]!;
        const places = { peerAddress: peer, clientAddress: client };
        return { node, ...places, role, incarnation: incarnation ?? undefined };
      }),
    change: change === null ? undefined : { ...change, old: change.old ?? undefined },
    leaders: new Map(Object.keys(leaders).map((group) => [Number(group), leaders[group]!])),
    recoveries,
  };
}

/** The document with this state. */
export function membersValue(state: MembersState): Value {
  const { nodes, change, leaders, recoveries, ...rest } = state;
  return fromJson({
    ...rest,
    nodes: Object.fromEntries(
      nodes.map(({ node, peerAddress: peer, clientAddress: client, role, incarnation }) => [
        String(node),
        { peer, client, role, incarnation: incarnation ?? null },
      ]),
    ),
    change: change === undefined ? null : { ...change, old: change.old ?? null },
    leaders: Object.fromEntries([...leaders].map(([group, node]) => [String(group), node])),
    ...(recoveries.length > 0 && { recoveries: recoveries.map((recovery) => ({ ...recovery })) }),
  });
}

export function goalOf({ nodes }: MembersState): Goal {
  const withRole = (role: MemberRole): NodeId[] =>
    nodes.filter((one) => one.role === role).map(({ node }) => node);
  return { voters: withRole('voter'), learners: withRole('learner') };
}

/** What is known of a member; `undefined`: it is none. */
export function recordOf({ nodes }: MembersState, node: NodeId): MemberRecord | undefined {
  return nodes.find((one) => one.node === node);
}

/** Whether a node was a member once, and is one no more. */
export function wasRemoved({ last, nodes }: MembersState, node: NodeId): boolean {
  return node <= last && !nodes.some((one) => one.node === node);
}

/** Whether the cluster had this id before a recovery. */
export function wasBefore({ recoveries }: MembersState, clusterId: string): boolean {
  return recoveries.some(({ formerId }) => formerId === clusterId);
}

/** Whether a configuration is what it is to be. */
export function conforms(conf: ConfState, goal: Goal): boolean {
  if (conf.votersOutgoing.length > 0) return false;
  return equalIds(conf.voters, goal.voters) && equalIds(conf.learners, goal.learners);
}

/** More than half. */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

function equalIds(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at]);
}
