// When the cluster of the tour is ready: all nodes answer, and each group has a leader that all of them know.

import { setTimeout as sleep } from 'node:timers/promises';
import { DeltabaseError } from '@deltabase/base';
import type { Client, NodeStatus } from '@deltabase/client';

const POLL_MS = 50;
const NODE_MS = 2000;
const READY_MS = 60_000;

/** The status of all nodes, by id, once each group has a leader. Throws UNAVAILABLE after a minute. */
export function awaitLeaders(client: Client, nodes: number): Promise<readonly NodeStatus[]> {
  return awaitStatuses(client, nodes, 'a group has no leader', (statuses) => {
    const leaders = statuses.map(({ groups }) => groups.map(({ leader }) => leader).join());
    const known = statuses.every(({ groups }) => groups.every(({ leader }) => leader !== 0));
    return known && new Set(leaders).size === 1;
  });
}

/** The status of all nodes, by id, once each has applied all that any of them has. */
export function awaitEqualCopies(client: Client, nodes: number): Promise<readonly NodeStatus[]> {
  return awaitStatuses(client, nodes, 'copies of a group differ', (statuses) => {
    const applied = statuses.map(({ groups }) => groups.map((group) => group.appliedIndex).join());
    return new Set(applied).size === 1;
  });
}

async function awaitStatuses(
  client: Client,
  nodes: number,
  otherwise: string,
  isReady: (statuses: readonly NodeStatus[]) => boolean,
): Promise<readonly NodeStatus[]> {
  const untilMs = performance.now() + READY_MS;
  for (;;) {
    const reports = await client.cluster.nodes({ deadlineMs: NODE_MS });
    const statuses = reports.flatMap((each) => (each.kind === 'status' ? [each.status] : []));
    statuses.sort((a, b) => a.node - b.node);
    if (statuses.length === nodes && isReady(statuses)) return statuses;
    if (performance.now() > untilMs) {
      const what =
        statuses.length < nodes ? `${statuses.length} of ${nodes} nodes answer` : otherwise;
      const why = `the cluster is not ready after ${READY_MS / 1000} s (${what}): this machine may be overloaded`;
      throw new DeltabaseError('UNAVAILABLE', why);
    }
    await sleep(POLL_MS);
  }
}
