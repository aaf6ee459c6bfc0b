// One session of a group: the answers that its client has not settled, and the rows they are stored in. A row
// holds answers that came one after the other; it is written while it grows, and deleted once all of them are
// settled. So a flush writes what is new, whatever the session holds already, and a row stays small enough to
// be part of a snapshot.

import { assert, DeltabaseError, pack, unpack } from '@deltabase/base';
import { decodeFirstAnswer, encodeFirstAnswer, type FirstAnswer } from './outcome.js';

/** What is known of one message. */
export interface Remembered {
  readonly answer: FirstAnswer;
  /** nameHash of the document, to notice a number that is used twice. */
  readonly document: number;
  readonly row: AnswerRow;
}

/** A stored row of answers. */
interface AnswerRow {
  /** From 1. */
  readonly part: number;
  /** Answers in it that are not forgotten, and bytes of all that were put into it. */
  count: number;
  bytes: number;
  isStored: boolean;
}

/** A row of storage: the session's own is part 0. `undefined`: it is to be deleted. */
export interface SessionRow {
  readonly part: number;
  readonly bytes: Uint8Array | undefined;
}

/** A row takes no further answer once it has so many bytes: with one large reply on top it fits a frame. */
const ROW_BYTES = 64 * 1024;
/** What an answer takes in memory beside its reply, about. */
const ANSWER_BYTES = 200;
const SESSION_VERSION = 2;
const ROW_VERSION = 1;

export class Session {
  readonly openedAt: number;
  readonly #answers = new Map<number, Remembered>();
  /** Rows to be written, or deleted if nothing is left of them. */
  #changed: Set<AnswerRow> | undefined;
  #last: AnswerRow | undefined;
  #lastPart = 0;
  #settled = 0;
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
    return this.#answers.size;
  }

  /** Bytes that they take in memory, about. */
  get bytes(): number {
    return this.#bytes;
  }

  get(number: number): Remembered | undefined {
    return this.#answers.get(number);
  }

  /** Remembers an answer. Returns false if it is known, or settled. */
  add(number: number, answer: FirstAnswer, document: number): boolean {
    if (number < this.#settled || this.#answers.has(number)) return false;
    const row = this.#rowWithRoom();
    this.#put(number, { answer, document, row });
    this.#noteChange(row);
    return true;
  }

  /** Numbers come nearly in order, so what can be forgotten stands first; a straggler goes a bit later. */
  settle(settled: number): void {
    if (settled <= this.#settled) return;
    this.#settled = settled;
    for (const [number, remembered] of this.#answers) {
      if (number >= settled) break;
      this.#answers.delete(number);
      this.#bytes -= bytesOf(remembered.answer);
      this.#forgetIn(remembered.row);
    }
  }

  /** What would stay if everything below `settled` were forgotten. */
  unsettled(settled: number): { readonly count: number; readonly bytes: number } {
    if (settled <= this.#settled) return this;
    // A full session is asked so about many messages of one frame: it counts once.
    if (this.#counted?.settled === settled) return this.#counted;
    let count = 0;
    let bytes = 0;
    for (const [number, { answer }] of this.#answers) {
      if (number < settled) continue;
      count++;
      bytes += bytesOf(answer);
    }
    this.#counted = { settled, count, bytes };
    return this.#counted;
  }

  /** What must be written since the last call. */
  takeRows(): SessionRow[] {
    const rows: SessionRow[] = [{ part: 0, bytes: this.#encode() }];
    const lists = new Map<AnswerRow, unknown[]>();
    for (const row of this.#changed ?? []) lists.set(row, []);
    this.#changed = undefined;
    if (lists.size === 0) return rows;
    for (const [number, { answer, document, row }] of this.#answers) {
      lists.get(row)?.push([number, document, encodeFirstAnswer(answer)]);
    }
    for (const [row, list] of lists) {
      const bytes = list.length > 0 ? pack([ROW_VERSION, list]).slice() : undefined;
      if (bytes !== undefined || row.isStored) rows.push({ part: row.part, bytes });
      row.isStored = bytes !== undefined;
    }
    return rows;
  }

  /** Every row that is on disk is to be deleted. */
  deleteRows(): SessionRow[] {
    const stored = new Set(this.#changed);
    for (const { row } of this.#answers.values()) stored.add(row);
    const parts = [...stored].filter(({ isStored }) => isStored).map(({ part }) => part);
    return [0, ...parts].map((part) => ({ part, bytes: undefined }));
  }

  /** Loads a stored row of answers, in the order of the parts. Throws DATA_CORRUPT for another thing. */
  load(part: number, bytes: Uint8Array): void {
    const fields = unpack(bytes);
    if (!Array.isArray(fields) || fields[0] !== ROW_VERSION) throw unknownForm();
    assert(part > this.#lastPart, 'rows are loaded in order');
    const row = { part, count: 0, bytes: 0, isStored: true };
    this.#lastPart = part;
    this.#last = row;
    for (const [number, document, answer] of fields[1]) {
      if (number < this.#settled) continue; // Settled since the row was written.
      this.#put(number, { answer: decodeFirstAnswer(answer), document, row });
    }
    // It holds nothing any more: the next flush deletes it.
    if (row.count === 0) this.#noteChange(row);
  }

  #noteChange(row: AnswerRow): void {
    this.#changed ??= new Set();
    this.#changed.add(row);
  }

  #put(number: number, remembered: Remembered): void {
    const bytes = bytesOf(remembered.answer);
    this.#answers.set(number, remembered);
    this.#bytes += bytes;
    this.#counted = undefined;
    remembered.row.count++;
    remembered.row.bytes += bytes;
  }

  #rowWithRoom(): AnswerRow {
    const last = this.#last;
    if (last !== undefined && last.count > 0 && last.bytes < ROW_BYTES) return last;
    this.#last = { part: ++this.#lastPart, count: 0, bytes: 0, isStored: false };
    return this.#last;
  }

  #forgetIn(row: AnswerRow): void {
    row.count--;
    if (row.count === 0) this.#noteChange(row);
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

function bytesOf(answer: FirstAnswer): number {
  if (answer.kind === 'failed') return ANSWER_BYTES + answer.message.length;
  return ANSWER_BYTES + (answer.reply?.length ?? 0);
}

function unknownForm(): DeltabaseError {
  return new DeltabaseError('DATA_CORRUPT', 'a stored session has an unknown version or form');
}
