// The Network port on gRPC: a server that peers subscribe to, and a link to each peer. See peer.proto for why
// every node calls every other.

import { DeltabaseError, type Limits } from '@deltabase/base';
import type { Lane, Log, Network, NetworkListener, NodeId } from '@deltabase/engine';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { FrameStream } from './outbound.js';
import { PeerLink } from './peer-link.js';
import { greetingProblem, SUBSCRIBE, speakerOf, writeGreeting } from './peer-protocol.js';

export interface GrpcNetworkOptions {
  readonly cluster: string;
  readonly node: NodeId;
  /** host:port to listen at; port 0 takes any free one. */
  readonly listenAddress: string;
  /** host:port where peers reach this node, if it is another one; told to nodes that do not know it yet. */
  readonly address?: string;
  readonly limits: Limits;
  readonly log: Log;
  /** How often a connection is asked whether it is alive, ms; it has as much time to answer. */
  readonly keepaliveMs?: number;
}

/** The Network, and what a composition does with it. */
export interface GrpcNetwork extends Network {
  /** The port that peers reach this node at. */
  readonly port: number;
  /** Ends all streams, stops listening, and calls nobody back any more. */
  close(): void;
}

const KEEPALIVE_MS = 2000;
/** A subscription is an empty message. */
const REQUEST_BYTES_MAX = 1024;

/** Binds the peer port. Throws INVALID_ARGUMENT if that is not possible. Peers are called once `listen` was. */
export async function openGrpcNetwork(options: GrpcNetworkOptions): Promise<GrpcNetwork> {
  const network = new PeerNetwork(options);
  await network.bind();
  return network;
}

class PeerNetwork implements GrpcNetwork {
  readonly #options: GrpcNetworkOptions;
  readonly #keepaliveMs: number;
  readonly #server: Server;
  readonly #addresses = new Map<NodeId, string>();
  readonly #links = new Map<NodeId, PeerLink>();
  #listener: NetworkListener | undefined;
  #port = 0;
  /** Why a caller was refused last: the log says it once. */
  #refusedFor = '';

  constructor(options: GrpcNetworkOptions) {
    this.#options = options;
    this.#keepaliveMs = options.keepaliveMs ?? KEEPALIVE_MS;
    this.#server = new Server({
      'grpc.max_receive_message_length': REQUEST_BYTES_MAX,
      'grpc.max_send_message_length': options.limits.peerFrameBytesMax,
      'grpc.keepalive_time_ms': this.#keepaliveMs,
      'grpc.keepalive_timeout_ms': this.#keepaliveMs,
      'grpc.enable_channelz': 0,
    });
    this.#server.addService(
      { subscribe: SUBSCRIBE },
      { subscribe: (stream: FrameStream) => this.#subscribed(stream) },
    );
  }

  get port(): number {
    return this.#port;
  }

  bind(): Promise<void> {
    const { listenAddress } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(listenAddress, ServerCredentials.createInsecure(), (error, port) => {
        this.#port = port;
        if (error === null) resolve();
        else reject(cannotListen(listenAddress, error));
      });
    });
  }

  listen(listener: NetworkListener): void {
    this.#listener = listener;
    for (const [peer, address] of this.#addresses) this.#connect(peer, address, listener);
  }

  setPeer(peer: NodeId, address: string): void {
    if (this.#addresses.get(peer) === address) return;
    this.#links.get(peer)?.close();
    this.#addresses.set(peer, address);
    if (this.#listener !== undefined) this.#connect(peer, address, this.#listener);
  }

  removePeer(peer: NodeId): void {
    this.#links.get(peer)?.close();
    this.#links.delete(peer);
    this.#addresses.delete(peer);
  }

  send(to: NodeId, lane: Lane, frame: Uint8Array): void {
    this.#links.get(to)?.send(lane, frame);
  }

  queuedBytes(to: NodeId, lane: Lane): number {
    return this.#links.get(to)?.queuedBytes(lane) ?? 0;
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    this.#addresses.clear();
    // Without channelz, grpc-js forgets connections when it is forced; asked, it closes those without calls.
    this.#server.tryShutdown(() => {});
    this.#server.forceShutdown();
  }

  #connect(peer: NodeId, address: string, listener: NetworkListener): void {
    const { cluster, node, limits, log } = this.#options;
    const link = new PeerLink({
      cluster,
      node,
      self: this.#ownAddress,
      peer,
      address,
      frameBytesMax: limits.peerFrameBytesMax,
      queueBytesMax: limits.peerQueueBytesMax,
      keepaliveMs: this.#keepaliveMs,
      log,
      listener,
    });
    this.#links.set(peer, link);
    link.connect();
  }

  #subscribed(stream: FrameStream): void {
    const speaker = speakerOf(stream.metadata);
    if (speaker === undefined) {
      this.#refuse(stream, 'it is not a Deltabase node: clients use another port');
      return;
    }
    const { cluster, node } = this.#options;
    const { lane, address } = speaker;
    const greeting = { cluster, node, address: this.#ownAddress, peer: speaker.node, lane };
    const problem = greetingProblem(greeting, stream.metadata);
    if (problem !== undefined) {
      this.#refuse(stream, problem);
      return;
    }
    const link = this.#links.get(speaker.node);
    if (link === undefined) {
      this.#refuse(stream, this.#addresses.has(speaker.node) ? STARTING : UNKNOWN);
      if (!this.#addresses.has(speaker.node)) this.#listener?.met(speaker.node, address);
      return;
    }
    stream.sendMetadata(writeGreeting(greeting));
    link.subscribed(lane, stream);
    // It hears this node, which calls it in vain where it was before.
    const hasMoved = address !== '' && address !== this.#addresses.get(speaker.node);
    if (hasMoved && !link.isReachable) this.#listener?.met(speaker.node, address);
  }

  /** Where others reach this node. */
  get #ownAddress(): string {
    const { address, listenAddress } = this.#options;
    return (address ?? listenAddress).replace(/:0+$/, `:${this.#port}`);
  }

  #refuse(stream: FrameStream, reason: string): void {
    const { log, cluster, node } = this.#options;
    const details = `node ${node} of cluster ${cluster} refuses: ${reason}`;
    const isForNow = reason === STARTING || reason === UNKNOWN;
    stream.emit('error', {
      code: isForNow ? status.UNAVAILABLE : status.FAILED_PRECONDITION,
      details,
    });
    if (isForNow || reason === this.#refusedFor) return;
    this.#refusedFor = reason;
    log.error('peer-refused', { from: stream.getPeer(), reason });
  }
}

const STARTING = 'it is starting: call again';
const UNKNOWN = 'it is not a member here, or not yet: call again once it was added';

function cannotListen(address: string, cause: Error): DeltabaseError {
  return new DeltabaseError(
    'INVALID_ARGUMENT',
    `cannot listen for peers on ${address} (${cause.message}): choose another address or port`,
    { cause },
  );
}
