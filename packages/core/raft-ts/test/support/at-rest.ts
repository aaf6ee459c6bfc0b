// Whether a healed cluster has come together, and where its hosts stand if it has not.

import type { NodeId } from '../../src/types.js';
import type { TestHost } from './host.js';

type Hosts = ReadonlyMap<NodeId, TestHost>;

/** Whether everybody has all that `leader` has, in one configuration, and it can go on. */
export function isAtRest(leader: TestHost, hosts: Hosts): boolean {
  const { lastIndex, commit } = leader.node.basicStatus();
  const { conf, progress } = leader.node.status();
  const members = progress.map(({ id }) => hosts.get(id)!);
  return (
    commit === lastIndex &&
    leader.node.canPropose(10) &&
    conf.votersOutgoing.length === 0 &&
    members.every(({ machine }) => machine.index === commit) &&
    members.every(({ machine }) => machine.hash === leader.machine.hash) &&
    progress.every(({ id, state }) => id === leader.id || state === 'replicate')
  );
}

/** A line for each host that is up, and for each peer of a leader; for people. */
export function describeHosts(hosts: Hosts): string {
  const lines: string[] = [];
  for (const { id, isUp, node, confState } of hosts.values()) {
    if (!isUp) continue;
    const { progress, conf: _, ...status } = node.status();
    lines.push(`${id}: ${JSON.stringify(status)} ${JSON.stringify(confState)}`);
    for (const peer of progress) lines.push(`   ${JSON.stringify(peer)}`);
  }
  return lines.join('\n');
}
