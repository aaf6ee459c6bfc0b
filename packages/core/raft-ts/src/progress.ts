// What a leader knows of one replica (Raft Figure 2, nextIndex and matchIndex) and how it sends to it:
//   probe      one append at a time, until the logs are known to agree;
//   replicate  appends in a pipeline, `next` running ahead, bounded by the window in flight;
//   snapshot   nothing, until the snapshot on its way reconnects the logs or fails.

import { assert } from './assert.js';
import { Inflights } from './inflights.js';

export type ProgressState = 'probe' | 'replicate' | 'snapshot';

export class Progress {
  readonly inflights: Inflights;
  /** The last index known to be durable there. Within a term it only grows (MatchOnlyGrows). */
  match = 0;
  /** The next index to send. */
  next: number;
  state: ProgressState = 'probe';
  /** The index of the snapshot on its way; 0 unless in state snapshot. */
  pendingSnapshot = 0;
  /** Whether it was heard of since the last check of the quorum. */
  recentActive = false;
  /** Nothing but heartbeats until something is heard: the probe is out, or the window is full. */
  paused = false;
  isLearner: boolean;
  /** It lost what it had acknowledged. It gets nothing more and counts for nothing new. */
  damaged = false;
  /** The latest round of reads it has confirmed (thesis §6.4). */
  readRound = 0;
  /** The highest commit index that it was sent. */
  #sentCommit = 0;

  constructor(next: number, isLearner: boolean, inflights: Inflights) {
    assert(next > 0, 'the next index is at least 1');
    this.next = next;
    this.isLearner = isLearner;
    this.inflights = inflights;
  }

  /** Whether appends must wait. */
  get isPaused(): boolean {
    return this.state === 'snapshot' || this.paused || this.damaged;
  }

  becomeProbe(): void {
    const pending = this.state === 'snapshot' ? this.pendingSnapshot : 0;
    this.#enter('probe');
    this.next = Math.max(this.match, pending) + 1;
    this.#sentCommit = Math.min(this.#sentCommit, this.next - 1);
  }

  becomeReplicate(): void {
    this.#enter('replicate');
    this.next = this.match + 1;
  }

  becomeSnapshot(index: number): void {
    this.#enter('snapshot');
    this.pendingSnapshot = index;
    this.next = index + 1;
    this.#sentCommit = index;
  }

  /** An append with `count` entries of `bytes` has left. */
  sentEntries(count: number, bytes: number): void {
    if (this.state === 'replicate') {
      if (count > 0) {
        this.next += count;
        this.inflights.add(this.next - 1, bytes);
      }
      this.paused = this.inflights.full;
    } else {
      assert(this.state === 'probe', 'nothing is appended while a snapshot is on its way');
      if (count > 0) this.paused = true;
    }
  }

  sentCommit(commit: number): void {
    this.#sentCommit = commit;
  }

  /** Whether an empty append would tell it of a commit index that it does not know (contract 9). */
  canBumpCommit(commit: number): boolean {
    return commit > this.#sentCommit && this.#sentCommit < this.next - 1;
  }

  /** It has acknowledged `index`. Returns whether that was news. */
  maybeUpdate(index: number): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    this.paused = false;
    return true;
  }

  /**
   * It has rejected an append behind `rejected`, and may agree at `hint`. Returns false for an answer that
   * is out of date; otherwise `next` has moved back.
   */
  maybeDecrease(rejected: number, hint: number): boolean {
    if (this.state === 'replicate') {
      if (rejected <= this.match) return false;
      this.next = this.match + 1;
    } else {
      if (this.next - 1 !== rejected) return false;
      this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
      this.paused = false;
    }
    this.#sentCommit = Math.min(this.#sentCommit, this.next - 1);
    return true;
  }

  #enter(state: ProgressState): void {
    this.state = state;
    this.paused = false;
    this.pendingSnapshot = 0;
    this.inflights.reset();
  }
}

/** Makes the progress of a replica of which nothing is known but where to begin. */
export function makeProgress(
  next: number,
  isLearner: boolean,
  limits: { readonly messagesMax: number; readonly bytesMax: number },
): Progress {
  return new Progress(next, isLearner, new Inflights(limits.messagesMax, limits.bytesMax));
}
