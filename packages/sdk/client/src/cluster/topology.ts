// The nodes of the cluster as far as this client knows them: it begins with the addresses it was given, learns
// the others from any that answers, keeps a connection to each, and knows the way to each group's leader. An address may be
// that of a replica, which passes everything on: it is a way to the cluster, the only one for a client that reaches no node,
// but no node.

import { DeltabaseError } from '@deltabase/base';
import { groupOf } from '@deltabase/machine';
import type { ClientLimits } from '../limits.js';
import type { NodeStream, Returns } from '../sending/node-stream.js';
import type { Sessions } from '../sending/sessions.js';
import type { Ways } from '../sending/ways.js';
import type { Transport } from '../transport/transport.js';
import type { WireMember } from '../transport/wire.js';
import type { World } from '../world.js';
import { Endpoint, type EndpointHost } from './endpoint.js';
import { leaderOf } from './leaders.js';

export interface TopologyOptions {
  readonly world: World;
  readonly limits: ClientLimits;
  readonly transport: Transport;
  readonly sessions: Sessions;
  readonly returns: Returns;
  readonly addresses: readonly string[];
  /** A node can be used that could not before. */
  readonly waysOpened: () => void;
}

/** After so long a node is asked again who it is, if it did not say, ms. */
const ASK_AGAIN_MS = 1000;
const ASK_TIMEOUT_MS = 5000;

export class Topology implements Ways {
  readonly #options: TopologyOptions;
  readonly #host: EndpointHost;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #seeds: ReadonlySet<string>;
  /** Addresses of nodes by what nodes say. */
  #addresses = new Map<number, string>();
  #groups = 0;
  #claimsMade = 0;
  /** Endpoints that can be used. */
  #open: Endpoint[] = [];
  /** The way to each group's leader, by group. */
  #straight: (NodeStream | undefined)[] = [];
  #waiters: (() => void)[] = [];
  #closed = false;

  constructor(options: TopologyOptions) {
    const { world, limits, transport, sessions, returns, addresses } = options;
    this.#options = options;
    this.#host = {
      world,
      limits,
      transport,
      sessions,
      returns,
      opened: (endpoint, groups) => this.#opened(endpoint, groups),
      route: (endpoint, group, node, address) => this.#routed(endpoint, group, node, address),
      lost: (endpoint) => this.#lost(endpoint),
    };
    this.#seeds = new Set(addresses);
    for (const address of this.#seeds) this.#add(address);
  }

  /** All nodes that are known, in no order. */
  get endpoints(): Iterable<Endpoint> {
    return this.#endpoints.values();
  }

  /** Those of them that can be used now. */
  get usable(): readonly Endpoint[] {
    return this.#open;
  }

  /** Whether each known node was reached and has said who it is, or could not be reached. */
  get isSettled(): boolean {
    for (const { isNew, stream, isIdentified } of this.#endpoints.values()) {
      if (isNew || (stream !== undefined && !isIdentified)) return false;
    }
    return true;
  }

  /** The group of a document; 0, to which no way leads straight, while no node has said how many groups there are. */
  groupOf(space: string, key: string): number {
    return this.#groups === 0 ? 0 : groupOf(space, key, this.#groups);
  }

  straight(group: number): NodeStream | undefined {
    return this.#straight[group];
  }

  any(group: number, attempt: number): NodeStream | undefined {
    return this.endpointFor(group, attempt)?.stream;
  }

  /** Some endpoint that can be used, another one with each `attempt`. */
  endpointFor(group: number, attempt: number): Endpoint | undefined {
    return this.#open[(group + attempt) % this.#open.length];
  }

