// What may be done to the members, and what may not: each message to the members document is a function from one state
// to the next, or a refusal that says what to do. They run on the leader of the system group, which sees who can be
// reached; what endangers a single group besides, that group's leader waits for (next-step.ts).

import type { ErrorCode } from '@deltabase/base';
import type { NodeId } from '../ports.js';
import type { Member } from './member.js';
import {
  type ChangeKind,
  type MemberChange,
  type MemberRecord,
  type MembersState,
  majorityOf,
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
}

export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

export type Ruling = MembersState | Refusal;

export function isRefusal(ruling: Ruling): ruling is Refusal {
  return 'code' in ruling;
}

/** Node ids: 65,535 nodes may ever have been in a cluster. */
export const NODE_ID_MAX = 65_535;

// What operators ask for.

/** A node comes, as a learner first. */
export function add(
  state: MembersState,
  { member, promote }: { readonly member: Member; readonly promote: boolean },
  view: MembersView,
): Ruling {
  const asked = { kind: 'add' as const, node: member.node, old: undefined };
  if (isUnderWay(state, asked) && isAt(state, member)) return state;
  const why = pending(state) ?? cannotJoin(state, member, view);
  if (why !== undefined) return why;
  return begin(withNode(state, newcomer(member)), { ...asked, phase: 'joining', promote });
}

/** A learner is to vote. */
export function promote(
  state: MembersState,
  { node }: { readonly node: NodeId },
  view: MembersView,
): Ruling {
  const asked = { kind: 'promote' as const, node, old: undefined };
  if (isUnderWay(state, asked)) return state;
  const record = recordOf(state, node);
  const why = pending(state) ?? absence(state, node);
  if (why !== undefined || record === undefined) return why!;
  if (record.role === 'voter') return refused(`node ${node} is a voter already`);
  const lag = view.lagOf(node);
  if (lag > 0) {
    return refused(
      `node ${node} has not caught up in ${lag} of ${view.groups} groups: see that it runs, and promote it later`,
    );
  }
  const voters = [...votersOf(state), node];
  const unsafe = tooFew(voters, view, `with node ${node} as a voter`);
  if (unsafe !== undefined) return unsafe;
  const promoted = withNode(state, { ...record, role: 'voter' });
  return begin(promoted, { ...asked, phase: 'changing', promote: true });
}

/** A node goes; what is under way for it is undone. */
export function remove(
  state: MembersState,
  { node }: { readonly node: NodeId },
  view: MembersView,
): Ruling {
  const asked = { kind: 'remove' as const, node, old: undefined };
  if (isUnderWay(state, asked)) return state;
  const record = recordOf(state, node);
  const why = (state.change?.node === node ? undefined : pending(state)) ?? absence(state, node);
  if (why !== undefined || record === undefined) return why!;
  const voters = votersOf(state).filter((id) => id !== node);
  if (voters.length === 0) {
    return refused(`node ${node} is the last voter: add another node first`);
  }
  if (record.role === 'voter') {
    const unsafe = tooFew(voters, view, `without node ${node}`);
    if (unsafe !== undefined) return unsafe;
  }
  const leaving = withNode(state, { ...record, role: 'leaving' });
  return begin(leaving, { ...asked, phase: 'changing', promote: false });
}

/** A node comes, and another one goes when it has caught up. */
export function replace(
  state: MembersState,
  { old, member }: { readonly old: NodeId; readonly member: Member },
  view: MembersView,
): Ruling {
  const asked = { kind: 'replace' as const, node: member.node, old };
  if (isUnderWay(state, asked) && isAt(state, member)) return state;
  const why = pending(state) ?? absence(state, old) ?? cannotJoin(state, member, view);
  if (why !== undefined) return why;
  if (recordOf(state, old)!.role === 'voter') {
    // The new one will be there, or nothing is done.
    const staying = votersOf(state).filter((id) => id !== old);
    const fit = staying.filter((id) => view.isReachable(id)).length + 1;
    if (fit < majorityOf(staying.length + 1)) {
      return refused(
        `of the voters that stay only ${fit - 1} of ${staying.length} can be reached, and with the new node that is no ` +
          'majority: bring others back first',
      );
    }
  }
  return begin(withNode(state, newcomer(member)), { ...asked, phase: 'joining', promote: true });
}

/** A node should lead a group, or whoever the balancer chooses again. */
export function prefer(
  state: MembersState,
  { group, node }: { readonly group: number; readonly node: NodeId | undefined },
): Ruling {
  const leaders = new Map(state.leaders);
  if (node === undefined) {
    leaders.delete(group);
    return { ...state, leaders };
  }
  const why = absence(state, node);
  if (why !== undefined) return why;
  if (recordOf(state, node)!.role !== 'voter') {
    return refused(`node ${node} does not vote, so it cannot lead: promote it first`);
  }
  return { ...state, leaders: leaders.set(group, node) };
}

// What nodes say of themselves and each other.

