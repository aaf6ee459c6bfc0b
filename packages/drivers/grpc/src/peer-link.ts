// Everything between this node and one peer: two lanes, each with a stream that the peer receives on and one
// that this node receives on. The peer is reachable while both urgent streams are open.

import type { Lane, Log, NetworkListener, NodeId } from '@deltabase/engine';
import { Inbound } from './inbound.js';
import { type FrameStream, Outbound } from './outbound.js';

export interface PeerLinkOptions {
  readonly cluster: string;
  readonly node: NodeId;
  /** host:port where peers reach this node. */
  readonly self: string;
  readonly peer: NodeId;
  /** host:port of the peer. */
  readonly address: string;
  readonly frameBytesMax: number;
  readonly queueBytesMax: number;
  readonly keepaliveMs: number;
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

  /** Whether frames go both ways. */
  get isReachable(): boolean {
    return this.#isReachable;
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
      outbound.end('the node stops');
    }
  }

  send(lane: Lane, frame: Uint8Array): void {
    this.#lanes[lane].outbound.send(frame);
  }

  queuedBytes(lane: Lane): number {
    return this.#lanes[lane].outbound.queuedBytes;
  }

  /**
   * The peer subscribed. Where it had a stream already, that one is of its past life, whose end has not been
   * noticed yet: the loss is told before the return.
   */
  subscribed(lane: Lane, stream: FrameStream): void {
    const { inbound, outbound } = this.#lanes[lane];
    if (outbound.isOpen) {
      outbound.end('the node subscribed again');
      this.#changed();
    }
    outbound.open(stream);
    stream.on('cancelled', () => {
      if (outbound.closed(stream)) this.#changed();
    });
    // It is up, so the next attempt need not wait.
    if (lane === 'urgent' || this.#lanes.urgent.inbound.isOpen) inbound.connect();
    this.#changed();
  }

  #makeLane(lane: Lane): LaneStreams {
    const { cluster, node, self, peer, address, listener } = this.#options;
    const { frameBytesMax, queueBytesMax, keepaliveMs, log } = this.#options;
    const inbound = new Inbound({
      address,
      greeting: { cluster, node, address: self, peer, lane },
      frameBytesMax,
      keepaliveMs,
      log,
      received: (frame) => listener.received(peer, lane, frame),
      changed: () => this.#changed(),
    });
    const outbound = new Outbound({ peer, lane, frameBytesMax, queueBytesMax, log });
    return { inbound, outbound };
  }

  #changed(): void {
    if (this.#isClosed) return;
    const { urgent, bulk } = this.#lanes;
    if (urgent.inbound.isOpen) bulk.inbound.connect();
    else bulk.inbound.close();
    const isReachable = [urgent, bulk].every(
      ({ inbound, outbound }) => inbound.isOpen && outbound.isOpen,
    );
    if (isReachable === this.#isReachable) return;
    this.#isReachable = isReachable;
    this.#options.listener.reachable(this.#options.peer, isReachable);
  }
}
