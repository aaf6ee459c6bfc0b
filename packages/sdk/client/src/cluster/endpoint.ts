// The connection to one node, or to a replica that passes on what is for nodes, kept up for as long as the client is open: a
// stream of messages that stands at all times tells by its end when the node is gone, and brings news of who leads. A
// lost one is opened again after a pause.

import { DeltabaseError } from '@deltabase/base';
import { pauseMs } from '../backoff.js';
import type { ClientLimits } from '../limits.js';
import { NodeStream, type Returns } from '../sending/node-stream.js';
import type { Sessions } from '../sending/sessions.js';
import type { Link, SendStream, SendStreamListener, Transport } from '../transport/transport.js';
import type { World } from '../world.js';

/** Who learns what an endpoint brings. */
export interface EndpointHost {
  readonly world: World;
  readonly limits: ClientLimits;
  readonly transport: Transport;
  readonly sessions: Sessions;
  readonly returns: Returns;
  /** The node can be used from here on. */
  opened(endpoint: Endpoint, groups: number): void;
  /** The node says who leads a group; 0 and '': it does not know. */
  route(endpoint: Endpoint, group: number, node: number, address: string): void;
  /** The node cannot be used for now. What was sent to it comes back after this. */
  lost(endpoint: Endpoint): void;
}

export class Endpoint {
  readonly address: string;
  readonly link: Link;
  /** The node at that address, once it has said so; 0 for a replica. */
  node = 0;
  /** A replica is at that address: whatever it passes on comes from some node, and not always from the same. */
  isReplica = false;
  /** Who leads which group by the word of this node, and when it said so (a count). */
  readonly claims = new Map<number, { readonly node: number; readonly order: number }>();
  /** The stream, while the node can be used. */
  stream: NodeStream | undefined;
  /** Why it could not be used the last time. */
  lastError: DeltabaseError | undefined;
  /** Whether the first try to open it is still under way. */
  isNew = true;

  readonly #host: EndpointHost;
  #wire: SendStream | undefined;
  #attempt = 0;
  #openedMs = 0;
  #cancelTimer: (() => void) | undefined;
  #closed = false;

  constructor(host: EndpointHost, address: string) {
    this.#host = host;
    this.address = address;
    this.link = host.transport.link(address);
    this.#open();
  }

  /** Whether it is known who is at that address. */
  get isIdentified(): boolean {
    return this.node !== 0 || this.isReplica;
  }

  /** A replica is at that address which has no way to the cluster now, by its last word: it still answers stale reads. */
  get isCutOff(): boolean {
    return this.stream === undefined && this.lastError?.details['staleOnly'] === true;
  }

  /** Gives the connection up for good; what is in flight comes back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#fail(new DeltabaseError('CANCELLED', 'the client was closed'));
    this.#cancelTimer?.();
    this.link.close();
  }

  #open(): void {
    const { world, limits, sessions, returns } = this.#host;
    const listener = new Listener(this);
    const wire = this.link.openSendStream(listener);
    const stalled = (): void => this.failed(listener, this.#noAnswer(limits.stallMs));
    listener.stream = new NodeStream({ world, limits, sessions, returns, wire, stalled });
    this.#wire = wire;
    this.#listener = listener;
    this.#cancelTimer = world.after(limits.openTimeoutMs, () =>
      this.failed(listener, this.#noAnswer(limits.openTimeoutMs)),
    );
  }

  #listener: Listener | undefined;

  /** For its listener: the node has answered. */
  opened(listener: Listener, groups: number): void {
    if (listener !== this.#listener || this.stream !== undefined) return;
    this.#cancelTimer?.();
    this.#openedMs = this.#host.world.nowMs();
    this.isNew = false;
    this.stream = listener.stream;
    this.#host.opened(this, groups);
  }

  /** For its listener: the node says who leads. */
  routed(listener: Listener, group: number, node: number, address: string): void {
    if (listener === this.#listener) this.#host.route(this, group, node, address);
  }

  /** For its listener, and for whoever found the stream useless. */
  failed(listener: Listener, why: DeltabaseError): void {
    if (listener !== this.#listener) return;
    this.#fail(why);
    if (!this.#closed) this.#reopenLater();
  }

  #fail(why: DeltabaseError): void {
    const listener = this.#listener;
    this.#cancelTimer?.();
    this.#listener = undefined;
    this.stream = undefined;
    this.isNew = false;
    this.lastError = why;
    if (this.isCutOff) {
      this.isReplica = true;
      this.node = 0;
    }
    this.claims.clear();
    this.#wire?.cancel();
    this.#wire = undefined;
    this.#host.lost(this);
    listener?.stream?.ended(why);
  }

  /** A node that was up for a while is tried again soon. */
  #reopenLater(): void {
    const { world, limits } = this.#host;
    const { reconnectMsMin: minMs, reconnectMsMax: maxMs } = limits;
    const wasUp = this.#openedMs > 0 && world.nowMs() - this.#openedMs > maxMs;
    this.#attempt = wasUp ? 1 : this.#attempt + 1;
    this.#openedMs = 0;
    const restMs = pauseMs(this.#attempt, { minMs, maxMs }, world.random());
    this.#cancelTimer = world.after(restMs, () => this.#open());
  }

  #noAnswer(ms: number): DeltabaseError {
    return new DeltabaseError('UNAVAILABLE', `${this.address} gave no answer for ${ms} ms`);
  }
}

/** Hears one opening of the stream; a later one has its own, so news of an old one cannot be mistaken. */
class Listener implements SendStreamListener {
  readonly #endpoint: Endpoint;
  stream: NodeStream | undefined;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  opened(groups: number): void {
    this.#endpoint.opened(this, groups);
  }

  route(group: number, node: number, address: string): void {
    this.#endpoint.routed(this, group, node, address);
  }

  accepted(number: number, seq: number, reply: string | undefined): void {
    this.stream!.accepted(number, seq, reply);
  }

  failed(number: number, error: Parameters<NodeStream['failed']>[1]): void {
    this.stream!.failed(number, error);
  }

  received(): void {
    this.stream!.received();
  }

  drained(): void {
    this.stream!.drained();
  }

  ended(error: DeltabaseError): void {
    this.#endpoint.failed(this, error);
  }
}
