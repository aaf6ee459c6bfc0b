// What may be done to the members, and what may not: each message to the members document is a function from one state
// to the next, or a refusal that says what to do. They run on the leader of the system group, which sees who can be
// reached; what endangers a single group besides, that group's leader waits for (next-step.ts).

import type { NodeId } from '../ports.js';
import type { Member, Recovery } from './member.js';
import {
  absence,
  addressTaken,
  cannotJoin,
  lagging,
  type MembersView,
  pending,
  type Refusal,
  refused,
  tooFew,
  unreachable,
} from './members-refusals.js';
import {
  type MemberChange,
  type MemberRecord,
  type MembersState,
  majorityOf,
  recordOf,
} from './members-state.js';

export type Ruling = MembersState | Refusal;

export function isRefusal(ruling: Ruling): ruling is Refusal {
  return 'code' in ruling;
}

// What operators ask for.

/** A node comes, as a learner first. */
export function add(
  state: MembersState,
  { member, promote }: { readonly member: Member; readonly promote: boolean },
  view: MembersView,
): Ruling {
  const asked = { kind: 'add' as const, node: member.node, old: undefined };
  const isAsked = isUnderWay(state, asked) && state.change!.promote === promote;
  if (isAsked && isAt(state, member)) return state;
  const why = pending(state) ?? cannotJoin(state, member, view);
  if (why !== undefined) return why;
  return begin(withNode(state, newcomer(member)), { ...asked, phase: 'joining', promote });
}

/** A learner is to vote; or a node whose removal is under way stays after all. */
export function promote(
  state: MembersState,
  { node }: { readonly node: NodeId },
  view: MembersView,
): Ruling {
  const asked = { kind: 'promote' as const, node, old: undefined };
  if (isUnderWay(state, asked)) return state;
  const record = recordOf(state, node);
  const undoes = state.change?.kind === 'remove' && state.change.node === node;
  const why = (undoes ? undefined : pending(state)) ?? absence(state, node);
  if (why !== undefined || record === undefined) return why!;
  if (record.role === 'voter') return refused(`node ${node} is a voter already`);
  const unfit = undoes ? unreachable(node, view) : lagging(node, view);
  if (unfit !== undefined) return unfit;
  const voters = [...votersOf(state), node];
  const unsafe = tooFew(voters, view, `with node ${node} as a voter`);
  if (unsafe !== undefined) return unsafe;
  const promoted = withNode(state, { ...record, role: 'voter' });
  return begin(promoted, { ...asked, phase: 'changing', promote: true });
}

/** A node goes; what is under way for it is undone, and the node that it was to replace stays if it is there. */
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
  const back = replacedBy(state, node);
  if (back !== undefined && view.isReachable(back.node)) return exchange(state, record, back);
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

/** The node that leaves because `node` has come in its place. */
function replacedBy(state: MembersState, node: NodeId): MemberRecord | undefined {
  const { change } = state;
  if (change?.kind !== 'replace' || change.phase !== 'changing' || change.node !== node) return;
  return recordOf(state, change.old!);
}

/** A replacement is made the other way round: some groups may have got through it, others not. */
function exchange(state: MembersState, going: MemberRecord, back: MemberRecord): MembersState {
  const next = withNode(withNode(state, { ...back, role: going.role }), {
    ...going,
    role: 'leaving',
  });
  const nodes = { node: back.node, old: going.node };
  return begin(next, { kind: 'replace', ...nodes, phase: 'changing', promote: true });
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

/** Recoveries that are remembered. */
const RECOVERIES_MAX = 16;

/** What a cluster begins with, or goes on with after it was recovered. */
export interface Foundation {
  readonly id: string;
  readonly members: readonly Member[];
  readonly recovery?: Recovery | undefined;
}

/** A cluster has begun, or was recovered; `before` is what it was then. */
export function found(
  { id, members, recovery }: Foundation,
  before: MembersState | undefined,
): MembersState {
  const nodes = members
    .map((member) => ({ ...newcomer(member), role: 'voter' as const }))
    .sort((a, b) => a.node - b.node);
  const { takenFrom = [], givenUp = [] } = recovery ?? {};
  const used = [...nodes.map(({ node }) => node), ...takenFrom, ...givenUp];
  const last = Math.max(before?.last ?? 0, ...used);
  const changes = before?.changes ?? 0;
  const all = [...(before?.recoveries ?? []), ...(recovery === undefined ? [] : [recovery])];
  const recoveries = all.slice(-RECOVERIES_MAX);
  return { id, last, changes, nodes, change: undefined, leaders: new Map(), recoveries };
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
