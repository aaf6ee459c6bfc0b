// The cluster as callers see it: the status of its nodes, the log of a group, and which documents are hot.

import { DeltabaseError, toDeltabaseError } from '@deltabase/base';
import { type DocumentHeat, mergeHeat, type ProcessHeat } from './heat.js';
import { type CallOptions, checkAddresses, timeoutOf } from './options.js';
import { throwIfAborted } from './reading/attempts.js';
import type { Copies } from './reading/copies.js';
import { interruptible } from './reading/interruptible.js';
import { endpointOf, type LogEntry, type LogHost, logEntries } from './reading/log.js';
import type { Link } from './transport/transport.js';
import type { WireReplicaStatus, WireStatus } from './transport/wire.js';

/** A node as it sees itself and the cluster. */
export type NodeStatus = WireStatus;

/** A replica as it sees itself. */
export type ReplicaStatus = WireReplicaStatus;

/** A node that could not be asked; `node` is 0 where nobody knows which one is at the address. */
export interface NodeFailure {
  readonly node: number;
  readonly address: string;
  readonly kind: 'failed';
  readonly error: DeltabaseError;
}

/** What became of asking a node. */
export type NodeReport =
  | {
      readonly node: number;
      readonly address: string;
      readonly kind: 'status';
      readonly status: NodeStatus;
    }
  | NodeFailure;

export interface StatusOptions extends CallOptions {
  /** The node to ask; any by default. */
  readonly node?: number;
}

export interface LogOptions extends CallOptions {
  readonly group: number;
  /** The first index wanted; the oldest there is by default. */
  readonly from?: number;
  /** At most so many; all by default. */
  readonly limit?: number;
  /** Go on with entries as they are committed. */
  readonly follow?: boolean;
  /** The node whose log it is; the group's leader by default, or any. */
  readonly node?: number;
}

export interface HotOptions extends CallOptions {
  /** The node to ask; all by default. */
  readonly node?: number;
  /** At most so many documents of each node; from 1 to 1000, 100 by default. */
  readonly limit?: number;
}

export interface HotReport {
  /** The hottest first. */
  readonly documents: readonly DocumentHeat[];
  /** Nodes that did not answer: what they do is not counted. */
  readonly failed: readonly NodeFailure[];
}

export interface ClusterInfoHost extends LogHost {
  readonly copies: Copies;
}

type Place = Pick<NodeReport, 'node' | 'address'>;

/** `Client.cluster`. */
export class ClusterInfo {
  readonly #host: ClusterInfoHost;

  constructor(host: ClusterInfoHost) {
    this.#host = host;
  }

  /** The status of one node. */
  async status(options: StatusOptions = {}): Promise<NodeStatus> {
    const { node, signal } = options;
    const timeoutMs = timeoutOf(options, this.#host.limits);
    if (node !== undefined) {
      return endpointOf(this.#host.topology, node).link.call(
        'GetStatus',
        {},
        { timeoutMs, signal },
      );
    }
    return this.#host.attempts.run({ timeoutMs, signal }, {}, (link, leftMs) =>
      link.call('GetStatus', {}, { timeoutMs: leftMs, signal }),
    );
  }

