// Looks at the queues of all nodes now and then: none of them ever holds more than its limit says (docs/limits.md).

import assert from 'node:assert/strict';
import type { Limits } from '@deltabase/base';
import type { Usage } from '@deltabase/engine';
import type { Cluster } from '../cluster/cluster.js';

/** What a turn of a simulation adds at most. */
const TURN_BYTES = 96 * 1024;
/** What the documents of a run, and the newest deltas of each, take in a replica. */
const COPIES_BYTES = 512 * 1024;
/** Limits of bytes that count before what comes is added: beyond them may be so much. */
const BYTES_BEYOND: Partial<Record<keyof Limits, (limits: Limits) => number>> = {
  uncommittedBytesMax: () => TURN_BYTES,
  applyBytesMax: () => TURN_BYTES,
  // Copies that are in use grow, and are not let go of.
  residentBytesMax: () => COPIES_BYTES,
  // A chunk of a snapshot is asked for before it is known what else will wait.
  writeQueueBytesMax: ({ snapshotChunkBytesMax }) => TURN_BYTES + snapshotChunkBytesMax,
};

export class MemoryBounds {
  readonly #cluster: Cluster;
  readonly #reached: ((limit: keyof Limits) => void) | undefined;

  /** `reached` is told of each limit that a queue has come to. */
  constructor(cluster: Cluster, reached?: (limit: keyof Limits) => void) {
    this.#cluster = cluster;
    this.#reached = reached;
  }

  /** Looks every `everyMs` from now on. */
  lookEvery(everyMs: number): void {
    this.#cluster.simulation.schedule(everyMs, () => {
      for (const engine of this.#cluster.engines()) {
        const { node, limits } = engine.config;
        for (const usage of engine.usage()) this.look(`node ${node}`, usage, limits);
      }
      for (const { name, replica, limits } of this.#cluster.replicas) {
        for (const usage of replica?.usage() ?? []) this.look(`replica ${name}`, usage, limits);
      }
      this.lookEvery(everyMs);
    });
  }

  look(place: string, { limit, used, group }: Usage, limits: Limits): void {
    const most = limits[limit] + (BYTES_BEYOND[limit]?.(limits) ?? 0);
    const where = group === undefined ? place : `${place} group ${group}`;
    assert.ok(used <= most, `${where}: ${used} is more than ${limit}, ${limits[limit]}`);
    if (used > 0 && used >= limits[limit]) this.#reached?.(limit);
  }
}
