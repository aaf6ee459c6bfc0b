// The members document and the configurations of some groups without a cluster around them: nodes die and return,
// leaders make steps, whoever steers says what holds, in any order. What must never be is asserted after every step.

import assert from 'node:assert/strict';
import { type ConfState, changeConf, votersOnly } from 'raft-ts';
import type { Member } from '../../src/members/member.js';
import type { MembersView } from '../../src/members/members-refusals.js';
import * as rules from '../../src/members/members-rules.js';
import {
  conforms,
  type Goal,
  goalOf,
  type MembersState,
  majorityOf,
  membersValue,
  readMembers,
  wasRemoved,
} from '../../src/members/members-state.js';
import { nextStep } from '../../src/members/next-step.js';

export const GROUPS = 3;
const MEMBERS_MAX = 7;

interface GroupModel {
  conf: ConfState;
  /** The document as the group's leader knows it, which may be older than it is. */
  known: MembersState;
  leader: number;
}

export function modelMember(node: number): Member {
  return { node, peerAddress: `p${node}:1`, clientAddress: `c${node}:1` };
}

export class MembersModel {
  state: MembersState;
  readonly groups: GroupModel[];
  readonly #dead = new Set<number>();

  constructor(voters: number) {
    const ids = Array.from({ length: voters }, (_, at) => at + 1);
    this.state = rules.found({ id: 'id', members: ids.map(modelMember) }, undefined);
    this.groups = Array.from({ length: GROUPS }, () => {
      return { conf: votersOnly(ids), known: this.state, leader: 0 };
    });
  }

  kill(node: number): void {
    this.#dead.add(node);
  }

  revive(node: number): void {
    this.#dead.delete(node);
  }

  reviveAll(): void {
    this.#dead.clear();
  }

  /** A node is there: neither dead nor told that it was removed. */
  isAlive(node: number): boolean {
    return !this.#dead.has(node) && !wasRemoved(this.state, node);
  }