  /**
   * The status of every node that is known, by id; those that do not answer say why. What a replica passes on stands for a
   * node that cannot be reached itself, under the node's own address. Throws UNAVAILABLE if not even a node's address is known.
   */
  async nodes(options: CallOptions = {}): Promise<readonly NodeReport[]> {
    const { topology, limits } = this.#host;
    const call = { timeoutMs: timeoutOf(options, limits), signal: options.signal };
    const reports = await this.#askAll(
      options.signal,
      async (link, address): Promise<NodeReport> => {
        const status = await link.call('GetStatus', {}, call);
        return { kind: 'status', node: status.node, address, status };
      },
    );
    const replicas = new Set<string>();
    for (const { isReplica, address } of topology.endpoints) if (isReplica) replicas.add(address);
    const ofNodes = reportsOfNodes(reports, replicas);
    if (ofNodes.length === 0) throw topology.unreachable();
    return ofNodes;
  }

  /**
   * The status of the replica at `address`, host:port. Throws UNAVAILABLE if it cannot be reached, INVALID_ARGUMENT if it
   * can be none.
   */
  async replica(address: string, options: CallOptions = {}): Promise<ReplicaStatus> {
    const { limits, copies } = this.#host;
    const call = { timeoutMs: timeoutOf(options, limits), signal: options.signal };
    checkAddresses([address]);
    const use = copies.use(address);
    if (use === undefined) {
      const why = `${address} did not answer a moment ago, or this client has enough connections: ask again later`;
      throw new DeltabaseError('UNAVAILABLE', why);
    }
    try {
      return await use.link.call('GetReplicaStatus', {}, call);
    } finally {
      use.left();
    }
  }

  /**
   * The documents that are read and watched most, of one node or of all that answer; what several nodes serve of
   * a document is added up. Throws what the node, or all of them, failed with.
   */
  async hot(options: HotOptions = {}): Promise<HotReport> {
    const { node, limit = 0, signal } = options;
    const call = { timeoutMs: timeoutOf(options, this.#host.limits), signal };
    if (node !== undefined) {
      const { link } = endpointOf(this.#host.topology, node);
      return { documents: mergeHeat([await link.call('ListHot', { limit }, call)]), failed: [] };
    }
    const reports = await this.#askAll(signal, async (link, address) => {
      const heat: ProcessHeat = await link.call('ListHot', { limit }, call);
      return { kind: 'heat' as const, node: heat.node, address, heat };
    });
    const failed = reports.filter((report) => report.kind === 'failed');
    const heats = reports.flatMap((report) => (report.kind === 'heat' ? [report.heat] : []));
    if (heats.length === 0 && failed.length > 0) throw failed[0]!.error;
    return { documents: mergeHeat(heats), failed };
  }

  /**
   * The entries of a group's log that a node has, oldest first. When a node fails in the middle it goes on
   * behind what it has given, on another node unless one is named; where that cannot be, because entries that
   * are not committed may differ there, it ends with the error. `deadlineMs` is for each wait, not for the
   * whole.
   */
  log(options: LogOptions): AsyncIterableIterator<LogEntry> {
    const { group, from = 0, limit = Infinity, follow = false, node } = options;
    const timeoutMs = timeoutOf(options, this.#host.limits);
    return interruptible(options.signal, (signal) =>
      logEntries(this.#host, { group, from, limit, follow, node }, { timeoutMs, signal }),
    );
  }

  /** Asks every node that is known at once; answers are by id. */
  async #askAll<T extends { readonly node: number; readonly address: string }>(
    signal: AbortSignal | undefined,
    ask: (link: Link, address: string) => Promise<T>,
  ): Promise<Array<T | NodeFailure>> {
    const { topology } = this.#host;
    const answers = await Promise.all(
      [...topology.endpoints].map(async (endpoint): Promise<T | NodeFailure> => {
        const { address, link } = endpoint;
        try {
          return await ask(link, address);
        } catch (thrown) {
          throwIfAborted(signal);
          const node = topology.nodeAt(endpoint);
          return { kind: 'failed', node, address, error: toDeltabaseError(thrown) };
        }
      }),
    );
    return answers.sort(byNode);
  }
}

/**
 * Of the reports of nodes and of `replicas`, by address: one of each node, and those of addresses where nobody knows who is
 * there.
 */
function reportsOfNodes(
  reports: readonly NodeReport[],
  replicas: ReadonlySet<string>,
): readonly NodeReport[] {
  const straight = reports.filter((report) =>
    report.kind === 'status' ? report.status.via.length === 0 : !replicas.has(report.address),
  );
  const answered = new Set(
    straight.filter(({ kind }) => kind === 'status').map(({ node }) => node),
  );
  const passedOn = new Map<number, NodeReport>();
  for (const report of reports) {
    if (report.kind === 'failed' || report.status.via.length === 0) continue;
    const { node, status } = report;
    if (answered.has(node)) continue;
    const member = status.members.find((each) => each.node === node);
    passedOn.set(node, { kind: 'status', node, address: member?.address ?? '', status });
  }
  const others = straight.filter(({ node }) => !passedOn.has(node));
  return [...others, ...passedOn.values()].sort(byNode);
}

function byNode(a: Place, b: Place): number {
  return a.node - b.node || (a.address < b.address ? -1 : 1);
}
