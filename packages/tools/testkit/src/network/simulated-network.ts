// The Network port between the nodes of one Simulation: frames are delayed, lost, doubled and damaged as the weather
// has it, links are cut or clogged one way, connections break and take along what is on its way, and a node that
// crashes is gone at once. Nodes that know each other's address are connected; one that is called by a node it does not
// know is told who calls.

import type { Prng } from '@deltabase/base';
import type { Lane, Network, NetworkListener, NodeId } from '@deltabase/engine';
import type { Simulation } from '../sim/simulation.js';
import { Link, type LinkState } from './link.js';

/** How frames travel; change it between events. */
export interface NetworkWeather {
  /** Fraction of frames that are lost. */
  dropRate: number;
  /** Fraction of frames that come twice. */
  duplicateRate: number;
  /** Fraction of frames of which only the beginning comes: the engine must make nothing of it. */
  truncateRate: number;
  /** Longest delay of most frames, ms; delays are uniform. */
  delayMsMax: number;
  /** Fraction of frames that take many times as long: the heavy tail of real networks. */
  lateRate: number;
  /** Frames of a lane do not overtake each other, as within one connection; otherwise they do. */
  ordered: boolean;
}

export const CALM_NETWORK: NetworkWeather = {
  dropRate: 0,
  duplicateRate: 0,
  truncateRate: 0,
  delayMsMax: 2,
  lateRate: 0,
  ordered: false,
};

const DELAY_MS_MIN = 0.1;
/** A late frame takes up to so many times the longest delay. */
const LATE_FACTOR = 50;

/** Who calls in vain calls again after so long. */
const CALL_AGAIN_MS = 200;

/** Where other nodes reach a simulated node. */
export function simulatedPeerAddress(id: NodeId): string {
  return `peer-${id}:1`;
}

/** A life of a node. */
interface Attached {
  listener: NetworkListener | undefined;
  /** Whether it calls others and can be called. */
  isOpen: boolean;
  /** Where it believes others to be. */
  readonly peers: Map<NodeId, string>;
  /** Those it is connected with. */
  readonly connected: Set<NodeId>;
}

export interface SimulatedNetworkOptions {
  readonly simulation: Simulation;
  readonly weather: NetworkWeather;
  readonly chance: Prng;
  /** Larger frames never arrive. */
  readonly frameBytesMax?: number;
  /** Told of each frame that a node sends, before it can be lost. */
  readonly sent?: (from: NodeId, to: NodeId, lane: Lane, frame: Uint8Array) => void;
}

export class SimulatedNetwork {
  readonly #options: SimulatedNetworkOptions;
  readonly #nodes = new Map<NodeId, Attached>();
  readonly #links = new Map<string, Link>();

  constructor(options: SimulatedNetworkOptions) {
    this.#options = options;
  }

