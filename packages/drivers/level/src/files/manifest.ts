// Which tables a LevelDB consists of, as its manifest says: a log of edits, each of which adds and removes tables.
// Others in the directory are leavings, of no account.

import { Cursor, FormatError } from './cursor.js';
import { logRecords } from './log-file.js';

/** A table by the number in its name, and its size. */
export type Tables = ReadonlyMap<number, number>;

/** The tables that are in use after every edit. Throws FormatError. */
export function tablesInUse(manifest: Uint8Array): Tables {
  const tables = new Map<number, number>();
  for (const record of logRecords(manifest)) applyEdit(tables, new Cursor(record));
  return tables;
}

/** An edit is a list of fields, removals before additions: a table may only change its level. */
function applyEdit(tables: Map<number, number>, edit: Cursor): void {
  while (!edit.isAtEnd) {
    const tag = edit.varint();
    const read = FIELDS[tag];
    if (read === undefined) throw new FormatError(`an edit has an unknown field ${tag}`);
    read(edit, tables);
  }
}

type ReadField = (edit: Cursor, tables: Map<number, number>) => void;

const skipNumber: ReadField = (edit) => edit.varint();

const FIELDS: Readonly<Record<number, ReadField>> = {
  // Name of the order of keys.
  1: (edit) => edit.sized(),
  // Numbers of the log and of the next file, the last sequence number.
  2: skipNumber,
  3: skipNumber,
  4: skipNumber,
  // Level, and the key up to which it was compacted.
  5: (edit) => {
    edit.varint();
    edit.sized();
  },
  // Level and number of a table that is not in use any more.
  6: (edit, tables) => {
    edit.varint();
    tables.delete(edit.varint());
  },
  // Level, number and size of a new one, its first and last key.
  7: (edit, tables) => {
    edit.varint();
    const number = edit.varint();
    tables.set(number, edit.varint());
    edit.sized();
    edit.sized();
  },
  // Number of the log before.
  9: skipNumber,
};
