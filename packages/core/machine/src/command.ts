// What one Raft entry of a group says: a batch of delta records (all of one turn), how messages ended that left
// no delta, or that a version of a machine is active from here on. Version byte first; golden bytes in tests.

import { assert } from '@deltabase/base';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { beginEntry, HEADER_BYTES, kindOfEntry } from './entry-form.js';

/** A decoded entry. `offsets` says where its records are: `recordAt`, `outcomeAt`. */
export type Command =
  | { readonly kind: 'deltas'; readonly offsets: readonly number[] }
  | { readonly kind: 'outcomes'; readonly offsets: readonly number[] }
  | { readonly kind: 'activate'; readonly space: string; readonly version: number };

/** The bytes of an entry with encoded outcome records, one at least. */
export function encodeOutcomes(records: readonly Uint8Array[]): Uint8Array {
  assert(records.length > 0, 'an entry holds at least one record');
  const writer = new ByteWriter(4096);
  beginEntry(writer, 'outcomes');
  for (const record of records) writer.bytes(record);
  return writer.slice(0, writer.at);
}

/** The outcome record at `offset` of an entry; it shares the entry's buffer. */
export function outcomeAt(entry: Uint8Array, offset: number): Uint8Array {
  READER.begin(entry, offset, entry.length);
  return READER.view();
}

/** The bytes of an entry that makes `version` of the machine of `space` the active one. */
export function encodeActivate(space: string, version: number): Uint8Array {
  assert(version >= 1, 'versions are counted from 1');
  const writer = new ByteWriter(128);
  beginEntry(writer, 'activate');
  writer.number(version);
  writer.text(space);
  return writer.slice(0, writer.at);
}

/** The command in an entry's bytes. Throws DATA_CORRUPT if they are malformed. */
export function decodeCommand(entry: Uint8Array): Command {
  const kind = kindOfEntry(entry);
  const reader = READER;
  reader.begin(entry, HEADER_BYTES, entry.length);
  if (kind !== 'activate') return { kind, offsets: offsetsOf(reader) };
  const version = reader.number();
  const space = reader.text();
  reader.finish();
  return { kind, space, version };
}

const READER = new ByteReader();

function offsetsOf(reader: ByteReader): number[] {
  const offsets = [];
  do {
    offsets.push(reader.at);
    reader.skipBytes();
  } while (reader.at < reader.end);
  return offsets;
}
