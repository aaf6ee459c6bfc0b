// Members that come and go while everything else goes wrong: added, promoted, removed, replaced, their leaders moved
// and crashed at every step of a change, and nodes that come back under a name that is theirs no more.

import type { Prng } from '@deltabase/base';
import type { MembersReport, NodeId } from '@deltabase/engine';
import { newMember } from '../operator.js';
import { type Fault, type FaultHost, oneOf } from './fault.js';

export const MEMBER_FAULTS: readonly Fault[] = [
  { name: 'add-node', kind: 'members', meanMs: 800, inject: addNode },
  { name: 'promote-node', kind: 'members', meanMs: 400, inject: promoteNode },
  { name: 'remove-node', kind: 'members', meanMs: 1200, inject: removeNode },
  { name: 'replace-node', kind: 'members', meanMs: 800, inject: replaceNode },
  { name: 'replace-while-lagging', kind: 'members', meanMs: 1500, inject: replaceWhileLagging },
  { name: 'transfer', kind: 'members', meanMs: 600, inject: transfer },
  { name: 'crash-in-change', kind: 'members', meanMs: 400, inject: crashInChange },
  { name: 'old-identity', kind: 'members', meanMs: 600, inject: oldIdentity },
];

/** More would only make runs slower. */
const MEMBERS_MAX = 6;

/** What a node logs that makes a step of a change; the next moments are the worst to end in. */
const STEPS: ReadonlyArray<readonly [step: string, signs: readonly string[]]> = [
  ['a learner was added', [' configuration-step ', 'addLearner']],
  ['voters were changed', [' configuration-step ', 'addVoter']],
  ['a voter was removed', [' configuration-step ', 'remove ']],
  ['the joint configuration was left', [' configuration-step ', 'leave the joint one']],
  ['a leader that leaves handed over', [' configuration-step ', 'hand over']],
  ['a new node was met', [' members-said ', '"met"']],
  ['the voters were to be changed', [' members-said ', '"advance"']],
  ['the change was finished', [' members-said ', '"finish"']],
];

function addNode(run: FaultHost, chance: Prng): void {
  const report = readyForChange(run, chance);
  if (report === undefined || report.members.length >= MEMBERS_MAX) return;
  run.count('a node was to be added');
  const promote = chance.below(3) > 0;
  run.operator.order({ kind: 'add', member: newMember(run.operator), promote }, chance);
}

function promoteNode(run: FaultHost, chance: Prng): void {
  const report = readyForChange(run, chance);
  const node = oneOf(chance, membersIn(report, 'learner'));
  if (node === undefined) return;
  run.count('a learner was to be promoted');
  run.operator.order({ kind: 'promote', node }, chance);
}

/** A node goes; half the time one that leads, and now and then one whose change is under way. */
function removeNode(run: FaultHost, chance: Prng): void {
  const { report } = run.operator;
  if (report === undefined) return;
  const isUndone = report.change !== undefined && chance.below(3) === 0;
  const node = isUndone ? report.change!.node : memberThatGoes(run, chance);
  const votersMin = chance.below(8) === 0 ? 1 : 2;
  if (node === undefined || membersIn(report, 'voter').length <= votersMin) return;
  countIfLeader(run, node);
  run.count('a node was to be removed');
  run.operator.order({ kind: 'remove', node }, chance);
}

function replaceNode(run: FaultHost, chance: Prng): void {
  if (readyForChange(run, chance) === undefined) return;
  const old = memberThatGoes(run, chance);
  if (old !== undefined) replace(run, chance, old);
}

/**
 * A node is down while the others go on and replace another one. It comes back in the middle of that, and they need it
 * then, since whoever comes and whoever goes stand still: it must get a snapshot while two configurations are joint.
 */
