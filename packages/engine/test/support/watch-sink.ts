// Sinks of watches: one that takes as much as a test allows and keeps what it got, and one that keeps nothing.

import { hashText } from '@deltabase/delta';
import type { TailDelta } from '../../src/documents/tail.js';
import type { Failure } from '../../src/results.js';
import type { ComposedDelta } from '../../src/streams/composed-delta.js';
import type { Watch, WatchSink } from '../../src/streams/watcher.js';
import { WholeState } from './whole-state.js';

/** Takes everything and keeps nothing: a test says instead what it looks at. */
export const IGNORING_SINK: WatchSink = {
  ready: true,
  idle: true,
  state() {},
  delta() {},
  composed() {},
  progress() {},
  flush() {},
  end() {},
};

export class KeepingSink implements WatchSink {
  /** How many things more it takes. */
  room = Number.POSITIVE_INFINITY;
  /** Whole states by their seq, deltas, and steps of several: `state 3`, `4`, `4-7`. */
  readonly got: string[] = [];
  ended: Failure | undefined;
  /** What it is the sink of. */
  watch: Watch | undefined;
  readonly #state = new WholeState();

  get ready(): boolean {
    return this.room > 0;
  }

  get idle(): boolean {
    return this.room > 0;
  }

  state(seq: number, piece: Uint8Array, hash: string | undefined): void {
    this.room--;
    const root = this.#state.add(piece, hash);
    if (root === undefined) return;
    const isRight = hashText(root) === hash;
    this.got.push(isRight ? `state ${seq}` : `state ${seq} of another hash`);
  }

  delta({ seq }: TailDelta): void {
    this.room--;
    this.got.push(String(seq));
  }

  composed({ fromSeq, seq }: ComposedDelta): void {
    this.room--;
    this.got.push(`${fromSeq}-${seq}`);
  }

  progress(): void {
    throw new Error('only views give marks');
  }

  flush(): void {}

  end(why: Failure): void {
    this.ended = why;
  }
}