  /** Begins a life of a node; whatever an earlier one still sends is void. */
  attach(id: NodeId): Network {
    const life: Attached = {
      listener: undefined,
      isOpen: false,
      peers: new Map(),
      connected: new Set(),
    };
    this.#nodes.set(id, life);
    const isLive = (): boolean => this.#nodes.get(id) === life;
    // Nobody is called back from inside a call.
    const later = (run: () => void): void => {
      if (!life.isOpen) return;
      this.#options.simulation.schedule(0, () => {
        if (isLive()) run();
      });
    };
    return {
      setPeer: (peer, address) => {
        if (life.peers.get(peer) === address) return;
        life.peers.set(peer, address);
        later(() => this.#move(id, peer));
      },
      removePeer: (peer) => {
        life.peers.delete(peer);
        later(() => life.peers.has(peer) || this.#disconnect(id, peer));
      },
      send: (to, lane, frame) => {
        if (isLive()) this.#send(id, to, lane, frame);
      },
      queuedBytes: (to, lane) => this.#link(id, to).queuedBytes(lane),
      listen: (listener) => {
        life.listener = listener;
      },
    };
  }

  /** From here on a node that listens calls others, and they call it. */
  connect(id: NodeId): void {
    const mine = this.#nodes.get(id);
    if (mine?.listener === undefined) return;
    mine.isOpen = true;
    for (const [other] of this.#inOrder()) {
      this.#call(id, other);
      this.#call(other, id);
    }
  }

  /** Ends a node's life; the others are told. */
  detach(id: NodeId): void {
    this.#nodes.delete(id);
    for (const [other, { connected, listener }] of this.#inOrder()) {
      this.#link(id, other).reset();
      this.#link(other, id).reset();
      if (connected.delete(id)) listener?.reachable(id, false);
    }
  }

  /** Changes the link from `from` to `to`, one way. */
  setLink(from: NodeId, to: NodeId, state: LinkState): void {
    const link = this.#link(from, to);
    link.state = state;
    if (state === 'clogged') return;
    const waiting = link.clogged.splice(0);
    for (const { lane, frame } of waiting) {
      if (state === 'cut') link.arrived(lane, frame.length);
      else this.#transmit(from, to, lane, frame);
    }
  }

  /** The connection from `from` to `to` breaks; what was on its way is lost, and its sender is told. */
  reset(from: NodeId, to: NodeId): void {
    this.#link(from, to).reset();
    const node = this.#nodes.get(from);
    if (node === undefined || !node.connected.has(to)) return;
    node.listener!.reachable(to, false);
    node.listener!.reachable(to, true);
  }

  /** Brings a frame to a node at once, whatever the weather. */
  deliver(from: NodeId, to: NodeId, lane: Lane, frame: Uint8Array): void {
    this.#nodes.get(to)?.listener?.received(from, lane, frame.slice());
  }

  /** By id, so that a run does not depend on who began when. */
  #inOrder(): Array<[NodeId, Attached]> {
    return [...this.#nodes].sort(([a], [b]) => a - b);
  }

  /** A node calls another one, if it knows where that is. */
  #call(from: NodeId, to: NodeId): void {
    const caller = this.#nodes.get(from);
    const called = this.#nodes.get(to);
    if (from === to || !caller?.isOpen || !called?.isOpen || caller.connected.has(to)) return;
    if (caller.peers.get(to) !== simulatedPeerAddress(to)) return;
    if (called.peers.has(from)) {
      caller.connected.add(to);
      called.connected.add(from);
      caller.listener!.reachable(to, true);
      called.listener!.reachable(from, true);
      return;
    }
    called.listener!.met(from, simulatedPeerAddress(from));
    this.#options.simulation.schedule(CALL_AGAIN_MS, () => {
      if (this.#nodes.get(from) === caller) this.#call(from, to);
    });
  }

  /** `id` was told of another address of `peer`. */
  #move(id: NodeId, peer: NodeId): void {
    this.#disconnect(id, peer);
    this.#call(id, peer);
  }

  /** `id` lets go of `peer`, which notices and calls again. */
  #disconnect(id: NodeId, peer: NodeId): void {
    if (!this.#nodes.get(id)!.connected.delete(peer)) return;
    this.#link(id, peer).reset();
    this.#link(peer, id).reset();
    const theirs = this.#nodes.get(peer);
    if (theirs?.connected.delete(id) !== true) return;
    theirs.listener!.reachable(id, false);
    this.#call(peer, id);
  }

  #link(from: NodeId, to: NodeId): Link {
    const name = `${from}>${to}`;
    let link = this.#links.get(name);
    if (link === undefined) {
      link = new Link();
      this.#links.set(name, link);
    }
    return link;
  }

  #send(from: NodeId, to: NodeId, lane: Lane, frame: Uint8Array): void {
    const { frameBytesMax = Infinity, sent } = this.#options;
    sent?.(from, to, lane, frame);
    const link = this.#link(from, to);
    if (!this.#nodes.get(from)!.connected.has(to)) return;
    if (frame.length > frameBytesMax || link.state === 'cut') return;
    link.sent(lane, frame.length);
    if (link.state === 'clogged') link.clogged.push({ lane, frame });
    else this.#transmit(from, to, lane, frame);
  }

  #transmit(from: NodeId, to: NodeId, lane: Lane, frame: Uint8Array): void {
    const { weather, chance, simulation } = this.#options;
    const link = this.#link(from, to);
    const { connection } = link;
    const isLost = chance.fraction() < weather.dropRate;
    const copies = chance.fraction() < weather.duplicateRate ? 2 : 1;
    const isTruncated = chance.fraction() < weather.truncateRate;
    const whole = isTruncated ? frame.subarray(0, chance.below(frame.length)) : frame;
    for (let copy = 0; copy < copies; copy++) {
      const isFirst = copy === 0;
      simulation.schedule(this.#delayMs(link, lane), () => {
        if (link.connection !== connection) return;
        if (isFirst) link.arrived(lane, frame.length);
        if (!isLost) this.deliver(from, to, lane, whole);
      });
    }
  }

  #delayMs(link: Link, lane: Lane): number {
    const { weather, chance, simulation } = this.#options;
    const isLate = chance.fraction() < weather.lateRate;
    const factor = isLate ? 1 + chance.fraction() * LATE_FACTOR : 1;
    const delayMs = DELAY_MS_MIN + chance.fraction() * weather.delayMsMax * factor;
    if (!weather.ordered) return delayMs;
    return link.inOrder(lane, simulation.nowMs + delayMs) - simulation.nowMs;
  }
}
