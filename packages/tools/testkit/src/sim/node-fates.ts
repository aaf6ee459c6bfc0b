// What has become of the nodes of a run, and what may still: which failures were asked for, whose data is damaged, and
// whether a node that is damaged does what it must. A node that fails or is refused for no reason is a defect.

import assert from 'node:assert/strict';
import type { DeltabaseError, Prng } from '@deltabase/base';
import type { NodeId } from '@deltabase/engine';
import type { Damage, FaultHost } from './faults/fault.js';

const RESTART_MS = 300;
/** For every leader to hear of a node, and to tell it what it had. */
const TOLD_MS = 3000;

export class NodeFates {
  readonly #run: FaultHost;
  readonly #chance: Prng;
  readonly #damaged = new Map<NodeId, Damage>();
  /** Nodes whose next write fails. */
  readonly #failing = new Set<NodeId>();
  /** Lives of nodes that take nothing any more. */
  readonly #draining = new Map<NodeId, number>();

  constructor(run: FaultHost) {
    this.#run = run;
    this.#chance = run.cluster.simulation.random.fork('fates');
  }

  crash(id: NodeId, inFlight: 'kept' | 'lost'): void {
    this.#failing.delete(id);
    this.#run.cluster.crash(id, inFlight);
  }

  stop(id: NodeId): void {
    this.#failing.delete(id);
    this.#run.cluster.stop(id);
  }

  drains(id: NodeId): void {
    this.#draining.set(id, this.#run.cluster.lifeOf(id));
  }

  start(id: NodeId): void {
    const { cluster, tokens } = this.#run;
    if (!cluster.isRunning(id) && !tokens.lost.has(id)) cluster.startNode(id);
  }

  expectFailure(id: NodeId): void {
    this.#failing.add(id);
  }

  get isAnyDamaged(): boolean {
    return this.#damaged.size > 0;
  }

  get isAnyRestored(): boolean {
    return [...this.#damaged.values()].includes('restored');
  }

  isDamaged(id: NodeId): boolean {
    return this.#damaged.has(id);
  }

  /**
   * A minority of the voters may lose what they had: the others still have all that was acknowledged. And of the first
   * nodes, which would begin again together if most of them had nothing. While members change nobody may.
   */
  mayDamage(id: NodeId): boolean {
    const members = this.#run.operator.settledReport?.members;
    if (this.#damaged.has(id) || members === undefined) return false;
    // It may have forgotten whom it met.
    if (this.isAnyRestored) return false;
    const record = members.find(({ node }) => node === id);
    // Nobody would know that it is another one.
    if (record !== undefined && record.incarnation === undefined) return false;
    const voters = members.filter(({ role }) => role === 'voter').map(({ node }) => node);
    return [voters, this.#run.cluster.founders].every((all) => this.#isMinority(id, all));
  }

  #isMinority(id: NodeId, all: readonly NodeId[]): boolean {
    const damaged = all.filter((one) => one === id || this.#damaged.has(one));
    return !all.includes(id) || 2 * damaged.length < all.length;
  }

  damaged(id: NodeId, damage: Damage): void {
    this.#damaged.set(id, damage);
  }

  /** A node's disk has ended it. */
  failed(id: NodeId, error: DeltabaseError | undefined): void {
    if (this.#failing.delete(id)) {
      this.#run.startLater(id, RESTART_MS, this.#chance);
      return;
    }
    this.#lose(id, error);
  }

  /** The cluster has expelled a node, and that has ended. */
  expelled(id: NodeId): void {
    const isAlone = this.#damaged.get(id) === 'alone';
    this.#run.count(
      isAlone ? 'a node without its data was expelled' : 'a removed node was expelled',
    );
  }

  /** A node does not start. */
  refused(id: NodeId, error: DeltabaseError): void {
    if (error.code === 'NODE_REMOVED' && this.#run.cluster.expulsionOf(id) !== undefined) {
      this.#run.count('an expelled node did not start');
      return;
    }
    this.#lose(id, error);
  }

  /** The run's faults are over: whoever is damaged does not come back, and must have been found out where it can be. */
  settle(): void {
    const { cluster, tokens } = this.#run;
    for (const [id, damage] of this.#damaged) {
      if (damage === 'refused' && !tokens.lost.has(id)) {
        // It has been down since.
        assert.ok(!cluster.isUp(id), `node ${id} runs on less than it acknowledged`);
      }
      if (damage === 'alone') this.#checkAlone(id);
      if (damage === 'restored') continue;
      tokens.lost.add(id);
      // One that came back under a name that is its no more: perhaps nobody knows that it is there.
      if (cluster.expulsionOf(id) !== undefined && cluster.isRunning(id)) this.crash(id, 'lost');
    }
    for (const [id, life] of this.#draining) {
      if (cluster.lifeOf(id) === life && cluster.isUp(id)) this.crash(id, 'lost');
    }
    this.#failing.clear();
  }

  /**
   * Everything is healed: a node whose data directory was put back goes on, unless one of its copies has been told that
   * it had more.
   */
  settleRestored(): void {
    const { cluster, tokens } = this.#run;
    const restored = [...this.#damaged].filter(([, damage]) => damage === 'restored');
    if (restored.length > 0) tokens.run(TOLD_MS);
    for (const [id] of restored) {
      if (!cluster.isUp(id)) continue;
      const isTold = cluster
        .engine(id)
        .positions()
        .some(({ damaged }) => damaged);
      this.#run.count(
        isTold ? 'a node with an old image took no part' : 'a node with an old image caught up',
      );
      if (!isTold) continue;
      tokens.lost.add(id);
      this.crash(id, 'lost');
    }
  }

  #lose(id: NodeId, error: DeltabaseError | undefined): void {
    const damage = this.#damaged.get(id);
    if (damage === undefined || damage === 'alone' || damage === 'restored')
      throw error ?? new Error(`node ${id} failed`);
    assert.equal(error?.code, 'DATA_CORRUPT', `node ${id}: ${error?.message}`);
    this.#run.count(
      damage === 'refused' ? 'a damaged node was refused' : 'a damaged row was found',
    );
    this.#run.tokens.lost.add(id);
  }

  /** A node without its data leads nothing, and nothing is known to it as committed. */
  #checkAlone(id: NodeId): void {
    const { cluster } = this.#run;
    if (!cluster.isUp(id)) return;
    for (const [group, { role, commit }] of cluster.engine(id).positions().entries()) {
      assert.ok(role !== 'leader' && commit === 0, `node ${id} takes part in group ${group}`);
    }
  }
}
