// Looks at all nodes of a simulated cluster now and then for what Raft promises: one leader in a term, committed
// entries that are the same everywhere and for ever, commit indices that never go back in a life.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { NodeId } from '@deltabase/engine';
import type { Cluster } from '../cluster/cluster.js';

export class RaftWitness {
  readonly #cluster: Cluster;
  /** By group and term. */
  readonly #leaders = new Map<string, NodeId>();
  /** By group and index. */
  readonly #committed = new Map<string, string>();
  /** By node, life and group. */
  readonly #commits = new Map<string, number>();

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
    const engine = this.#cluster.engine(id);
    for (const { group, role, term, commit } of engine.status().groups) {
      if (role === 'leader') this.#leads(id, `group ${group} term ${term}`);
      const place = `node ${id} life ${this.#cluster.lifeOf(id)} group ${group}`;
      const before = this.#commits.get(place) ?? 0;
      assert.ok(commit >= before, `${place}: the commit index went from ${before} to ${commit}`);
      this.#commits.set(place, commit);
      if (commit > before) this.#readLog(id, group, before + 1);
    }
  }

  #leads(id: NodeId, term: string): void {
    const other = this.#leaders.get(term);
    assert.ok(other === undefined || other === id, `${other} and ${id} lead in ${term}`);
    this.#leaders.set(term, id);
  }

  #readLog(id: NodeId, group: number, from: number): void {
    this.#cluster.engine(id).readLog(group, from, (entries, commit) => {
      for (const { index, term, data } of entries) {
        if (index > commit) break;
        const place = `group ${group} entry ${index}`;
        const hash = `${term} ${createHash('sha256').update(data).digest('hex')}`;
        const there = this.#committed.get(place);
        assert.ok(there === undefined || there === hash, `${place} of node ${id} is another one`);
        this.#committed.set(place, hash);
      }
    });
  }
}
