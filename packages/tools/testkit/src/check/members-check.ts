// What must hold of the members once a cluster is healed: all nodes have the same document, the configuration of every
// group is what it says, and whoever was removed has ended.

import assert from 'node:assert/strict';
import type { MemberRole, MembersReport, NodeId } from '@deltabase/engine';
import type { ConfState } from 'raft-ts';
import type { TokenCluster } from '../cluster/token-cluster.js';

const LOOK_MS = 10;

/** Checks a cluster that is healed. */
export function checkMembers({ cluster, lost }: TokenCluster): void {
  const { simulation } = cluster;
  simulation.pollUntil(() => {
    const reports = cluster.engines().map((engine) => engine.members());
    return reports.every((report) => isSame(report, reports[0]!));
  }, LOOK_MS);
  simulation.pollUntil(() => cluster.engines().every((engine) => isAsItSays(engine)), LOOK_MS);
  const { members, highestNode } = cluster.engines()[0]!.members();
  const removed = cluster.everyId.filter(
    (id) => id <= highestNode && !members.some(({ node }) => node === id),
  );
  simulation.pollUntil(
    () => removed.every((id) => lost.has(id) || !cluster.isRunning(id)),
    LOOK_MS,
  );
  for (const { node } of members) {
    const isThere = !cluster.everyId.includes(node) || cluster.expulsionOf(node) === undefined;
    assert.ok(isThere || lost.has(node), `node ${node} is a member and was expelled`);
  }
}

function isSame(a: MembersReport, b: MembersReport): boolean {
  const essence = ({ clusterId, members, change, changes }: MembersReport): string =>
    JSON.stringify([clusterId, members, change?.phase, changes]);
  return essence(a) === essence(b);
}

/** Whether the groups of a node are as the document there says; until there is one they are as they began. */
function isAsItSays(engine: { members(): MembersReport; positions(): { conf: ConfState }[] }) {
  const { members } = engine.members();
  const withRole = (role: MemberRole): NodeId[] =>
    members.filter((one) => one.role === role).map(({ node }) => node);
  const isSo = ({ voters, votersOutgoing, learners }: ConfState): boolean =>
    votersOutgoing.length === 0 &&
    String(voters) === String(withRole('voter')) &&
    String(learners) === String(withRole('learner'));
  return members.length === 0 || engine.positions().every(({ conf }) => isSo(conf));
}