/** A cluster has begun, or goes on from some of its nodes after it was recovered; `before` is what it was then. */
export function found(
  id: string,
  members: readonly Member[],
  before: MembersState | undefined,
): MembersState {
  const nodes = members
    .map((member) => ({ ...newcomer(member), role: 'voter' as const }))
    .sort((a, b) => a.node - b.node);
  const last = Math.max(before?.last ?? 0, ...nodes.map(({ node }) => node));
  const changes = before?.changes ?? 0;
  return { id, last, changes, nodes, change: undefined, leaders: new Map() };
}

/** A node was heard of under an incarnation: from now on it counts under no other. */
export function met(state: MembersState, node: NodeId, incarnation: number): MembersState {
  const record = recordOf(state, node);
  if (record === undefined || record.incarnation !== undefined) return state;
  return withNode(state, { ...record, incarnation });
}

/** A node is somewhere else. */
export function move(state: MembersState, member: Member): Ruling {
  const record = recordOf(state, member.node);
  const why = absence(state, member.node) ?? addressTaken(state, member);
  if (why !== undefined || record === undefined) return why!;
  return withNode(state, { ...record, ...member });
}

// What the steering says of a change under way.

/** Everything is ready for voters to come and go. */
export function advance(state: MembersState, number: number): MembersState {
  const { change } = state;
  if (change?.number !== number || change.phase !== 'joining') return state;
  const { node, old } = change;
  const role = old === undefined ? 'voter' : recordOf(state, old)!.role;
  let next = withNode(state, { ...recordOf(state, node)!, role });
  if (old !== undefined) next = withNode(next, { ...recordOf(state, old)!, role: 'leaving' });
  return { ...next, change: { ...change, phase: 'changing' } };
}

/** All groups are as they should be: who was leaving has left. */
export function finish(state: MembersState, number: number): MembersState {
  if (state.change?.number !== number) return state;
  const nodes = state.nodes.filter(({ role }) => role !== 'leaving');
  const stays = (id: NodeId): boolean => nodes.some(({ node }) => node === id);
  const leaders = new Map([...state.leaders].filter(([, node]) => stays(node)));
  return { ...state, nodes, leaders, change: undefined };
}

function begin(state: MembersState, change: Omit<MemberChange, 'number'>): MembersState {
  const number = state.changes + 1;
  return { ...state, changes: number, change: { number, ...change } };
}

function newcomer(member: Member): MemberRecord {
  return { ...member, role: 'learner', incarnation: undefined };
}

function withNode(state: MembersState, record: MemberRecord): MembersState {
  const last = Math.max(state.last, record.node);
  const others = state.nodes.filter(({ node }) => node !== record.node);
  return { ...state, last, nodes: [...others, record].sort((a, b) => a.node - b.node) };
}

function recordOf({ nodes }: MembersState, node: NodeId): MemberRecord | undefined {
  return nodes.find((one) => one.node === node);
}

function votersOf({ nodes }: MembersState): NodeId[] {
  return nodes.filter(({ role }) => role === 'voter').map(({ node }) => node);
}

/** Whether the change that is asked for has begun already: asked again, it is answered again. */
function isUnderWay(
  { change }: MembersState,
  { kind, node, old }: Pick<MemberChange, 'kind' | 'node' | 'old'>,
): boolean {
  return change?.kind === kind && change.node === node && change.old === old;
}

function isAt(state: MembersState, { node, peerAddress, clientAddress }: Member): boolean {
  const record = recordOf(state, node);
  return record?.peerAddress === peerAddress && record.clientAddress === clientAddress;
}

function pending({ change }: MembersState): Refusal | undefined {
  if (change === undefined) return undefined;
  const what = describeChange(change);
  return refused(
    `a change is under way (${what}), and only one is made at a time: wait for its end, or undo it with ` +
      `deltabase cluster remove ${change.node}`,
  );
}

export function describeChange({ kind, node, old }: MemberChange): string {
  const verb: Record<ChangeKind, string> = {
    add: `node ${node} is being added`,
    promote: `node ${node} is being promoted`,
    remove: `node ${node} is being removed`,
    replace: `node ${old} is being replaced by node ${node}`,
  };
  return verb[kind];
}

function absence(state: MembersState, node: NodeId): Refusal | undefined {
  if (recordOf(state, node) !== undefined) return undefined;
  const message = wasRemoved(state, node)
    ? `node ${node} is no member any more`
    : `there is no node ${node}: deltabase cluster members lists them`;
  return { code: 'NODE_NOT_FOUND', message };
}

function cannotJoin(state: MembersState, member: Member, view: MembersView): Refusal | undefined {
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

function addressTaken(state: MembersState, member: Member): Refusal | undefined {
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
function tooFew(voters: readonly NodeId[], view: MembersView, when: string): Refusal | undefined {
  const fit = voters.filter((id) => view.isReachable(id));
  if (fit.length >= majorityOf(voters.length)) return undefined;
  const away = voters.filter((id) => !fit.includes(id));
  return refused(
    `${when} only ${fit.length} of ${voters.length} voters could be reached, which is no majority: bring node ` +
      `${away.join(', ')} back first, or replace it`,
  );
}

function refused(message: string): Refusal {
  return { code: 'MEMBERS_REFUSED', message };
}
