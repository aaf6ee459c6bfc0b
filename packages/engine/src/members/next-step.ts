// The next step of a group's configuration towards what the members document says, as the group's leader sees it: a
// pure function, looked at again after every step and whenever something may have changed, so that any leader goes on
// from wherever it finds the group (thesis §4; docs/raft.md, pitfalls 11 and 12).

import { type ConfChange, type ConfState, LEAVE_JOINT, type NodeChange } from 'raft-ts';
import type { NodeId } from '../ports.js';
import { conforms, type Goal, majorityOf } from './members-state.js';

/** What the leader of a group knows. */
export interface GroupView {
  readonly self: NodeId;
  /** Whether a node was heard of lately, and its copy is whole; true for the leader itself. */
  isFit(node: NodeId): boolean;
  /** Whether a node has all that was committed a moment ago, and what is sent to it arrives. */
  hasCaughtUp(node: NodeId): boolean;
  /** Who of `nodes` should take the group over; `undefined`: none can now. */
  heirOf(nodes: readonly NodeId[]): NodeId | undefined;
  /** Whether nodes may leave the group now: the system group lets go of a node last. */
  readonly mayDrop: boolean;
}

/** `wait`: something has to happen first; `why` is for people. */
export type Step =
  | { readonly kind: 'change'; readonly change: ConfChange }
  | { readonly kind: 'transfer'; readonly to: NodeId }
  | { readonly kind: 'wait'; readonly why: string };

/** The next step; `undefined`: there is none to make. */
export function nextStep(conf: ConfState, goal: Goal, view: GroupView): Step | undefined {
  if (conf.votersOutgoing.length > 0) return leaveJoint(conf, view);
  if (conforms(conf, goal)) return undefined;
  const wanted = [...goal.voters, ...goal.learners];
  const missing = wanted.find((id) => !conf.voters.includes(id) && !conf.learners.includes(id));
  // Whoever comes listens first, so that it never votes on what it does not have.
  if (missing !== undefined) return simple({ kind: 'addLearner', node: missing });
  return changeVoters(conf, goal, view) ?? dropLearner(conf, wanted, view);
}

/** Voters that come and go, all at once; `undefined`: the voters are those that are wanted. */
function changeVoters(conf: ConfState, goal: Goal, view: GroupView): Step | undefined {
  const coming = goal.voters.filter((id) => !conf.voters.includes(id));
  const going = conf.voters.filter((id) => !goal.voters.includes(id));
  if (coming.length + going.length === 0) return undefined;
  const lagging = coming.find((id) => !view.hasCaughtUp(id));
  if (lagging !== undefined) return wait(`node ${lagging} has not caught up`);
  const fit = goal.voters.filter((id) => view.isFit(id));
  if (fit.length < majorityOf(goal.voters.length)) {
    return wait(`only ${fit.length} of ${goal.voters.length} voters to be are heard of`);
  }
  const staying = conf.voters.filter((id) => goal.voters.includes(id));
  // Whoever leaves is not told how the other groups go on: one that stays must lead before it can wait for them.
  if (going.includes(view.self) && staying.length > 0) return handOver(staying, view);
  if (going.length > 0 && staying.length > 0 && !view.mayDrop) return othersFirst();
  const changes: NodeChange[] = [
    ...coming.map((node) => ({ kind: 'addVoter' as const, node })),
    ...going.map((node) => ({ kind: goesAs(node, goal), node })),
  ];
  if (changes.length === 1) return simple(changes[0]!);
  // The leader leaves the joint configuration on purpose, once it is one that may stay (Raft §6).
  return { kind: 'change', change: { transition: 'explicit', changes, context: NOTHING } };
}

function leaveJoint(conf: ConfState, view: GroupView): Step {
  if (conf.autoLeave) return wait('the joint configuration is being left');
  if (!conf.voters.includes(view.self)) return handOver(conf.voters, view);
  return view.mayDrop ? { kind: 'change', change: LEAVE_JOINT } : othersFirst();
}

function handOver(to: readonly NodeId[], view: GroupView): Step {
  const heir = view.heirOf(to);
  if (heir === undefined) return wait(`none of ${to.join(', ')} can take the group over`);
  return { kind: 'transfer', to: heir };
}

function dropLearner(
  conf: ConfState,
  wanted: readonly NodeId[],
  view: GroupView,
): Step | undefined {
  const node = conf.learners.find((id) => !wanted.includes(id));
  if (node === undefined) return undefined;
  return view.mayDrop ? simple({ kind: 'remove', node }) : othersFirst();
}

function othersFirst(): Step {
  return wait('the other groups come first');
}

function goesAs(node: NodeId, goal: Goal): NodeChange['kind'] {
  return goal.learners.includes(node) ? 'addLearner' : 'remove';
}

function simple(change: NodeChange): Step {
  return { kind: 'change', change: { transition: 'auto', changes: [change], context: NOTHING } };
}

function wait(why: string): Step {
  return { kind: 'wait', why };
}

const NOTHING = new Uint8Array(0);
