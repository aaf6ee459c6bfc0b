// The cluster as callers see it: the status of its nodes, and the log of a group.

import { DeltabaseError, toDeltabaseError } from '@deltabase/base';
import { type DeltaRecord, decodeRecord } from '@deltabase/machine';
import type { Endpoint } from './cluster/endpoint.js';
import type { Topology } from './cluster/topology.js';
import type { ClientLimits } from './limits.js';
import { type CallOptions, timeoutOf } from './options.js';
import type { Attempts } from './reading/attempts.js';
import { interruptible } from './reading/interruptible.js';
import type { WireLogEntry, WireStatus } from './transport/wire.js';
import type { World } from './world.js';

/** A node as it sees itself and the cluster. */
export type NodeStatus = WireStatus;

/** What became of asking a node. */
export type NodeReport =
  | { readonly kind: 'status'; readonly address: string; readonly status: NodeStatus }
  | { readonly kind: 'failed'; readonly address: string; readonly error: DeltabaseError };

/** An entry of a group's Raft log. */
export interface LogEntry {
  readonly index: number;
  readonly term: number;
  /** `deltas`, `activate`, `configuration` or `empty`. */
  readonly kind: string;
  readonly bytes: number;
  readonly committed: boolean;
  /** The deltas in it, with their causes. */
  readonly records: readonly DeltaRecord[];
  /** What else it says, for people. */
  readonly summary: string;
}

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

export interface ClusterHost {
  readonly limits: ClientLimits;
  readonly attempts: Attempts;
  readonly topology: Topology;
  readonly world: World;
}

/** `Client.cluster`. */
export class ClusterInfo {
  readonly #host: ClusterHost;

  constructor(host: ClusterHost) {
    this.#host = host;
  }

  /** The status of one node. */
  async status(options: StatusOptions = {}): Promise<NodeStatus> {
    const { node, signal } = options;
    const timeoutMs = timeoutOf(options, this.#host.limits);
    if (node !== undefined) {
      return this.#endpoint(node).link.call('GetStatus', {}, { timeoutMs, signal });
    }
    return this.#host.attempts.run({ timeoutMs, signal }, {}, (link, leftMs) =>
      link.call('GetStatus', {}, { timeoutMs: leftMs, signal }),
    );
  }

  /** The status of every node that is known, by address; those that do not answer say why. */
  async nodes(options: CallOptions = {}): Promise<readonly NodeReport[]> {
    const timeoutMs = timeoutOf(options, this.#host.limits);
    const { signal } = options;
    const endpoints = [...this.#host.topology.endpoints];
    endpoints.sort((a, b) => (a.address < b.address ? -1 : 1));
    return Promise.all(
      endpoints.map(async ({ address, link }): Promise<NodeReport> => {
        try {
          const status = await link.call('GetStatus', {}, { timeoutMs, signal });
          return { kind: 'status', address, status };
        } catch (thrown) {
          return { kind: 'failed', address, error: toDeltabaseError(thrown) };
        }
      }),
    );
  }

  /** The entries of a group's log that a node has, oldest first. */
  log(options: LogOptions): AsyncIterableIterator<LogEntry> {
    const { group, from = 0, limit = 0, follow = false, node } = options;
    const timeoutMs = timeoutOf(options, this.#host.limits);
    const request = { group, fromIndex: from, limit, follow };
    return interruptible(options.signal, (signal) =>
      this.#entries(request, node, timeoutMs, signal),
    );
  }

  async *#entries(
    request: { group: number; fromIndex: number; limit: number; follow: boolean },
    node: number | undefined,
    timeoutMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<LogEntry, void, void> {
    const { attempts, world } = this.#host;
    const untilMs = world.nowMs() + timeoutMs;
    const endpoint =
      node === undefined
        ? await attempts.endpoint(request.group, 0, untilMs, signal)
        : this.#endpoint(node);
    const options = { signal, ...(request.follow ? {} : { timeoutMs }) };
    for await (const { entries } of endpoint.link.stream('ReadLog', request, options)) {
      for (const entry of entries) yield entryOf(entry);
    }
  }

  #endpoint(node: number): Endpoint {
    const endpoints = [...this.#host.topology.endpoints];
    const endpoint = endpoints.find((other) => other.node === node);
    if (endpoint !== undefined) return endpoint;
    const known = endpoints.map((other) => other.node).filter((id) => id !== 0);
    throw new DeltabaseError(
      'INVALID_ARGUMENT',
      `no node ${node} is known: there are ${known.sort((a, b) => a - b).join(', ')}`,
    );
  }
}

function entryOf(entry: WireLogEntry): LogEntry {
  return { ...entry, records: entry.records.map(decodeRecord) };
}
