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
  /** host:port to be reached at; port 0 takes any free one. */
  readonly listenAddress: string;
  readonly limits: Limits;
  readonly log: Log;
  /** How often a connection is asked whether it is alive, ms; it has as much time to answer. */
  readonly keepaliveMs?: number;
}

/** The Network, and what a composition does with it. */
export interface GrpcNetwork extends Network {
  /** The port that peers reach this node at. */
  readonly port: number;
  /** Where a peer is, host:port; a second call moves it. Peers that were not named are refused. */
  setPeer(peer: NodeId, address: string): void;
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
    this.#links.get(peer)?.close();
    this.#addresses.set(peer, address);
    if (this.#listener !== undefined) this.#connect(peer, address, this.#listener);
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
    const link = speaker && this.#links.get(speaker.node);
    if (speaker === undefined || link === undefined) {
      this.#refuse(stream, this.#problemWithStranger(speaker?.node));
      return;
    }
    const { cluster, node } = this.#options;
    const greeting = { cluster, node, peer: speaker.node, lane: speaker.lane };
    const problem = greetingProblem(greeting, stream.metadata);
    if (problem !== undefined) {
      this.#refuse(stream, problem);
      return;
    }
    stream.sendMetadata(writeGreeting(greeting));
    link.subscribed(speaker.lane, stream);
  }

  #problemWithStranger(speaker: NodeId | undefined): string {
    if (speaker === undefined) return 'it is not a Deltabase node: clients use another port';
    if (this.#addresses.has(speaker)) return STARTING;
    return `it is node ${speaker}, which is not a member here: check the members`;
  }

  #refuse(stream: FrameStream, reason: string): void {
    const { log, cluster, node } = this.#options;
    const details = `node ${node} of cluster ${cluster} refuses: ${reason}`;
    const code = reason === STARTING ? status.UNAVAILABLE : status.FAILED_PRECONDITION;
    stream.emit('error', { code, details });
    if (reason === STARTING || reason === this.#refusedFor) return;
    this.#refusedFor = reason;
    log.error('peer-refused', { from: stream.getPeer(), reason });
  }
}

const STARTING = 'it is starting: call again';

function cannotListen(address: string, cause: Error): DeltabaseError {
  return new DeltabaseError(
    'INVALID_ARGUMENT',
    `cannot listen for peers on ${address} (${cause.message}): choose another address or port`,
    { cause },
  );
}
