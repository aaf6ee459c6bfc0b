// Logs and histories of a cluster that runs.

import type { CallOptions, Client, LogEntry } from '@deltabase/client';
import type { NodeLogs } from '../format/log.js';
import type { DeltaRange, EntryRange, Source, StoredDelta } from './source.js';

export class RunningSource implements Source {
  readonly #client: Client;
  readonly #call: CallOptions;
  readonly #place: { readonly node?: number };

  /** `node`: whose logs they are; any node's by default, for entries the leader's of their group. */
  constructor(client: Client, call: CallOptions, node: number | undefined) {
    this.#client = client;
    this.#call = call;
    this.#place = node === undefined ? {} : { node };
  }

  async logs(): Promise<NodeLogs> {
    const status = await this.#client.cluster.status({ ...this.#call, ...this.#place });
    const { cluster, node, recoveries, groups } = status;
    return {
      cluster,
      node,
      recoveries,
      groups: groups.map((one) => ({
        group: one.group,
        term: one.term,
        leader: one.leader,
        firstIndex: one.firstIndex,
        lastIndex: one.lastIndex,
        commitIndex: one.commitIndex,
        flushedIndex: one.flushedIndex,
      })),
    };
  }

  entries(range: EntryRange): AsyncIterable<LogEntry> {
    return this.#client.cluster.log({ ...this.#call, ...this.#place, ...range });
  }

  /** Entries from `from` on as they are committed, without end. */
  follow(group: number, from: number): AsyncIterable<LogEntry> {
    const { cluster } = this.#client;
    return cluster.log({ ...this.#call, ...this.#place, group, from, follow: true });
  }

  async *deltas({ space, key, from, limit }: DeltaRange): AsyncIterable<StoredDelta> {
    const document = this.#client.document(space, key);
    for await (const delta of document.history({ ...this.#call, from, limit })) {
      yield { ...delta, committed: true };
    }
  }
}
