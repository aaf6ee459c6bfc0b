// The newest deltas of a live copy, as many as some bytes hold: whoever lags by less needs nothing from elsewhere.

import { assert } from '@deltabase/base';
import type { TailDelta } from '../documents/tail.js';

/** What one takes beside its bytes. */
const OVERHEAD_BYTES = 200;

export class RecentDeltas {
  readonly #bytesMax: number;
  #deltas: TailDelta[] = [];
  /** Where the oldest is in `#deltas`; those before it are gone. */
  #first = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes of memory, about. */
  get bytes(): number {
    return this.#bytes;
  }

  find(seq: number): TailDelta | undefined {
    const oldest = this.#deltas[this.#first];
    if (oldest === undefined || seq < oldest.seq) return undefined;
    return this.#deltas[this.#first + seq - oldest.seq];
  }

  /** Adds the delta behind the newest one. */
  push(delta: TailDelta): void {
    const newest = this.#deltas.at(-1);
    assert(
      this.#first === this.#deltas.length || newest?.seq === delta.seq - 1,
      'recent deltas have no gap (CommittedOnly)',
    );
    this.#deltas.push(delta);
    this.#bytes += bytesOf(delta);
    while (this.#bytes > this.#bytesMax && this.#first < this.#deltas.length - 1) this.#drop();
  }

  clear(): void {
    this.#deltas = [];
    this.#first = 0;
    this.#bytes = 0;
  }

  #drop(): void {
    this.#bytes -= bytesOf(this.#deltas[this.#first]!);
    this.#first++;
    if (2 * this.#first < this.#deltas.length) return;
    this.#deltas = this.#deltas.slice(this.#first);
    this.#first = 0;
  }
}

function bytesOf({ bytes }: TailDelta): number {
  return bytes.length + OVERHEAD_BYTES;
}
