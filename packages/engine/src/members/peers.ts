// Whom the network is to connect this node with, and where: the members; those that were members until a moment ago,
// so that they can be told; and nodes that call and are not known here, since a node that was away for long may know
// none of those that are there now. What strangers say is judged by their frames (identities.ts).

import type { ClusterClock } from '../peers/cluster-clock.js';
import type { Links } from '../peers/links.js';
import type { Liveness } from '../peers/liveness.js';
import type { Log, Network, NodeId } from '../ports.js';
import type { Member } from './member.js';

export interface PeersHost {
  readonly self: NodeId;
  /** Addresses that this node was configured with: they go before what others say. */
  readonly configured: readonly Member[];
  readonly network: Network;
  readonly links: Links;
  readonly liveness: Liveness;
  readonly clusterClock: ClusterClock;
  readonly log: Log;
  /** Peers that are no members, at most. */
  readonly strangersMax: number;
  nowMs(): number;
}

/** A stranger that is not connected after so long is let go of. */
const STRANGER_MS = 10_000;

export class Peers {
  readonly #host: PeersHost;
  #members = new Set<NodeId>();
  /** Peers that are no members, and since when. */
  readonly #strangers = new Map<NodeId, number>();

  constructor(host: PeersHost) {
    this.#host = host;
  }

  /** The cluster has these members. */
  set(members: readonly Member[]): void {
    const { self, configured, network } = this.#host;
    const before = this.#members;
    this.#members = new Set(members.map(({ node }) => node));
    for (const { node, peerAddress } of members) {
      if (node === self) continue;
      this.#strangers.delete(node);
      const mine = configured.find((one) => one.node === node);
      network.setPeer(node, mine?.peerAddress ?? peerAddress);
    }
    for (const node of before) {
      if (!this.#members.has(node) && node !== self) this.#part(node);
    }
    this.#tell();
  }

  /** A node calls that is no peer, or is not reached where it is said to be. */
  met(node: NodeId, address: string): void {
    const { self, network, log, strangersMax, nowMs } = this.#host;
    if (node === self || address === '') return;
    if (this.#members.has(node)) {
      this.#moved(node, address);
      return;
    }
    if (this.#strangers.size >= strangersMax && !this.#strangers.has(node)) return;
    log.info('peer-met', { peer: node, address });
    this.#strangers.set(node, nowMs());
    network.setPeer(node, address);
    this.#tell();
  }

  /** A connection was made or lost: a stranger is let go of with it, and met again if it calls again. */
  reachable(node: NodeId, is: boolean): void {
    if (!is && this.#strangers.has(node)) this.#remove(node);
  }

  /** Lets go of strangers that do not come. */
  tick(nowMs: number): void {
    for (const [node, sinceMs] of this.#strangers) {
      const isLate = nowMs - sinceMs > STRANGER_MS;
      if (isLate && !this.#host.links.isReachable(node)) this.#remove(node);
    }
  }

  /** Until the members document says so, which the node can have it say once it is heard. */
  #moved(node: NodeId, address: string): void {
    const { configured, network, links, log } = this.#host;
    // What this node was told of by its operator it goes by.
    if (links.isReachable(node) || configured.some((one) => one.node === node)) return;
    log.info('peer-met', { peer: node, address });
    network.setPeer(node, address);
  }

  /** It is no member any more; while it is there it can be told so. */
  #part(node: NodeId): void {
    if (this.#host.links.isReachable(node)) this.#strangers.set(node, this.#host.nowMs());
    else this.#remove(node);
  }

  #remove(node: NodeId): void {
    this.#strangers.delete(node);
    this.#host.network.removePeer(node);
    this.#host.links.forget(node);
    this.#host.liveness.forget(node);
    this.#host.clusterClock.forget(node);
    this.#tell();
  }

  /** All of them get this node's beat. */
  #tell(): void {
    const all = new Set([...this.#members, ...this.#strangers.keys()]);
    all.delete(this.#host.self);
    this.#host.links.setPeers([...all].sort((a, b) => a - b));
  }
}
