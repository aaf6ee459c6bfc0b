// A node of the cluster and where it is, as configuration, data directories and the members document name it; and
// why a node is one no more.

import type { NodeId } from '../ports.js';

export interface Member {
  readonly node: NodeId;
  /** host:port where other nodes reach it. */
  readonly peerAddress: string;
  /** host:port where clients do. */
  readonly clientAddress: string;
}

/** How a node with an empty disk becomes one of a cluster that exists: what its members know (`Engine.members`). */
export interface JoinTicket {
  readonly clusterId: string;
  /** The configuration that the logs of all groups begin with. */
  readonly founders: readonly NodeId[];
}

/**
 * `removed`: the cluster goes on without the node, for ever; `lost`: the node's id is that of another data directory,
 * whose votes and acknowledgements this one does not know (docs/raft.md, pitfall 7).
 */
export type Expulsion = 'removed' | 'lost';

/** What an expelled node tells its operator. */
export function expulsionText(node: NodeId, expulsion: Expulsion): string {
  return expulsion === 'removed'
    ? `node ${node} was removed from the cluster, which goes on without it: delete this data directory; to bring the ` +
        'machine back, add it under a new id (deltabase cluster add) and start it with that and --join'
    : `node ${node} has lost the data it had: the cluster knows it by another data directory. Bring that back, or ` +
        `delete this one and replace the node by one with a new id (deltabase cluster replace ${node} NEW=PEER/CLIENT), ` +
        'started with that id and --join';
}
