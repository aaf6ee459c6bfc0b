// Who is listened to: nodes of this cluster, by its id once that is known and by its founders before, each only under
// the incarnation in which it first spoke, or that the members document has for it (docs/raft.md, pitfall 7). Whom the
// cluster has expelled is told.

import type { Expulsion } from '../members/member.js';
import type { DiskOperation, Log, NodeId } from '../ports.js';
import { peerKey } from '../storage/keys.js';
import { encodePeer } from '../storage/rows.js';
import type { FrameHeader } from './frame.js';

export interface IdentitiesOptions {
  /** Of this node's own frames. */
  readonly header: Readonly<FrameHeader>;
  readonly log: Log;
  /** The cluster's first members, for people. */
  readonly founders: readonly NodeId[];
  /** The incarnations that were met in earlier lives. */
  readonly incarnations: ReadonlyMap<NodeId, number>;
  readonly write: (operations: readonly DiskOperation[], done: () => void) => void;
}

/** What the members document says of nodes. */
export interface Decided {
  wasRemoved(node: NodeId): boolean;
  /** `undefined`: nothing. */
  incarnationOf(node: NodeId): number | undefined;
  /** Whether the cluster had this id before it was recovered. */
  wasBefore(clusterId: string): boolean;
}

/** `stranger`: not listened to, or not yet; an expulsion is to be told to the node. */
export type Judgement = 'peer' | 'stranger' | Expulsion;

const UNDECIDED: Decided = {
  wasRemoved: () => false,
  incarnationOf: () => undefined,
  wasBefore: () => false,
};

export class Identities {
  readonly #options: IdentitiesOptions;
  readonly #incarnations: Map<NodeId, number>;
  readonly #introducing = new Set<NodeId>();
  /** Whom the log has named already as not listened to. */
  readonly #refused = new Map<NodeId, string>();
  #decided = UNDECIDED;

  constructor(options: IdentitiesOptions) {
    this.#options = options;
    this.#incarnations = new Map(options.incarnations);
  }

  /** The members document has another state. */
  decide(decided: Decided): void {
    this.#decided = decided;
  }

  /** The incarnation under which a node was met; `undefined`: it was not. */
  incarnationOf(node: NodeId): number | undefined {
    return this.#incarnations.get(node);
  }

  /** Whether a frame of `from` is to be listened to. A node that is new here is remembered first. */
  judge(from: NodeId, header: FrameHeader): Judgement {
    const other = this.#otherCluster(header);
    if (other !== undefined) {
      const isHere = header.cluster === this.#options.header.cluster;
      return isHere && this.#decided.wasBefore(header.clusterId)
        ? this.#refuse(from, leftBehind(header.clusterId), 'left-behind')
        : this.#refuse(from, other, 'stranger');
    }
    if (this.#decided.wasRemoved(from)) {
      return this.#refuse(from, 'it was removed from the cluster', 'removed');
    }
    const { incarnation } = header;
    const decided = this.#decided.incarnationOf(from);
    if (decided !== undefined && decided !== incarnation) {
      return this.#refuse(from, lostData(decided, incarnation), 'lost');
    }
    const known = this.#incarnations.get(from);
    if (known === incarnation) return 'peer';
    if (known !== undefined) return this.#refuse(from, lostData(known, incarnation), 'stranger');
    this.#introduce(from, incarnation);
    return 'stranger';
  }

  /** Why a node is not of this one's cluster; `undefined`: it is. */
  #otherCluster({ cluster, clusterId, groups, founders }: FrameHeader): string | undefined {
    const { header } = this.#options;
    if (cluster !== header.cluster || groups !== header.groups) {
      return `it is of cluster ${cluster} with ${groups} groups`;
    }
    if (clusterId !== '' && header.clusterId !== '') {
      if (clusterId === header.clusterId) return undefined;
      return (
        `it is of another cluster of this name (${clusterId}, this node's is ${header.clusterId}); if one was recovered ` +
        'from the other (deltabase recover), only that one may go on: docs/operations.md'
      );
    }
    if (founders === header.founders) return undefined;
    return (
      `its data was made with other first members than ${this.#options.founders.join(', ')}, which this node's was: ` +
      'start every node with the same ones, and the wrong one with an empty data directory'
    );
  }

  /** What it says counts only once its incarnation is on disk; until then its frames are lost. */
  #introduce(peer: NodeId, incarnation: number): void {
    if (this.#introducing.has(peer)) return;
    this.#introducing.add(peer);
    const value = encodePeer(incarnation);
    this.#options.write([{ kind: 'put', key: peerKey(peer), value }], () => {
      this.#introducing.delete(peer);
      this.#incarnations.set(peer, incarnation);
    });
  }

  /** The log says it once. */
  #refuse(peer: NodeId, reason: string, judgement: Judgement): Judgement {
    if (this.#refused.get(peer) !== reason) {
      this.#refused.set(peer, reason);
      this.#options.log.error('peer-refused', { peer, reason });
    }
    return judgement;
  }
}

function leftBehind(clusterId: string): string {
  return `it is of this cluster as it was before it was recovered (${clusterId}): give it an empty data directory and a new id, and add it`;
}

function lostData(known: number, incarnation: number): string {
  return `it has lost the data of ${known} and is ${incarnation} now: replace it (docs/operations.md)`;
}