  get view(): MembersView {
    return {
      isReachable: (node) => this.isAlive(node),
      lagOf: (node) => this.groups.filter(({ conf }) => !this.#hasCaughtUp(conf, node)).length,
      groups: GROUPS,
      membersMax: MEMBERS_MAX,
      clusterId: this.state.id,
    };
  }

  /** An operator, or the steering, says something; a message needs a quorum of the system group. */
  say(order: (state: MembersState, view: MembersView) => rules.Ruling): void {
    const system = this.groups[0]!;
    if (toleranceOf(system.conf, (node) => this.isAlive(node)) < 0) return;
    const ruling = order(this.state, this.view);
    if (rules.isRefusal(ruling)) {
      assert.ok(['MEMBERS_REFUSED', 'NODE_NOT_FOUND', 'INVALID_ARGUMENT'].includes(ruling.code));
      return;
    }
    assert.ok(goalOf(ruling).voters.length > 0, 'somebody votes');
    const isQuiet = ruling.change === undefined;
    assert.ok(
      !isQuiet || ruling.nodes.every(({ role }) => role !== 'leaving'),
      'nobody is leaving',
    );
    assert.ok(ruling.last >= this.state.last && ruling.changes >= this.state.changes);
    assert.deepEqual(readMembers(membersValue(ruling)), ruling, 'it is stored as it is');
    this.state = ruling;
    for (const { conf } of this.groups) this.#checkNobodyWasDropped(conf);
  }

  /** Whoever leads the system group says what can go on, by what leaders report that know the change (standings.ts). */
  steer(): void {
    const { change } = this.state;
    if (change === undefined) return;
    const { number, node, phase, promote } = change;
    const isIn = ({ conf }: GroupModel): boolean => conf.learners.includes(node);
    const isDone = ({ conf, known }: GroupModel): boolean =>
      known.change?.number === number &&
      known.change.phase === phase &&
      conforms(conf, goalOf(known));
    if (phase === 'changing') {
      if (this.groups.every(isDone)) this.say((state) => rules.finish(state, number));
    } else if (this.groups.every(isIn)) {
      if (!promote) this.say((state) => rules.finish(state, number));
      else if (this.view.lagOf(node) === 0) this.say((state) => rules.advance(state, number));
    }
  }

  /** The leader of a group hears of the document as it is. */
  hear(group: number): void {
    this.groups[group]!.known = this.state;
  }

  /** Somebody leads the group and makes a step, if there is a quorum. Returns whether anything has changed. */
  step(group: number, candidate: number): boolean {
    const model = this.groups[group]!;
    const isAlive = (node: number): boolean => this.isAlive(node);
    if (toleranceOf(model.conf, isAlive) < 0) return false;
    this.#elect(model, candidate);
    const goal = goalOf(model.known);
    const { conf } = model;
    const next = nextStep(conf, goal, {
      self: model.leader,
      isFit: isAlive,
      hasCaughtUp: (node) => this.#hasCaughtUp(conf, node),
      heirOf: (nodes) => nodes.find((node) => node !== model.leader && isAlive(node)),
      mayDrop: group > 0 || this.groups.slice(1).every((other) => conforms(other.conf, goal)),
    });
    if (next?.kind === 'transfer') model.leader = next.to;
    if (next?.kind === 'change') {
      model.conf = changeConf(conf, next.change);
      this.#checkStep(conf, model.conf, goal);
    }
    return next?.kind === 'change' || next?.kind === 'transfer';
  }

  /** Works until nothing changes any more. */
  settle(): void {
    for (let round = 0; round < 60; round++) {
      const before = this.state;
      for (let group = 0; group < GROUPS; group++) this.hear(group);
      const steps = this.groups.map((model, group) => this.step(group, model.leader));
      this.steer();
      if (before === this.state && !steps.includes(true)) return;
    }
    assert.fail(`it does not end: ${JSON.stringify(this)}`);
  }

  /** A leader that has lost its place, or its life, is followed by another one, which confirms the document first. */
  #elect(model: GroupModel, candidate: number): void {
    const { conf, leader } = model;
    const voters = [...new Set([...conf.voters, ...conf.votersOutgoing])];
    if (voters.includes(leader) && this.isAlive(leader) && candidate === leader) return;
    const fit = voters.filter((node) => this.isAlive(node));
    model.leader = fit.find((node) => node >= candidate) ?? fit[0]!;
    model.known = this.state;
  }

  #hasCaughtUp(conf: ConfState, node: number): boolean {
    const isIn = [conf.voters, conf.votersOutgoing, conf.learners].some((ids) =>
      ids.includes(node),
    );
    return isIn && this.isAlive(node);
  }

  #checkStep(before: ConfState, after: ConfState, goal: Goal): void {
    const isAlive = (node: number): boolean => this.isAlive(node);
    const came = after.voters.filter(
      (id) => ![...before.voters, ...before.votersOutgoing].includes(id),
    );
    for (const node of came) {
      assert.ok(before.learners.includes(node), `node ${node} listened before it votes`);
      assert.ok(isAlive(node), `node ${node} has caught up`);
    }
    // Never worse than both ends of the way: what one failure could not stop before, it cannot stop on the way either.
    const ends = [before, votersOnly(goal.voters)].map((conf) => toleranceOf(conf, isAlive));
    const tolerance = toleranceOf(after, isAlive);
    const text = `${JSON.stringify(before)} to ${JSON.stringify(after)} for ${JSON.stringify(goal)}`;
    assert.ok(tolerance >= Math.min(...ends), text);
    assert.ok(tolerance >= 0, text);
    this.#checkNobodyWasDropped(after);
  }

  /** A node is told that it was removed only when no group counts on it any more. */
  #checkNobodyWasDropped(conf: ConfState): void {
    for (const node of [...conf.voters, ...conf.votersOutgoing]) {
      assert.ok(!wasRemoved(this.state, node), `node ${node} still votes: ${JSON.stringify(conf)}`);
    }
  }
}

/** How many more nodes may die before there is no quorum; below 0: there is none. */
export function toleranceOf(conf: ConfState, isAlive: (node: number) => boolean): number {
  const halves = [conf.voters, conf.votersOutgoing].filter((half) => half.length > 0);
  return Math.min(...halves.map((half) => half.filter(isAlive).length - majorityOf(half.length)));
}
