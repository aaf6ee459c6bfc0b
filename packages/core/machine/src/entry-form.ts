// What all entries of a group's log begin with, and how the records in one follow each other: each with its length in front.

import { malformed } from './byte-reader.js';
import type { ByteWriter } from './byte-writer.js';

const ENTRY_VERSION = 2;
const KINDS = { deltas: 1, activate: 2, outcomes: 3 } as const;

export type EntryKind = keyof typeof KINDS;

/** Bytes in front of what an entry says. */
export const HEADER_BYTES = 2;

export function beginEntry(writer: ByteWriter, kind: EntryKind): void {
  writer.byte(ENTRY_VERSION);
  writer.byte(KINDS[kind]);
}

/** Throws DATA_CORRUPT for an entry of a version or kind that is not known here. */
export function kindOfEntry(entry: Uint8Array): EntryKind {
  const kind = entry[0] === ENTRY_VERSION ? entry[1] : undefined;
  if (kind === KINDS.deltas) return 'deltas';
  if (kind === KINDS.outcomes) return 'outcomes';
  if (kind === KINDS.activate) return 'activate';
  throw malformed();
}