  /** Some replica that has no way to the cluster itself, another one with each `attempt`: for stale reads. */
  cutOffReplica(attempt: number): Endpoint | undefined {
    const all = [...this.#endpoints.values()].filter(({ isCutOff }) => isCutOff);
    return all[attempt % all.length];
  }

  /** The endpoint of the leader of `group`, if it is known and can be used. */
  leaderOf(group: number): Endpoint | undefined {
    const stream = this.straight(group);
    return stream && this.#open.find((endpoint) => endpoint.stream === stream);
  }

  /** The ids of all nodes that are known, reached or not. */
  get nodes(): number[] {
    const ids = [...this.#endpoints.values()].map(({ node }) => node).filter((node) => node !== 0);
    return [...new Set([...ids, ...this.#addresses.keys()])].sort((a, b) => a - b);
  }

  /** The endpoint of a node; one that can be used, if there are several. */
  endpointOf(node: number): Endpoint | undefined {
    const address = this.#addresses.get(node);
    const known = [...this.#endpoints.values()].filter(
      (endpoint) => endpoint.node === node || (endpoint.node === 0 && endpoint.address === address),
    );
    return known.find(({ stream }) => stream !== undefined) ?? known[0];
  }

  /** The id of the node that an endpoint leads to, by its own word or by that of others; 0: unknown. */
  nodeAt({ node, address }: Endpoint): number {
    if (node !== 0) return node;
    for (const [id, known] of this.#addresses) if (known === address) return id;
    return 0;
  }

  /** Calls `then` when something changes in what can be used. */
  whenChanged(then: () => void): void {
    this.#waiters.push(then);
  }

  /** What to tell somebody who cannot reach any node. */
  unreachable(): DeltabaseError {
    const reasons = [...this.#endpoints.values()].map(({ address, lastError }) => {
      const why = lastError?.message ?? 'no answer yet';
      return why.startsWith(address) ? why : `${address}: ${why}`;
    });
    return new DeltabaseError(
      'UNAVAILABLE',
      `no node of the cluster can be reached (${reasons.join('; ')}): check that it runs and that ` +
        'the address is right',
    );
  }

  close(): void {
    this.#closed = true;
    for (const endpoint of this.#endpoints.values()) endpoint.close();
    this.#changed();
  }

  #add(address: string): void {
    // Not from inside a call of another endpoint.
    if (!this.#closed) this.#endpoints.set(address, new Endpoint(this.#host, address));
  }

  #opened(endpoint: Endpoint, groups: number): void {
    this.#groups = groups;
    this.#open = [...this.#open, endpoint];
    void this.#identify(endpoint);
    this.#findWays();
    this.#options.waysOpened();
    this.#changed();
  }

  #lost(endpoint: Endpoint): void {
    this.#open = this.#open.filter((other) => other !== endpoint);
    this.#findWays();
    // It may have been removed, with others in its place.
    const [other] = this.#open;
    if (other !== undefined) void this.#identify(other);
    this.#changed();
  }

  #routed(endpoint: Endpoint, group: number, node: number, address: string): void {
    endpoint.claims.set(group, { node, order: ++this.#claimsMade });
    if (node !== 0 && address !== '') this.#addresses.set(node, address);
    this.#findWay(group);
    if (node !== 0 && this.endpointOf(node) === undefined) this.#meetMembers();
  }

  /** Asks a node who it is and who else there is. */
  async #identify(endpoint: Endpoint): Promise<void> {
    const { stream } = endpoint;
    try {
      const status = await endpoint.link.call('GetStatus', {}, { timeoutMs: ASK_TIMEOUT_MS });
      // What a replica passes on is the word of a node, but not at this address.
      endpoint.isReplica = status.via.length > 0;
      endpoint.node = endpoint.isReplica ? 0 : status.node;
      this.#learn(status.members);
    } catch (thrown) {
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      endpoint.lastError = thrown;
      this.#options.world.after(ASK_AGAIN_MS, () => {
        if (endpoint.stream === stream && stream !== undefined) void this.#identify(endpoint);
      });
    }
    this.#changed();
  }

  #learn(members: readonly WireMember[]): void {
    if (this.#closed) return;
    for (const { node, address } of members) {
      if (address !== '') this.#addresses.set(node, address);
    }
    const current = new Set(members.map(({ address }) => address));
    for (const [address, endpoint] of this.#endpoints) {
      const isGone = endpoint.stream === undefined && !endpoint.isNew && !current.has(address);
      if (!isGone || this.#seeds.has(address)) continue;
      this.#endpoints.delete(address);
      endpoint.close();
    }
    this.#meetMembers();
    this.#findWays();
  }

  /** Connects to members that have no endpoint, once it is known who all the open ones are. */
  #meetMembers(): void {
    if (this.#open.some(({ isIdentified }) => !isIdentified)) return;
    for (const [node, address] of this.#addresses) {
      if (this.endpointOf(node) === undefined && !this.#endpoints.has(address)) this.#add(address);
    }
  }

  #findWays(): void {
    for (let group = 0; group <= this.#groups; group++) this.#findWay(group);
  }

  #findWay(group: number): void {
    const leader = leaderOf(group, this.#open);
    this.#straight[group] = leader === 0 ? undefined : this.endpointOf(leader)?.stream;
  }

  #changed(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}
