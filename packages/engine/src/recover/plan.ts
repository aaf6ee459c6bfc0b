// What a recovery will do, decided before anything is written. One directory goes on as the only member of a new
// cluster; each group is taken from whichever survivor's log is the most up-to-date, because an answer that was given
// stands in the log of a quorum, and that may be another one for each group. Pure.

import { assert, DeltabaseError } from '@deltabase/base';
import type { ConfState } from 'raft-ts';
import { majorityOf } from '../members/members-state.js';
import type { NodeId } from '../ports.js';
import { isUpToDate, type SurvivingGroup, type Survivor } from './survivor.js';

export interface RecoveryPlan {
  /** The cluster's id up to now. */
  readonly formerId: string;
  /** The node whose directory goes on. */
  readonly node: NodeId;
  /** Members whose directories are not there. */
  readonly givenUp: readonly NodeId[];
  readonly groups: readonly GroupPlan[];
}

export interface GroupPlan {
  readonly group: number;
  /** Whose copy is taken. */
  readonly from: NodeId;
  readonly lastIndex: number;
  /** How far it is known to have been committed; behind that, what was answered and what was not look the same. */
  readonly commit: number;
  /** A term that nobody has voted in. */
  readonly term: number;
  /** Whether the survivors are a majority of it, and would go on by themselves. */
  readonly hasQuorum: boolean;
}

/**
 * Plans to go on from the first of `survivors`. Throws NODE_MISMATCH if they are not of one cluster, MEMBERS_REFUSED if a
 * quorum is among them, INVALID_ARGUMENT for what cannot be recovered.
 */
export function planRecovery(survivors: readonly Survivor[]): RecoveryPlan {
  checkSameCluster(survivors);
  const [target] = survivors;
  const { clusterId, node } = target!.row;
  const groups = target!.groups.map(({ group }) => planGroup(group, survivors));
  const nodes = survivors.map(({ row }) => row.node);
  if (groups.every(({ hasQuorum }) => hasQuorum)) {
    throw new DeltabaseError(
      'MEMBERS_REFUSED',
      `no quorum is lost: node ${nodes.join(', ')} can go on without the others; start ${nodes.length === 1 ? 'it' : 'them'}, ` +
        'and replace those that are gone (deltabase cluster replace)',
    );
  }
  return { formerId: clusterId, node, givenUp: lostNodes(survivors), groups };
}

/** Throws INVALID_ARGUMENT unless `nodes` are exactly those that the plan gives up. */
export function checkGivenUp({ givenUp }: RecoveryPlan, nodes: readonly NodeId[]): void {
  const named = [...new Set(nodes)].sort((a, b) => a - b);
  if (named.join() === givenUp.join()) return;
  throw new DeltabaseError(
    'INVALID_ARGUMENT',
    `what would be given up is node ${givenUp.join(', ')}, not ${named.join(', ') || 'nothing'}: name exactly the members ` +
      'whose data is lost for good, and give the data directories of all others',
  );
}

function planGroup(group: number, survivors: readonly Survivor[]): GroupPlan {
  const copies = survivors.map(({ row, groups }) => ({ node: row.node, copy: groups[group]! }));
  // The first of equals: what is there already need not be copied.
  const best = copies.reduce((a, b) => (isUpToDate(a.copy, b.copy) ? a : b));
  const commit = Math.max(...copies.map(({ copy }) => copy.commit));
  assert(commit <= best.copy.lastIndex, 'the most up-to-date log has all that was committed');
  return {
    group,
    from: best.node,
    lastIndex: best.copy.lastIndex,
    commit,
    term: Math.max(...copies.map(({ copy }) => copy.term)) + 1,
    hasQuorum: hasQuorum(
      confInForce(copies.map(({ copy }) => copy)),
      copies.map(({ node }) => node),
    ),
  };
}

/** By the copy that knows of most. */
function confInForce(copies: readonly SurvivingGroup[]): ConfState {
  return copies.reduce((a, b) => (a.commit >= b.commit ? a : b)).conf;
}

function hasQuorum({ voters, votersOutgoing }: ConfState, nodes: readonly NodeId[]): boolean {
  const isMajority = (ids: readonly NodeId[]): boolean =>
    ids.filter((id) => nodes.includes(id)).length >= majorityOf(ids.length);
  return isMajority(voters) && (votersOutgoing.length === 0 || isMajority(votersOutgoing));
}

/** Members, by anything that a survivor knows, that are no survivors themselves. */
function lostNodes(survivors: readonly Survivor[]): NodeId[] {
  const known = survivors.flatMap(({ row, groups }) => [
    ...row.members.map(({ node }) => node),
    ...groups.flatMap(({ named }) => named),
  ]);
  const here = new Set(survivors.map(({ row }) => row.node));
  return [...new Set(known)].filter((node) => !here.has(node)).sort((a, b) => a - b);
}

function checkSameCluster(survivors: readonly Survivor[]): void {
  const [first, ...others] = survivors.map(({ row }) => row);
  if (first!.clusterId === '') {
    throw new DeltabaseError(
      'INVALID_ARGUMENT',
      `node ${first!.node} has never heard of its cluster, so there is nothing in it: begin a new cluster instead`,
    );
  }
  for (const { node, cluster, clusterId, groups } of others) {
    const isSame =
      cluster === first!.cluster && clusterId === first!.clusterId && groups === first!.groups;
    if (isSame) continue;
    throw new DeltabaseError(
      'NODE_MISMATCH',
      `node ${node} is of cluster ${cluster} (${clusterId}), node ${first!.node} of ${first!.cluster} ` +
        `(${first!.clusterId}): give data directories of one cluster, none of which was recovered before`,
    );
  }
  const nodes = survivors.map(({ row }) => row.node);
  if (new Set(nodes).size === nodes.length) return;
  throw new DeltabaseError(
    'INVALID_ARGUMENT',
    `two of the data directories are of the same node (${nodes.join(', ')}): give each node's once, the newest copy`,
  );
}