function replaceWhileLagging(run: FaultHost, chance: Prng): void {
  const { cluster } = run;
  const report = readyForChange(run, chance);
  const up = membersIn(report, 'voter').filter((id) => cluster.isUp(id));
  const lagging = oneOf(chance, up);
  const old = oneOf(
    chance,
    up.filter((id) => id !== lagging),
  );
  // Two alone could commit nothing without the one that lags.
  if (lagging === undefined || old === undefined || up.length < 3) return;
  run.count('a node was away while another one was replaced');
  run.crash(lagging, 'lost');
  run.later(400, chance, () => replace(run, chance, old));
  run.awaitLine(
    (line) => line.includes(' configuration-step ') && line.includes(`, remove ${old}"`),
    (leader) => {
      run.startLater(lagging, 5, chance);
      const coming = run.operator.report?.change?.node;
      const still = [old, coming].filter((id) => id !== undefined && id !== leader);
      // At once, so that they cannot become joint without it; or a little later, so that they cannot leave that.
      run.later(chance.below(2) * 15, chance, () => {
        for (const id of still) {
          if (!cluster.everyId.includes(id!) || !cluster.isUp(id!)) continue;
          cluster.pause(id!);
          run.later(400, chance, () => cluster.resume(id!));
        }
      });
    },
  );
  run.startLater(lagging, 6000, chance);
}

function replace(run: FaultHost, chance: Prng, old: NodeId): void {
  countIfLeader(run, old);
  run.count('a node was to be replaced');
  run.operator.order({ kind: 'replace', old, member: newMember(run.operator) }, chance);
}

function transfer(run: FaultHost, chance: Prng): void {
  const voters = membersIn(run.operator.report, 'voter');
  const node = oneOf(chance, voters);
  if (node === undefined) return;
  run.count('a group was to be handed over');
  const group = chance.below(run.groups + 1);
  run.operator.transfer(group, chance.below(5) === 0 ? undefined : node, chance);
}

/** Whoever makes a certain step next crashes right after it, or a few milliseconds later. */
function crashInChange(run: FaultHost, chance: Prng): void {
  const [step, signs] = oneOf(chance, STEPS)!;
  const { cluster } = run;
  run.awaitLine(
    (line) => signs.every((sign) => line.includes(sign)),
    (node) => {
      const life = cluster.lifeOf(node);
      run.later(chance.below(2) === 0 ? 0 : 3, chance, () => {
        if (cluster.lifeOf(node) !== life || !cluster.isUp(node)) return;
        run.count(`the leader crashed in a change: ${step}`);
        run.crash(node, chance.below(2) === 0 ? 'kept' : 'lost');
        run.startLater(node, 400, chance);
      });
    },
  );
}

/** A node that was expelled is started again, with its data or with none: it must not take part. */
function oldIdentity(run: FaultHost, chance: Prng): void {
  const { cluster } = run;
  const expelled = cluster.everyId.filter((id) => cluster.expulsionOf(id) !== undefined);
  const id = oneOf(
    chance,
    expelled.filter((one) => !cluster.isRunning(one)),
  );
  if (id === undefined) return;
  if (chance.below(2) === 0 && run.mayDamage(id)) {
    run.count('an expelled node came back with nothing');
    cluster.wipe(id);
    run.damaged(id, 'alone');
  } else {
    run.count('an expelled node was started again');
  }
  cluster.startNode(id);
}

/** The members, if no change is under way as far as is known; now and then in any case. */
function readyForChange(run: FaultHost, chance: Prng): MembersReport | undefined {
  const { report } = run.operator;
  return report?.change === undefined || chance.below(8) === 0 ? report : undefined;
}

function membersIn(report: MembersReport | undefined, role: 'voter' | 'learner'): NodeId[] {
  return (report?.members ?? []).filter((one) => one.role === role).map(({ node }) => node);
}

/** Any member, or one that leads. */
function memberThatGoes(run: FaultHost, chance: Prng): NodeId | undefined {
  const members = (run.operator.report?.members ?? []).map(({ node }) => node);
  const leading = members.filter((id) => leads(run, id));
  return oneOf(chance, chance.below(2) === 0 && leading.length > 0 ? leading : members);
}

function countIfLeader(run: FaultHost, node: NodeId): void {
  if (leads(run, node)) run.count('a leader was to go');
}

function leads({ cluster }: FaultHost, id: NodeId): boolean {
  if (!cluster.everyId.includes(id) || !cluster.isUp(id)) return false;
  return cluster
    .engine(id)
    .positions()
    .some(({ role }) => role === 'leader');
}
