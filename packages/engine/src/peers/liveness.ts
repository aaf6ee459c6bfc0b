// Which nodes are heard of. Every node sends every other one a frame with each beat, whatever it has to say, so
// silence means something: a peer is lost when its connection is, when nothing came for so many ticks, or when a
// frame shows that it has started anew; it returns with the next frame. Ticks are those that this process was
// awake for, so that a process that stood still does not take the others for dead.

import type { NodeId } from '../ports.js';

export interface LivenessOptions {
  /** A peer that says nothing for so many ticks is lost. */
  readonly silentTicksMax: number;
  /** Nothing was heard of `peer` for `silentTicks`. Told once, until it returns. */
  readonly lost: (peer: NodeId, silentTicks: number) => void;
  /** `peer` is heard of, for the first time or again. */
  readonly returned: (peer: NodeId) => void;
}

interface Peer {
  life: number;
  silentTicks: number;
  isLost: boolean;
}

export class Liveness {
  readonly #options: LivenessOptions;
  readonly #peers = new Map<NodeId, Peer>();

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  /** Whether `peer` was heard of and is not lost. */
  isLive(peer: NodeId): boolean {
    return this.#peers.get(peer)?.isLost === false;
  }

  /** For how many ticks nothing was heard of `peer`. */
  silentTicks(peer: NodeId): number {
    return this.#peers.get(peer)?.silentTicks ?? 0;
  }

  /** A frame of `peer` came, from that life of it. */
  heard(from: NodeId, life: number): void {
    const peer = this.#peers.get(from);
    if (peer === undefined) {
      this.#peers.set(from, { life, silentTicks: 0, isLost: false });
      this.#options.returned(from);
      return;
    }
    if (peer.life !== life) this.#lose(from, peer);
    peer.life = life;
    peer.silentTicks = 0;
    if (!peer.isLost) return;
    peer.isLost = false;
    this.#options.returned(from);
  }

  /** The connection to `peer` is lost, and maybe the peer. */
  disconnected(from: NodeId): void {
    const peer = this.#peers.get(from);
    if (peer !== undefined) this.#lose(from, peer);
  }

  /** `peer` is one no more. */
  forget(peer: NodeId): void {
    this.disconnected(peer);
    this.#peers.delete(peer);
  }

  /** So many ticks have passed. */
  tick(ticks: number): void {
    for (const [id, peer] of this.#peers) {
      peer.silentTicks += ticks;
      if (peer.silentTicks >= this.#options.silentTicksMax) this.#lose(id, peer);
    }
  }

  #lose(id: NodeId, peer: Peer): void {
    if (peer.isLost) return;
    peer.isLost = true;
    this.#options.lost(id, peer.silentTicks);
  }
}
