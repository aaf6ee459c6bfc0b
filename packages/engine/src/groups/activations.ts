// How a deployed version becomes the active one of a group: its leader proposes an entry that says so. Messages
// executed after that run on it, as documents are read with what was proposed so far: so every message runs on
// the version that its place in the log says.

import { encodeActivate } from '@deltabase/machine';
import type { RawNode } from 'raft-ts';

/** Versions of machines, by their spaces. */
export type Versions = readonly { readonly space: string; readonly version: number }[];

export class Activations {
  readonly #node: Pick<RawNode, 'canPropose' | 'propose'>;
  readonly #applied: (space: string) => number | undefined;
  /** Proposed by the present leadership; many of them are applied by now. */
  #proposed = new Map<string, number>();
  /** The versions that are all proposed or active. */
  #done: Versions | undefined;

  /** `applied` tells the active version of a space by what is applied. */
  constructor(
    node: Pick<RawNode, 'canPropose' | 'propose'>,
    applied: (space: string) => number | undefined,
  ) {
    this.#node = node;
    this.#applied = applied;
  }

  /** The active version of a space, as proposed so far; `undefined`: none. */
  activeVersion(space: string): number | undefined {
    return this.#proposed.get(space) ?? this.#applied(space);
  }

  /** What was proposed before may be lost. */
  leadershipChanged(): void {
    this.#proposed = new Map();
    this.#done = undefined;
  }

  /** Proposes versions that are newer than the active ones. Returns whether there were any. */
  propose(latest: Versions): boolean {
    if (latest === this.#done) return false;
    let isNew = false;
    for (const { space, version } of latest) {
      if (version <= (this.activeVersion(space) ?? 0)) continue;
      const entry = encodeActivate(space, version);
      if (!this.#node.canPropose(entry.length)) return isNew;
      this.#node.propose(entry);
      this.#proposed.set(space, version);
      isNew = true;
    }
    this.#done = latest;
    return isNew;
  }
}
