// One session of a group: the answers that its client has not settled, in the rows that they are stored in. A row
// is written while it grows, and deleted once all of it is settled. So a flush writes what is new, whatever the
// session holds already, and a row stays small enough to be part of a snapshot.

import { assert, DeltabaseError, pack, unpack } from '@deltabase/base';
import { AnswerRow, type KeptAnswer, type Remembered } from './answer-row.js';
import { decodeFirstAnswer } from './outcome.js';

/** A row of storage: the session's own is part 0. `undefined`: it is to be deleted. */
export interface SessionRow {
  readonly part: number;
  readonly bytes: Uint8Array | undefined;
}

/** A row takes no further answer while it has so many bytes: with one large reply on top it fits a frame. */
const ROW_BYTES = 64 * 1024;
/** Neighbours with less together are one: what a client leaves unsettled here and there makes few rows. */
const MERGED_BYTES = ROW_BYTES / 2;
const SESSION_VERSION = 2;
const ROW_VERSION = 1;

export class Session {
  readonly openedAt: number;
  /** Those that hold something, oldest first. */
  #rows: AnswerRow[] = [];
  /** Rows to be written, or deleted if nothing is left of them. */
  #changed: Set<AnswerRow> | undefined;
  #lastPart = 0;
  #settled = 0;
  #count = 0;
  #bytes = 0;
  /** The latest result of `unsettled`. */
  #counted:
    | { readonly settled: number; readonly count: number; readonly bytes: number }
    | undefined;

  constructor(openedAt: number) {
    this.openedAt = openedAt;
  }

  /** Every number below has its answer or was given up. */
  get settled(): number {
    return this.#settled;
  }

  /** Answers that are remembered. */
  get count(): number {
    return this.#count;
  }

  /** Bytes that they take in memory, about. */
  get bytes(): number {
    return this.#bytes;
  }

  has(number: number): boolean {
    for (const row of this.#rows) if (row.has(number)) return true;
    return false;
  }

  get(number: number): Remembered | undefined {
    for (const row of this.#rows) {
      const remembered = row.get(number);
      if (remembered !== undefined) return remembered;
    }
    return undefined;
  }

  /** Remembers an answer. Returns false if it is known, or settled. */
  add(number: number, answer: KeptAnswer, document: number): boolean {
    if (number < this.#settled || this.has(number)) return false;
    const row = this.#rowWithRoom();
    this.#put(row, number, answer, document);
    this.#noteChange(row);
    return true;
  }

  /** Forgets the answers below `settled`. */
  settle(settled: number): void {
    if (settled <= this.#settled) return;
    this.#settled = settled;
    let isEmpty = false;
    let before: AnswerRow | undefined;
    for (const row of this.#rows) {
      const { count, bytes } = row;
      if (row.settle(settled)) {
        this.#count -= count - row.count;
        this.#bytes -= bytes - row.bytes;
        if (row.count === 0) this.#noteChange(row);
      }
      if (row.count > 0 && before !== undefined && before.bytes + row.bytes < MERGED_BYTES) {
        before.merge(row);
        this.#noteChange(before);
        this.#noteChange(row);
      }
      if (row.count === 0) isEmpty = true;
      else before = row;
    }
    if (isEmpty) this.#rows = this.#rows.filter(({ count }) => count > 0);
  }

  /** What would stay if everything below `settled` were forgotten. */
  unsettled(settled: number): { readonly count: number; readonly bytes: number } {
    if (settled <= this.#settled) return this;
    // A full session is asked so about many messages of one frame: it counts once.
    if (this.#counted?.settled === settled) return this.#counted;
    let count = 0;
    let bytes = 0;
    for (const row of this.#rows) {
      const left = row.unsettled(settled);
      count += left.count;
      bytes += left.bytes;
    }
    this.#counted = { settled, count, bytes };
    return this.#counted;
  }

  /** What must be written since the last call. */
  takeRows(): SessionRow[] {
    const rows: SessionRow[] = [{ part: 0, bytes: this.#encode() }];
    for (const row of this.#changed ?? []) {
      const bytes = row.count > 0 ? pack([ROW_VERSION, row.list()]).slice() : undefined;
      if (bytes !== undefined || row.isStored) rows.push({ part: row.part, bytes });
      row.isStored = bytes !== undefined;
    }
    this.#changed = undefined;
    return rows;
  }

  /** Every row that is on disk is to be deleted. */
  deleteRows(): SessionRow[] {
    const all = new Set([...this.#rows, ...(this.#changed ?? [])]);
    const parts = [...all].filter(({ isStored }) => isStored).map(({ part }) => part);
    return [0, ...parts].map((part) => ({ part, bytes: undefined }));
  }

  /** Loads a stored row of answers, in the order of the parts. Throws DATA_CORRUPT for another thing. */
  load(part: number, bytes: Uint8Array): void {
    const fields = unpack(bytes);
    if (!Array.isArray(fields) || fields[0] !== ROW_VERSION) throw unknownForm();
    assert(part > this.#lastPart, 'rows are loaded in order');
    this.#lastPart = part;
    const row = new AnswerRow(part, true);
    for (const [number, document, answer] of fields[1]) {
      if (number < this.#settled) continue; // Settled since the row was written.
      this.#put(row, number, decodeFirstAnswer(answer), document);
    }
    if (row.count > 0) this.#rows.push(row);
    // It holds nothing any more: the next flush deletes it.
    else this.#noteChange(row);
  }

  #noteChange(row: AnswerRow): void {
    this.#changed ??= new Set();
    this.#changed.add(row);
  }

  #put(row: AnswerRow, number: number, answer: KeptAnswer, document: number): void {
    const before = row.bytes;
    row.put(number, answer, document);
    this.#count++;
    this.#bytes += row.bytes - before;
    this.#counted = undefined;
  }

  #rowWithRoom(): AnswerRow {
    const last = this.#rows.at(-1);
    if (last !== undefined && last.bytes < ROW_BYTES) return last;
    const row = new AnswerRow(++this.#lastPart, false);
    this.#rows.push(row);
    return row;
  }

  #encode(): Uint8Array {
    return pack([SESSION_VERSION, this.openedAt, this.#settled]).slice();
  }
}

/** The session in the row of part 0. Throws DATA_CORRUPT for another thing. */
export function decodeSession(bytes: Uint8Array): Session {
  const fields = unpack(bytes);
  if (!Array.isArray(fields) || fields[0] !== SESSION_VERSION) throw unknownForm();
  const session = new Session(fields[1]);
  session.settle(fields[2]);
  return session;
}

function unknownForm(): DeltabaseError {
  return new DeltabaseError('DATA_CORRUPT', 'a stored session has an unknown version or form');
}
