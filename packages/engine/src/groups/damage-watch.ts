// Tells operators of copies of a group that have lost what they had acknowledged: they take no part any more, so the
// group is one failure nearer to its end, and nothing but a person can change that.

import type { Status } from 'raft-ts';
import type { Log, NodeId } from '../ports.js';

export interface DamageWatchHost {
  readonly log: Log;
  /** This node's copy is one of them. */
  copyDamaged(): void;
}

export class DamageWatch {
  readonly #group: number;
  readonly #host: DamageWatchHost;
  /** Copies that the log has named. */
  #told: ReadonlySet<NodeId> = new Set();

  constructor(group: number, host: DamageWatchHost) {
    this.#group = group;
    this.#host = host;
  }

  /** Looks at what this node knows: of its own copy, and of the others while it leads. */
  look({ id, damaged, progress }: Status): void {
    const found = new Set(progress.filter((peer) => peer.damaged).map((peer) => peer.id));
    if (damaged) found.add(id);
    if (damaged && !this.#told.has(id)) this.#host.copyDamaged();
    for (const node of found) {
      if (!this.#told.has(node)) this.#tell(node);
    }
    this.#told = found;
  }

  #tell(node: NodeId): void {
    this.#host.log.error('copy-damaged', {
      group: this.#group,
      damagedNode: node,
      reason:
        'it has lost entries that it had acknowledged, and takes no part: see docs/operations.md',
    });
  }
}
