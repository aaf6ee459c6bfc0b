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
 * whose votes and acknowledgements this one does not know (docs/raft.md, pitfall 7); `left-behind`: the cluster's quorum
 * was lost, and it was recovered without this data directory (recover/).
 */
export type Expulsion = 'removed' | 'lost' | 'left-behind';

/** What a node is told that is expelled: from the cluster with this id, and why. */
export interface ExpulsionNotice {
  readonly expulsion: Expulsion;
  readonly clusterId: string;
}

/** A cluster that had lost its quorum went on from what was left, under a new id (recover/). */
export interface Recovery {
  /** Its id before. */
  readonly formerId: string;
  /** The node from whose data directory it went on, as its only member. */
  readonly node: NodeId;
  /** Other nodes whose data went into that directory, because it was newer in some groups. */
  readonly takenFrom: readonly NodeId[];
  /** Nodes whose data nobody had: what only they had acknowledged is lost. */
  readonly givenUp: readonly NodeId[];
  /** When, by the wall clock of whoever did it, ms since 1970. */
  readonly timeMs: number;
}

/** What an expelled node tells its operator. */
export function expulsionText(node: NodeId, expulsion: Expulsion): string {
  switch (expulsion) {
    case 'removed':
      return (
        `node ${node} was removed from the cluster, which goes on without it: delete this data directory; to bring the ` +
        'machine back, add it under a new id (deltabase cluster add) and start it with that and --join'
      );
    case 'lost':
      return (
        `node ${node} has lost the data it had: the cluster knows it by another data directory. Bring that back, or ` +
        `delete this one and replace the node by one with a new id (deltabase cluster replace ${node} NEW=PEER/CLIENT), ` +
        'started with that id and --join'
      );
    case 'left-behind':
      return (
        `node ${node} is of the cluster as it was before it lost its quorum: it was recovered without this data directory ` +
        '(deltabase recover) and goes on without what only this one holds, which deltabase history --data and log --data ' +
        'still show. To bring the machine back, add it under a new id (deltabase cluster add) and start it with that, ' +
        'an empty directory and --join'
      );
  }
}
