// A client of a cluster: connects, and offers documents, machines and the cluster itself.

import type { Json } from '@deltabase/delta';
import { Topology } from './cluster/topology.js';
import { ClusterInfo } from './cluster-info.js';
import { DocumentHandle, type DocumentsHost, type MessageToSend, sendMany } from './documents.js';
import { CLIENT_LIMITS } from './limits.js';
import type { LiveDocument, LiveOptions } from './live/live-document.js';
import { Machines } from './machines.js';
import { Members } from './members.js';
import { type CallOptions, type ConnectOptions, checkAddresses } from './options.js';
import { Attempts, throwIfAborted } from './reading/attempts.js';
import { Copies } from './reading/copies.js';
import { OpenReads } from './reading/open-reads.js';
import type { Returns } from './sending/node-stream.js';
import type { SendOutcome } from './sending/receivers.js';
import { Sender } from './sending/sender.js';
import { Sessions } from './sending/sessions.js';
import type { Ways } from './sending/ways.js';
import { makeGrpcTransport } from './transport/grpc/grpc-transport.js';
import { NODE_WORLD } from './world.js';

const CONNECT_MS = 10_000;

export interface CloseOptions {
  /** Give up what is not answered instead of waiting for it. */
  readonly abandon?: boolean;
}

/**
 * Connects to a cluster through any of its nodes, or of its replicas. Resolves once one has answered and the others had a
 * moment to; rejects with UNAVAILABLE, naming each address and its fault, if none does in time. A replica that has no way
 * to the cluster now is enough, unless `clusterNeeded`: stale reads are answered there, all else waits.
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const addresses = checkAddresses(options.addresses);
  const limits = { ...CLIENT_LIMITS, ...options.limits };
  const world = options.world ?? NODE_WORLD;
  const transport = options.transport ?? makeGrpcTransport(limits);
  const sessions = new Sessions(world, limits);
  // Each of the two needs the other; neither calls it before both are there.
  const parts: { sender?: Sender; topology?: Topology } = {};
  const returns: Returns = {
    accepted: (message, seq, reply) => parts.sender!.accepted(message, seq, reply),
    failed: (message, error) => parts.sender!.failed(message, error),
    skipped: (message) => parts.sender!.skipped(message),
    returned: (message, why) => parts.sender!.returned(message, why),
  };
  const ways: Ways = {
    groupOf: (space, key) => parts.topology!.groupOf(space, key),
    straight: (group) => parts.topology!.straight(group),
    any: (group, attempt) => parts.topology!.any(group, attempt),
  };
  const sender = new Sender({ world, limits, sessions, ways });
  parts.sender = sender;
  const waysOpened = (): void => sender.waysOpened();
  const topology = new Topology({
    world,
    limits,
    transport,
    sessions,
    returns,
    addresses,
    waysOpened,
  });
  parts.topology = topology;
  const attempts = new Attempts({ world, limits, topology });
  const copies = new Copies({ world, limits, transport });
  const openReads = new OpenReads(limits);
  const host = { world, limits, sender, attempts, copies, openReads, topology };
  const client = new Client(host);
  try {
    await awaitCluster(host, options);
  } catch (thrown) {
    await client.close({ abandon: true });
    throw thrown;
  }
  return client;
}

/** Waits for the first node, then a moment for those it names. */
async function awaitCluster(
  { world, limits, attempts, topology }: DocumentsHost,
  { connectMs = CONNECT_MS, clusterNeeded = false, signal }: ConnectOptions,
): Promise<void> {
  const untilMs = world.nowMs() + connectMs;
  await attempts.reached({ atCutOff: !clusterNeeded }, untilMs, signal);
  const settledMs = Math.min(untilMs, world.nowMs() + limits.settleMs);
  while (!topology.isSettled && world.nowMs() < settledMs) {
    await attempts.changed(settledMs - world.nowMs(), signal);
    throwIfAborted(signal);
  }
}

export class Client {
  readonly machines: Machines;
  readonly cluster: ClusterInfo;
  readonly members: Members;
  readonly #host: DocumentsHost;
  #closed: Promise<void> | undefined;

  /** Use `connect`. */
  constructor(host: DocumentsHost) {
    this.#host = host;
    this.machines = new Machines(host);
    this.cluster = new ClusterInfo(host);
    this.members = new Members(host);
  }

  /** The document `key` of `space`. Throws INVALID_ARGUMENT for what cannot be a name. */
  document<State = Json>(space: string, key: string): DocumentHandle<State> {
    return new DocumentHandle<State>(this.#host, space, key);
  }

  /** A live copy of the document `key` of `space`: see `DocumentHandle.live`. */
  live<State = Json>(
    space: string,
    key: string,
    options: LiveOptions = {},
  ): Promise<LiveDocument<State>> {
    return this.document<State>(space, key).live(options);
  }

  /**
   * Sends many messages at once; resolves with their outcomes, in their order, when all have one. Each ends
   * for itself: one that fails does not touch the others.
   */
  sendMany(messages: readonly MessageToSend[], options: CallOptions = {}): Promise<SendOutcome[]> {
    return sendMany(this.#host, messages, options);
  }

  /**
   * Ends the client: sends nothing new, waits for what is unanswered (each message has its deadline), then
   * closes all connections. Watches end.
   */
  close(options: CloseOptions = {}): Promise<void> {
    const { sender, attempts, openReads, copies, topology } = this.#host;
    this.#closed ??= new Promise<void>((resolve) => sender.drain(resolve)).then(() => {
      attempts.close();
      openReads.close();
      copies.close();
      topology.close();
    });
    if (options.abandon) sender.abandon();
    return this.#closed;
  }
}
