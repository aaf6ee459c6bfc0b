// A document in memory: its committed state and the states proposed on top of it, oldest first. States
// share what is equal, so that each costs what its delta changed (CostIsTheDelta); readers of committed
// state never see a proposal (CommittedOnly); losing leadership forgets roots and undoes nothing.

import { assert } from '@deltabase/base';
import type { Value } from './value.js';

/** The state of a document at `seq`: the fold of its deltas 1..seq (StateIsFold). */
export interface Version {
  readonly seq: number;
  readonly root: Value;
}

/** One document: committed and proposed versions. All operations are O(1), amortised. */
export class Document {
  #committed: Version;
  /** Proposed versions from `#first` on; those before are committed and wait to be cut off. */
  #proposed: Version[] = [];
  #first = 0;

  /** A document whose committed version is `committed`, with nothing proposed. */
  constructor(committed: Version) {
    assert(Number.isSafeInteger(committed.seq) && committed.seq >= 0, 'seq counts deltas');
    this.#committed = committed;
  }

  /** The newest committed version. */
  get committed(): Version {
    return this.#committed;
  }

  /** The newest version, committed or not: what the next message starts from. */
  get proposed(): Version {
    return this.#proposed.at(-1) ?? this.#committed;
  }

  /** Versions proposed and not committed. */
  get inFlight(): number {
    return this.#proposed.length - this.#first;
  }

  /** Adds the state after one more delta; the new version, whose seq is one higher. */
  propose(root: Value): Version {
    const version: Version = { seq: this.proposed.seq + 1, root };
    this.#proposed.push(version);
    return version;
  }

  /** Commits the proposals up to `seq`, which is that of one, or of the committed version. */
  commit(seq: number): Version {
    const steps = seq - this.#committed.seq;
    assert(Number.isSafeInteger(seq) && steps >= 0, 'what is committed stays committed');
    assert(steps <= this.inFlight, 'only what was proposed is committed');
    if (steps === 0) return this.#committed;
    this.#first += steps;
    this.#committed = this.#proposed[this.#first - 1]!;
    if (this.#first * 2 >= this.#proposed.length) {
      this.#proposed = this.#proposed.slice(this.#first);
      this.#first = 0;
    }
    return this.#committed;
  }

  /** Forgets all that is not committed; how many versions that were. */
  drop(): number {
    const dropped = this.inFlight;
    this.#proposed = [];
    this.#first = 0;
    return dropped;
  }
}
