// Reads what a row says of a group's Raft state: for tools and checkers that look at batches as they are written.

import type { Entry, HardState } from 'raft-ts';
import { groupOfKey, indexOfEntryKey, kindOfKey, logOfEntryKey } from './keys.js';
import { decodeEntry, decodeGroupRow, decodeHardState, type GroupRow } from './rows.js';

/** A row as it is now; without its content it is gone. */
export type RaftRow =
  | {
      readonly kind: 'entry';
      readonly group: number;
      /** The number of the log that it is in. */
      readonly log: number;
      readonly index: number;
      readonly entry: Entry | undefined;
    }
  | {
      readonly kind: 'hardState';
      readonly group: number;
      readonly hardState: HardState | undefined;
    }
  | { readonly kind: 'group'; readonly group: number; readonly row: GroupRow | undefined };

/** What the row at `key` says; `undefined` for rows of other kinds. Throws DATA_CORRUPT. */
export function readRaftRow(key: Uint8Array, value: Uint8Array | undefined): RaftRow | undefined {
  const kind = kindOfKey(key);
  if (kind === 'other') return undefined;
  const group = groupOfKey(key);
  switch (kind) {
    case 'entry': {
      const index = indexOfEntryKey(key);
      const log = logOfEntryKey(key);
      return { kind, group, log, index, entry: value && decodeEntry(index, value) };
    }
    case 'hardState':
      return { kind, group, hardState: value && decodeHardState(value) };
    case 'group':
      return { kind, group, row: value && decodeGroupRow(value) };
  }
}
