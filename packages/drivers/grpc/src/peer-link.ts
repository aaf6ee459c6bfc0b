// Everything between this node and one peer: two lanes, each with a stream that the peer receives on and one
// that this node receives on. The peer is reachable while both urgent streams are open.

import type { Lane, Log, NetworkListener, NodeId } from '@deltabase/engine';
import { Inbound } from './inbound.js';
import { type FrameStream, Outbound } from './outbound.js';

export interface PeerLinkOptions {
  readonly cluster: string;
  readonly node: NodeId;
  readonly peer: NodeId;
  /** host:port of the peer. */
  readonly address: string;
  readonly frameBytesMax: number;
  readonly queueBytesMax: number;
  readonly log: Log;
  readonly listener: NetworkListener;
}

interface LaneStreams {
  readonly inbound: Inbound;
  readonly outbound: Outbound;
}

export class PeerLink {
  readonly #options: PeerLinkOptions;
  readonly #lanes: Readonly<Record<Lane, LaneStreams>>;
  #isReachable = false;
  #isClosed = false;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.#lanes = { urgent: this.#makeLane('urgent'), bulk: this.#makeLane('bulk') };
  }

  /** Begins to receive. The bulk lane follows once the urgent one is open. */
  connect(): void {
    this.#lanes.urgent.inbound.connect();
  }

  /** Ends all streams; the listener is not told, and not called any more. */
  close(): void {
    this.#isClosed = true;
    for (const { inbound, outbound } of Object.values(this.#lanes)) {
      inbound.close();
      outbound.end();
    }
  }

  send(lane: Lane, frame: Uint8Array): void {
    this.#lanes[lane].outbound.send(frame);
  }

  queuedBytes(lane: Lane): number {
    return this.#lanes[lane].outbound.queuedBytes;
  }

  /** The peer subscribed. It replaces what it had: a peer that came back does not wait for its own past. */
  subscribed(lane: Lane, stream: FrameStream): void {
    const { inbound, outbound } = this.#lanes[lane];
    outbound.open(stream);
    stream.on('cancelled', () => {
      if (outbound.closed(stream)) this.#changed();
    });
    // It is up, so the next attempt need not wait.
    if (lane === 'urgent' || this.#lanes.urgent.inbound.isOpen) inbound.connect();
    this.#changed();
  }

  #makeLane(lane: Lane): LaneStreams {
    const { cluster, node, peer, queueBytesMax, listener } = this.#options;
    const { address, frameBytesMax, log } = this.#options;
    const inbound = new Inbound({
      address,
      greeting: { cluster, node, peer, lane },
      frameBytesMax,
      log,
      received: (frame) => listener.received(peer, lane, frame),
      changed: () => this.#changed(),
    });
    return { inbound, outbound: new Outbound(queueBytesMax) };
  }

  #changed(): void {
    if (this.#isClosed) return;
    const { urgent, bulk } = this.#lanes;
    if (urgent.inbound.isOpen) bulk.inbound.connect();
    else bulk.inbound.close();
    const isReachable = urgent.inbound.isOpen && urgent.outbound.isOpen;
    if (isReachable === this.#isReachable) return;
    this.#isReachable = isReachable;
    this.#options.listener.reachable(this.#options.peer, isReachable);
  }
}
