// A document in memory: its committed state and the states proposed on top of it, oldest first. States
// share what is equal, so that each costs what its delta changed (CostIsTheDelta); readers of committed
// state never see a proposal (CommittedOnly); losing leadership forgets roots and undoes nothing.
// Of the states that one entry makes only the last is kept: entries are committed whole, and the others
// would be garbage that has grown old, which costs far more to find than garbage that dies young.

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
  #committedSeq: number;
  /** The last version of each entry, from `#first` on; those before are committed and wait to be cut off. */
  #proposed: Array<Version | undefined> = [];
  #first = 0;
  /** Whether the next proposal belongs to the entry of the last one. */
  #isOpen = false;

  /** A document whose committed version is `committed`, with nothing proposed. */
  constructor(committed: Version) {
    assert(Number.isSafeInteger(committed.seq) && committed.seq >= 0, 'seq counts deltas');
    this.#committed = committed;
    this.#committedSeq = committed.seq;
  }

  /** The newest version whose entry is committed. */
  get committed(): Version {
    return this.#committed;
  }

  /** Deltas committed: more than `committed.seq` only while those of an entry are committed one by one. */
  get committedSeq(): number {
    return this.#committedSeq;
  }

  /** The newest version, committed or not: what the next message starts from. */
  get proposed(): Version {
    return this.#proposed.at(-1) ?? this.#committed;
  }

  /** Deltas proposed and not committed. */
  get inFlight(): number {
    return this.proposed.seq - this.#committedSeq;
  }

  /** Adds the state after one more delta; the new version, whose seq is one higher. */
  propose(root: Value): Version {
    const version: Version = { seq: this.proposed.seq + 1, root };
    if (this.#isOpen) this.#proposed[this.#proposed.length - 1] = version;
    else this.#proposed.push(version);
    this.#isOpen = true;
    return version;
  }

  /** What was proposed since the last call is an entry: it will be committed whole, or not at all. */
  endEntry(): void {
    this.#isOpen = false;
  }

  /** Commits the proposals up to `seq`, which is that of one, or committed already. */
  commit(seq: number): void {
    assert(Number.isSafeInteger(seq) && seq >= this.#committedSeq, 'what is committed stays so');
    assert(seq <= this.proposed.seq, 'only what was proposed is committed');
    this.#committedSeq = seq;
    const next = this.#proposed[this.#first];
    if (next === undefined || next.seq > seq) return;
    this.#advance(seq);
  }

  /** Forgets all that is not committed; how many deltas that were. */
  drop(): number {
    assert(this.#committed.seq === this.#committedSeq, 'an entry is committed whole');
    const dropped = this.inFlight;
    this.#proposed = [];
    this.#first = 0;
    this.#isOpen = false;
    return dropped;
  }

  /** The last version up to `seq` becomes the committed one. */
  #advance(seq: number): void {
    for (;;) {
      const version = this.#proposed[this.#first];
      if (version === undefined || version.seq > seq) break;
      this.#committed = version;
      this.#proposed[this.#first++] = undefined;
    }
    if (this.#first === this.#proposed.length) this.#isOpen = false;
    if (this.#first * 2 < this.#proposed.length) return;
    this.#proposed = this.#proposed.slice(this.#first);
    this.#first = 0;
  }
}
