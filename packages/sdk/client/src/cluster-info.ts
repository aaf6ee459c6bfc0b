// The cluster as callers see it: the status of its nodes, and the log of a group.

import { type DeltabaseError, toDeltabaseError } from '@deltabase/base';
import { type CallOptions, timeoutOf } from './options.js';
import { throwIfAborted } from './reading/attempts.js';
import { interruptible } from './reading/interruptible.js';
import { endpointOf, type LogEntry, type LogHost, logEntries } from './reading/log.js';
import type { WireStatus } from './transport/wire.js';

/** A node as it sees itself and the cluster. */
export type NodeStatus = WireStatus;

/** What became of asking a node; `node` is 0 where nobody knows which one is at the address. */
export type NodeReport = { readonly node: number; readonly address: string } & (
  | { readonly kind: 'status'; readonly status: NodeStatus }
  | { readonly kind: 'failed'; readonly error: DeltabaseError }
);

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

/** `Client.cluster`. */
export class ClusterInfo {
  readonly #host: LogHost;

  constructor(host: LogHost) {
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

  /** The status of every node that is known, by id; those that do not answer say why. */
  async nodes(options: CallOptions = {}): Promise<readonly NodeReport[]> {
    const timeoutMs = timeoutOf(options, this.#host.limits);
    const { signal } = options;
    const { topology } = this.#host;
    const reports = await Promise.all(
      [...topology.endpoints].map(async (endpoint): Promise<NodeReport> => {
        const { address, link } = endpoint;
        try {
          const status = await link.call('GetStatus', {}, { timeoutMs, signal });
          return { kind: 'status', node: status.node, address, status };
        } catch (thrown) {
          throwIfAborted(signal);
          const node = topology.nodeAt(endpoint);
          return { kind: 'failed', node, address, error: toDeltabaseError(thrown) };
        }
      }),
    );
    return reports.sort((a, b) => a.node - b.node || (a.address < b.address ? -1 : 1));
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
}
