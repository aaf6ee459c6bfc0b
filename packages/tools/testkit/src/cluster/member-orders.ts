// Changes of the members of a simulated cluster, as an operator makes them: asked for through a node, and waited for.

import type {
  Failure,
  MemberRole,
  MembersOrder,
  MembersReport,
  MembersResult,
  NodeId,
  TransferResult,
} from '@deltabase/engine';
import type { Cluster } from './cluster.js';

/** What an operator is answered, within `withinMs`. */
export function orderChange(
  cluster: Cluster,
  order: MembersOrder,
  { through = anyOf(cluster), withinMs = 20_000 } = {},
): MembersResult {
  const expiresMs = cluster.simulation.nowMs + withinMs;
  let result: MembersResult | undefined;
  const request = { ...order, principal: 'tests', expiresMs };
  cluster.engine(through).changeMembers(request, (answer) => {
    result = answer;
  });
  cluster.simulation.runUntil(() => result !== undefined, 2 * withinMs);
  return result!;
}

/** What an operator is answered who has a group handed over. */
export function orderTransfer(
  cluster: Cluster,
  group: number,
  node: NodeId | undefined,
): TransferResult {
  const expiresMs = cluster.simulation.nowMs + 10_000;
  let result: TransferResult | undefined;
  const request = { group, node, principal: 'tests', expiresMs };
  cluster.engine(anyOf(cluster)).transfer(request, (answer) => {
    result = answer;
  });
  cluster.simulation.runUntil(() => result !== undefined, 20_000);
  return result!;
}

/** Waits until every node that runs knows that no change is under way, and has heard of change `number`. */
export function awaitChange(cluster: Cluster, result: MembersResult, limitMs?: number): void {
  if (result.kind === 'failed') throw new Error(`refused: ${describe(result)}`);
  cluster.simulation.runUntil(
    () =>
      cluster.engines().every((engine) => {
        const report = engine.members();
        return report.changes >= result.number && report.change === undefined;
      }),
    limitMs,
  );
}

/** The members as `report` has them: node and role, in order of the ids. */
export function rolesIn({ members }: MembersReport): Array<[NodeId, MemberRole]> {
  return members.map(({ node, role }) => [node, role]);
}

function anyOf(cluster: Cluster): NodeId {
  const id = cluster.ids.find((one) => cluster.isUp(one));
  if (id === undefined) throw new Error('no node runs');
  return id;
}

function describe({ code, message }: Failure): string {
  return `${code}, ${message}`;
}
