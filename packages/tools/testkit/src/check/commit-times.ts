// When each seq of each document was committed, in virtual time: what whoever asks for something fresh must be shown.

import { decodeCommand, decodeHead } from '@deltabase/machine';
import type { Entry } from 'raft-ts';

export class CommitTimes {
  readonly #nowMs: () => number;
  /** By document; the first is of seq 1. They never go down. */
  readonly #times = new Map<string, number[]>();
  /** Entries that were looked at, by group. */
  readonly #seen: number[] = [];

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Everything of a group that is committed by now; `undefined`: nobody has the entry any more. */
  committed(group: number, entries: ReadonlyArray<Entry | undefined>): void {
    for (let at = this.#seen[group] ?? 0; at < entries.length; at++) this.#note(entries[at]);
    this.#seen[group] = entries.length;
  }

  /** The last seq of a document that is known to have been committed before a moment. */
  seqBefore(space: string, key: string, ms: number): number {
    const times = this.#times.get(`${space}/${key}`) ?? [];
    let [low, high] = [0, times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle]! < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #note(entry: Entry | undefined): void {
    if (entry === undefined || entry.type !== 'normal' || entry.data.length === 0) return;
    const { data } = entry;
    const command = decodeCommand(data);
    if (command.kind !== 'deltas') return;
    for (const offset of command.offsets) {
      const { space, key, seq } = decodeHead(data, offset);
      this.#reached(`${space}/${key}`, seq);
    }
  }

  /** Those before it that were not seen were committed by now, too. */
  #reached(document: string, seq: number): void {
    let times = this.#times.get(document);
    if (times === undefined) {
      times = [];
      this.#times.set(document, times);
    }
    while (times.length < seq) times.push(this.#nowMs());
  }
}
