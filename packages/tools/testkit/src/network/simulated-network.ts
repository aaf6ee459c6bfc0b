// The Network port between the nodes of one Simulation: frames are delayed, lost and doubled as the weather
// has it, links are cut one way, and a node that crashes is gone at once.

import type { Prng } from '@deltabase/base';
import type { Lane, Network, NetworkListener, NodeId } from '@deltabase/engine';
import type { Simulation } from '../sim/simulation.js';

/** How frames travel; change it between events. */
export interface NetworkWeather {
  /** Fraction of frames that are lost. */
  dropRate: number;
  /** Fraction of frames that come twice. */
  duplicateRate: number;
  /** Longest delay of a frame, ms; delays are uniform. */
  delayMsMax: number;
}

interface Attached {
  listener: NetworkListener | undefined;
}

export class SimulatedNetwork {
  readonly #simulation: Simulation;
  readonly #weather: NetworkWeather;
  readonly #chance: Prng;
  readonly #frameBytesMax: number;
  readonly #nodes = new Map<NodeId, Attached>();
  readonly #cut = new Set<string>();

  constructor(options: {
    readonly simulation: Simulation;
    readonly weather: NetworkWeather;
    readonly chance: Prng;
    /** Larger frames never arrive. */
    readonly frameBytesMax?: number;
  }) {
    this.#simulation = options.simulation;
    this.#weather = options.weather;
    this.#chance = options.chance;
    this.#frameBytesMax = options.frameBytesMax ?? Infinity;
  }

  /** Begins a life of a node; whatever an earlier one still sends is void. */
  attach(id: NodeId): Network {
    const life: Attached = { listener: undefined };
    this.#nodes.set(id, life);
    return {
      send: (to, lane, frame) => {
        if (this.#nodes.get(id) === life) this.#send(id, to, lane, frame);
      },
      queuedBytes: () => 0,
      listen: (listener) => {
        life.listener = listener;
      },
    };
  }

  /** A node that listens, and those that do, are told of each other. */
  connect(id: NodeId): void {
    const mine = this.#nodes.get(id)?.listener;
    for (const [other, { listener }] of this.#inOrder()) {
      if (other === id || listener === undefined || mine === undefined) continue;
      mine.reachable(other, true);
      listener.reachable(id, true);
    }
  }

  /** Ends a node's life; the others are told. */
  detach(id: NodeId): void {
    this.#nodes.delete(id);
    for (const [, { listener }] of this.#inOrder()) listener?.reachable(id, false);
  }

  /** Cuts or mends the link from `from` to `to`, one way. */
  setLink(from: NodeId, to: NodeId, state: 'cut' | 'whole'): void {
    if (state === 'cut') this.#cut.add(`${from}>${to}`);
    else this.#cut.delete(`${from}>${to}`);
  }

  /** Brings a frame to a node at once, whatever the weather. */
  deliver(from: NodeId, to: NodeId, lane: Lane, frame: Uint8Array): void {
    this.#nodes.get(to)?.listener?.received(from, lane, frame.slice());
  }

  /** By id, so that a run does not depend on who began when. */
  #inOrder(): Array<[NodeId, Attached]> {
    return [...this.#nodes].sort(([a], [b]) => a - b);
  }

  #send(from: NodeId, to: NodeId, lane: Lane, frame: Uint8Array): void {
    const { dropRate, duplicateRate, delayMsMax } = this.#weather;
    if (frame.length > this.#frameBytesMax) return;
    if (this.#cut.has(`${from}>${to}`) || this.#chance.fraction() < dropRate) return;
    const copies = this.#chance.fraction() < duplicateRate ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delayMs = 0.1 + this.#chance.fraction() * delayMsMax;
      this.#simulation.schedule(delayMs, () => this.deliver(from, to, lane, frame));
    }
  }
}
