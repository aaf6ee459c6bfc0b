// Reads the logs of all nodes of a simulated cluster now and then, as operators do: an entry that is shown as
// committed is the same on every node, and stays for ever (CommittedOnly).

import assert from 'node:assert/strict';
import type { NodeId } from '@deltabase/engine';
import type { Entry } from 'raft-ts';
import type { Cluster } from '../cluster/cluster.js';
import { isSameEntry } from './stored-logs.js';

export class ShownLogWitness {
  readonly #cluster: Cluster;
  /** By group and index. */
  readonly #shown = new Map<string, Entry>();
  /** How far each log was read, by node, life and group. */
  readonly #read = new Map<string, number>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Looks every `everyMs` from now on. */
  lookEvery(everyMs: number): void {
    this.#cluster.simulation.schedule(everyMs, () => {
      this.look();
      this.lookEvery(everyMs);
    });
  }

  look(): void {
    for (const id of this.#cluster.ids) if (this.#cluster.isUp(id)) this.#lookAt(id);
  }

  #lookAt(id: NodeId): void {
    for (const [group, { commit }] of this.#cluster.engine(id).positions().entries()) {
      const place = `node ${id} life ${this.#cluster.lifeOf(id)} group ${group}`;
      const before = this.#read.get(place) ?? 0;
      this.#read.set(place, commit);
      if (commit > before) this.#readLog(id, group, before + 1);
    }
  }

  #readLog(id: NodeId, group: number, from: number): void {
    this.#cluster.engine(id).readLog(group, from, (entries, commit) => {
      for (const entry of entries) {
        if (entry.index > commit) break;
        const place = `group ${group} entry ${entry.index}`;
        const there = this.#shown.get(place) ?? entry;
        assert.ok(isSameEntry(there, entry), `${place} of node ${id} is another one`);
        this.#shown.set(place, entry);
      }
    });
  }
}
