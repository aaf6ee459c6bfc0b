// From one configuration to the next: pure functions over ConfState, usable by themselves. A change either
// gives a configuration that keeps every rule of `checkConfState` or throws and changes nothing.
// Single steps change at most one voter (thesis §4.1); larger changes go by a joint one (Raft §6).

import { assert } from './assert.js';
import { type ConfChange, entersJoint, leavesJoint, type NodeChange } from './conf-change.js';
import { RaftError } from './errors.js';
import { type ConfState, isNodeId, type NodeId } from './types.js';

/** The configuration after `change`. Throws RaftError ConfChangeInvalid. */
export function changeConf(conf: ConfState, change: ConfChange): ConfState {
  if (leavesJoint(change)) return leaveJoint(conf);
  if (!entersJoint(change)) return simpleChange(conf, change.changes);
  return enterJoint(conf, change.changes, { autoLeave: change.transition !== 'explicit' });
}

/** One step without a joint configuration: at most one voter may come or go. */
export function simpleChange(conf: ConfState, changes: readonly NodeChange[]): ConfState {
  if (isJoint(conf)) throw invalid('the configuration is joint: leave it first');
  const next = applyChanges(conf, changes);
  if (differences(conf.voters, next.voters) > 1) {
    throw invalid('more than one voter would change: use a joint configuration');
  }
  return checked(next);
}

/** The joint configuration between `conf` and `conf` with `changes`. */
export function enterJoint(
  conf: ConfState,
  changes: readonly NodeChange[],
  options: { readonly autoLeave: boolean },
): ConfState {
  if (isJoint(conf)) throw invalid('the configuration is joint already');
  if (conf.voters.length === 0) throw invalid('there is no voter to decide on the change');
  const joint = { ...conf, votersOutgoing: conf.voters, autoLeave: options.autoLeave };
  return checked(applyChanges(joint, changes));
}

/** The configuration after the joint one: its incoming half, with the learners that were to become. */
export function leaveJoint(conf: ConfState): ConfState {
  if (!isJoint(conf)) throw invalid('the configuration is not joint');
  return checked({
    voters: conf.voters,
    votersOutgoing: [],
    learners: conf.learnersNext.reduce(withNode, conf.learners),
    learnersNext: [],
    autoLeave: false,
  });
}

export function isJoint(conf: ConfState): boolean {
  return conf.votersOutgoing.length > 0;
}

/** Every node of a configuration, sorted. */
export function nodesOf(conf: ConfState): readonly NodeId[] {
  return conf.votersOutgoing.concat(conf.learners).reduce(withNode, conf.voters);
}

/** Throws RaftError ConfChangeInvalid unless `conf` keeps the rules of a configuration. */
export function checkConfState(conf: ConfState): void {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = conf;
  for (const list of [voters, votersOutgoing, learners, learnersNext]) {
    if (list.some((id, at) => !isNodeId(id) || (at > 0 && list[at - 1]! >= id))) {
      throw invalid('node ids are positive whole numbers, sorted and named once');
    }
  }
  if (learners.some((id) => voters.includes(id) || votersOutgoing.includes(id))) {
    throw invalid('a learner does not vote');
  }
  if (learnersNext.some((id) => !votersOutgoing.includes(id) || voters.includes(id))) {
    throw invalid('only a voter of the outgoing half alone can become a learner next');
  }
  if (!isJoint(conf) && (learnersNext.length > 0 || autoLeave)) {
    throw invalid('only a joint configuration can be left');
  }
}

function applyChanges(conf: ConfState, changes: readonly NodeChange[]): ConfState {
  const next = changes.reduce(applyChange, conf);
  if (next.voters.length === 0) throw invalid('the last voter cannot be removed');
  return next;
}

function applyChange(conf: ConfState, { kind, node }: NodeChange): ConfState {
  if (kind === 'addLearner' && conf.learners.includes(node)) return conf;
  const rest: ConfState = {
    ...conf,
    voters: withoutNode(conf.voters, node),
    learners: withoutNode(conf.learners, node),
    learnersNext: withoutNode(conf.learnersNext, node),
  };
  if (kind === 'remove') return rest;
  if (kind === 'addVoter') return { ...rest, voters: withNode(rest.voters, node) };
  // While it still votes in the outgoing half it cannot be a learner yet.
  return conf.votersOutgoing.includes(node)
    ? { ...rest, learnersNext: withNode(rest.learnersNext, node) }
    : { ...rest, learners: withNode(rest.learners, node) };
}

function differences(a: readonly NodeId[], b: readonly NodeId[]): number {
  const gone = a.filter((id) => !b.includes(id)).length;
  const come = b.filter((id) => !a.includes(id)).length;
  return gone + come;
}

function withNode(nodes: readonly NodeId[], node: NodeId): readonly NodeId[] {
  if (nodes.includes(node)) return nodes;
  return [...nodes, node].sort((a, b) => a - b);
}

function withoutNode(nodes: readonly NodeId[], node: NodeId): readonly NodeId[] {
  return nodes.filter((id) => id !== node);
}

function checked(conf: ConfState): ConfState {
  checkConfState(conf);
  assert(conf.voters.length > 0, 'a configuration has a voter');
  return conf;
}

function invalid(message: string): RaftError {
  return new RaftError('ConfChangeInvalid', message);
}
