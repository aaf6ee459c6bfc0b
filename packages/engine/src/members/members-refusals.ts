// Why the members cannot be changed as somebody asks for: each reason says what to do instead.

import type { ErrorCode } from '@deltabase/base';
import type { NodeId } from '../ports.js';
import type { Member } from './member.js';
import {
  type ChangeKind,
  type MemberChange,
  type MembersState,
  majorityOf,
  recordOf,
  wasRemoved,
} from './members-state.js';

/** What the node that runs the message sees of the others. */
export interface MembersView {
  isReachable(node: NodeId): boolean;
  /** In how many groups a learner is not known to have caught up. */
  lagOf(node: NodeId): number;
  /** All groups, the system group among them. */
  readonly groups: number;
  readonly membersMax: number;
  /** The cluster's id as its data directory has it; empty: it has not heard of it yet. */
  readonly clusterId: string;
}

export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Node ids: 65,535 nodes may ever have been in a cluster. */
export const NODE_ID_MAX = 65_535;

export function pending({ change }: MembersState): Refusal | undefined {
  if (change === undefined) return undefined;
  const what = describeChange(change);
  const undo = change.kind === 'remove' ? 'promote' : 'remove';
  return refused(
    `a change is under way (${what}), and only one is made at a time: wait for its end, or undo it with ` +
      `deltabase cluster ${undo} ${change.node}`,
  );
}

export function lagging(node: NodeId, view: MembersView): Refusal | undefined {
  const lag = view.lagOf(node);
  if (lag === 0) return undefined;
  return refused(
    `node ${node} has not caught up in ${lag} of ${view.groups} groups: see that it runs, and promote it later`,
  );
}

export function unreachable(node: NodeId, view: MembersView): Refusal | undefined {
  if (view.isReachable(node)) return undefined;
  return refused(`node ${node} cannot be reached, so it cannot stay: see that it runs`);
}

function describeChange({ kind, node, old }: MemberChange): string {
  const verb: Record<ChangeKind, string> = {
    add: `node ${node} is being added`,
    promote: `node ${node} is being promoted`,
    remove: `node ${node} is being removed`,
    replace: `node ${old} is being replaced by node ${node}`,
  };
  return verb[kind];
}

export function absence(state: MembersState, node: NodeId): Refusal | undefined {
  if (recordOf(state, node) !== undefined) return undefined;
  const message = wasRemoved(state, node)
    ? `node ${node} is no member any more`
    : `there is no node ${node}: deltabase cluster members lists them`;
  return { code: 'NODE_NOT_FOUND', message };
}

export function cannotJoin(
  state: MembersState,
  member: Member,
  view: MembersView,
): Refusal | undefined {
  const { node } = member;
  if (recordOf(state, node) !== undefined) return refused(`node ${node} is a member already`);
  if (node <= state.last) {
    return refused(
      `node ${node}: ids are never used again, and those up to ${state.last} have been: use ${state.last + 1} or a higher one`,
    );
  }
  if (!Number.isInteger(node) || node > NODE_ID_MAX) {
    const message = `node id ${node}: use a whole number from ${state.last + 1} to ${NODE_ID_MAX}`;
    return { code: 'INVALID_ARGUMENT', message };
  }
  if (state.nodes.length >= view.membersMax) {
    return refused(`there are ${state.nodes.length} members, as many as may be: remove one first`);
  }
  return addressTaken(state, member);
}

export function addressTaken(state: MembersState, member: Member): Refusal | undefined {
  const other = state.nodes.find(
    (one) =>
      one.node !== member.node &&
      (one.peerAddress === member.peerAddress || one.clientAddress === member.clientAddress),
  );
  return (
    other && refused(`node ${other.node} is at that address: give node ${member.node} its own`)
  );
}

/** What speaks against `voters`: those of them that can be reached are no majority. */
export function tooFew(
  voters: readonly NodeId[],
  view: MembersView,
  when: string,
): Refusal | undefined {
  const fit = voters.filter((id) => view.isReachable(id));
  if (fit.length >= majorityOf(voters.length)) return undefined;
  const away = voters.filter((id) => !fit.includes(id));
  return refused(
    `${when} only ${fit.length} of ${voters.length} voters could be reached, which is no majority: bring node ` +
      `${away.join(', ')} back first, or replace it`,
  );
}

export function refused(message: string): Refusal {
  return { code: 'MEMBERS_REFUSED', message };
}
