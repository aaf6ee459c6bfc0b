// The layout of a node's database. One letter says what a row is; numbers are big-endian, so rows lie in
// order. All that a group's state machine holds lies under one prefix with a generation: a snapshot from the
// leader is received under the next generation while the present one serves, and one row (the group row)
// switches over (docs/raft.md, pitfall 24). So do logs: a recovery makes one beside that in use, under the next number,
// and the group row says which counts. The upper 11 bits of an entry's index are that number; the first log has number 0.
//
//   N                                    node row: format, cluster, identity
//   P node                               incarnation of a peer
//   L                                    recovery row: the lost quorum that this directory was recovered from
//   G group                              group row: generation, number of the log, flushed index and term, configuration, time
//   H group                              hard state
//   E group number·index                 log entry
//   R group generation A space           active version of a space's machine
//   R group generation D name 0 seq no   piece of a document's snapshot taken at seq
//   R group generation D name 1 seq      chunk of deltas that begins at seq
//   R group generation S session part    session: itself (part 0), then rows of its answers
//
// A name is the space and the key, each with its length in front; so is a session's.

import { assert, DeltabaseError, decodeUtf8, encodeUtf8 } from '@deltabase/base';

const NODE = 0x4e;
const PEER = 0x50;
const GROUP = 0x47;
const HARD_STATE = 0x48;
const LOST_QUORUM = 0x4c;
const ENTRY = 0x45;
const ROWS = 0x52;
const ACTIVE = 0x41;
const DOCUMENT = 0x44;
const SESSION = 0x53;

const KIND_PIECE = 0;
const KIND_CHUNK = 1;

/** Of an index's upper half; the number of the log is above. */
const INDEX_HIGH_BITS = 21;

/** Numbers of logs are below this. */
export const LOGS_MAX = 2 ** (32 - INDEX_HIGH_BITS);

export const NODE_KEY = Uint8Array.of(NODE);

export const RECOVERY_KEY = Uint8Array.of(LOST_QUORUM);

/** A range of keys: `[start, end)`. */
export interface KeyRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
}

/** The log entries of all groups. */
export const ALL_ENTRIES: KeyRange = { start: Uint8Array.of(ENTRY), end: Uint8Array.of(ENTRY + 1) };

/** Every row of a node. */
export const ALL_ROWS: KeyRange = { start: Uint8Array.of(ENTRY), end: Uint8Array.of(ROWS + 1) };

export function peerKey(node: number): Uint8Array {
  return tagged(PEER, node);
}

export function peerRange(): KeyRange {
  return { start: Uint8Array.of(PEER), end: Uint8Array.of(PEER + 1) };
}

export function nodeOfPeerKey(key: Uint8Array): number {
  return readUint32(key, 1);
}

export function groupKey(group: number): Uint8Array {
  return tagged(GROUP, group);
}

export function hardStateKey(group: number): Uint8Array {
  return tagged(HARD_STATE, group);
}

/** Of the log with this number. */
export function entryKey(group: number, index: number, log = 0): Uint8Array {
  assert(log >= 0 && log < LOGS_MAX, 'a directory is recovered some two thousand times at most');
  const key = new Uint8Array(13);
  key[0] = ENTRY;
  writeUint32(key, 1, group);
  writeUint64(key, 5, index);
  // An index has 53 bits.
  key[5] = log >>> 3;
  key[6] = key[6]! | ((log & 7) << 5);
  return key;
}

/** The entries of `group` with index in `[from, to)`, in the log with this number. */
export function entryRange(group: number, from: number, to: number, log = 0): KeyRange {
  return { start: entryKey(group, from, log), end: entryKey(group, to, log) };
}

/** The entries of a group in the logs with numbers in `[from, to)`. */
export function logsRange(group: number, from: number, to: number): KeyRange {
  const end = to === LOGS_MAX ? tagged(ENTRY, group + 1) : entryKey(group, 0, to);
  return { start: entryKey(group, 0, from), end };
}

/** What a row of Raft's is; `other` for all others. */
export function kindOfKey(key: Uint8Array): 'entry' | 'hardState' | 'group' | 'other' {
  if (key[0] === ENTRY) return 'entry';
  if (key[0] === HARD_STATE) return 'hardState';
  return key[0] === GROUP ? 'group' : 'other';
}

/** The group in the key of an entry, a hard state or a group row. */
export function groupOfKey(key: Uint8Array): number {
  return readUint32(key, 1);
}

export function indexOfEntryKey(key: Uint8Array): number {
  return (readUint32(key, 5) & (2 ** INDEX_HIGH_BITS - 1)) * 2 ** 32 + readUint32(key, 9);
}

/** The number of the log that an entry is in. */
export function logOfEntryKey(key: Uint8Array): number {
  return readUint32(key, 5) >>> INDEX_HIGH_BITS;
}

/** The generation that a group begins with: there are no rows of earlier ones. */
export const FIRST_GENERATION = 1;

/** Everything of the generations `[from, to)` of a group's state machine. */
export function rowsRange(group: number, from: number, to: number): KeyRange {
  return { start: rowsPrefix(group, from), end: rowsPrefix(group, to) };
}

/** The generation of a row of a group's state machine. */
export function generationOfRow(key: Uint8Array): number {
  return readUint32(key, 5);
}

/** The key of a state machine's row without its group and generation: what a snapshot carries. */
export function rowSuffix(key: Uint8Array): Uint8Array {
  return key.subarray(ROWS_PREFIX_BYTES);
}

export function rowKey(group: number, generation: number, suffix: Uint8Array): Uint8Array {
  return concat(rowsPrefix(group, generation), suffix);
}

export function activeKey(group: number, generation: number, space: string): Uint8Array {
  return concat(rowsPrefix(group, generation), Uint8Array.of(ACTIVE), encodeUtf8(space));
}

export function activeRange(group: number, generation: number): KeyRange {
  return kindRange(group, generation, ACTIVE);
}

/** `part` 0: the session itself; the rows of its answers come behind it. */
export function sessionKey(group: number, generation: number, name: string, part = 0): Uint8Array {
  const nameBytes = encodeUtf8(name);
  assert(nameBytes.length < 2 ** 8, 'names of sessions are short');
  const tail = new Uint8Array(6 + nameBytes.length);
  tail[0] = SESSION;
  tail[1] = nameBytes.length;
  tail.set(nameBytes, 2);
  writeUint32(tail, tail.length - 4, part);
  return concat(rowsPrefix(group, generation), tail);
}

export function sessionRange(group: number, generation: number): KeyRange {
  return kindRange(group, generation, SESSION);
}

/** The name and the part in a key of `sessionKey`. Throws DATA_CORRUPT for a key of another form. */
export function placeOfSession(key: Uint8Array): { readonly name: string; readonly part: number } {
  const start = ROWS_PREFIX_BYTES + 2;
  const end = start + (key[start - 1] ?? 0);
  const name = end + 4 === key.length ? decodeUtf8(key, start, end) : undefined;
  if (name !== undefined) return { name, part: readUint32(key, end) };
  throw new DeltabaseError(
    'DATA_CORRUPT',
    'the key of a stored session has an unknown form: another release may have written it',
  );
}

/** The space in a key of `activeKey`. */
export function spaceOfKey(key: Uint8Array): string {
  const name = decodeUtf8(key, ROWS_PREFIX_BYTES + 1, key.length);
  assert(name !== undefined, 'names in keys are UTF-8');
  return name;
}

/** What all rows of a document begin with. */
export function documentPrefix(
  group: number,
  generation: number,
  space: string,
  key: string,
): Uint8Array {
  const spaceBytes = encodeUtf8(space);
  const keyBytes = encodeUtf8(key);
  assert(spaceBytes.length < 2 ** 8 && keyBytes.length < 2 ** 16, 'names are short');
  const name = new Uint8Array(3 + spaceBytes.length + keyBytes.length);
  name[0] = spaceBytes.length;
  name.set(spaceBytes, 1);
  name[1 + spaceBytes.length] = keyBytes.length >>> 8;
  name[2 + spaceBytes.length] = keyBytes.length;
  name.set(keyBytes, 3 + spaceBytes.length);
  return concat(rowsPrefix(group, generation), Uint8Array.of(DOCUMENT), name);
}

/** The pieces of a document's snapshots at seqs in `[from, to)`. */
/** All rows of a document: the pieces of its snapshots, then the chunks of its history. */
export function documentRange(prefix: Uint8Array): KeyRange {
  const { start } = piecesRange(prefix, 0, 0);
  return { start, end: chunksRange(prefix, 0, Number.MAX_SAFE_INTEGER).end };
}

/** Whether the key of a row of the document is that of a chunk. */
export function isChunkKey(prefix: Uint8Array, key: Uint8Array): boolean {
  return key[prefix.length] === KIND_CHUNK;
}

export function piecesRange(prefix: Uint8Array, from: number, to: number): KeyRange {
  return { start: pieceKey(prefix, from, 0), end: pieceKey(prefix, to, 0) };
}

export function pieceKey(prefix: Uint8Array, seq: number, number: number): Uint8Array {
  const key = new Uint8Array(prefix.length + 13);
  key.set(prefix);
  key[prefix.length] = KIND_PIECE;
  writeUint64(key, prefix.length + 1, seq);
  writeUint32(key, prefix.length + 9, number);
  return key;
}

/** The seq and the number in a key of `pieceKey`. */
export function placeOfPiece(key: Uint8Array): { readonly seq: number; readonly number: number } {
  return { seq: readUint64(key, key.length - 12), number: readUint32(key, key.length - 4) };
}

/** The chunks of a document that begin at seqs in `[from, to)`. */
export function chunksRange(prefix: Uint8Array, from: number, to: number): KeyRange {
  return { start: chunkKey(prefix, from), end: chunkKey(prefix, to) };
}

export function chunkKey(prefix: Uint8Array, firstSeq: number): Uint8Array {
  const key = new Uint8Array(prefix.length + 9);
  key.set(prefix);
  key[prefix.length] = KIND_CHUNK;
  writeUint64(key, prefix.length + 1, firstSeq);
  return key;
}

/** The seq in a key of `chunkKey`. */
export function firstSeqOfChunk(key: Uint8Array): number {
  return readUint64(key, key.length - 8);
}

/** The first key behind `key`. */
export function keyAfter(key: Uint8Array): Uint8Array {
  return concat(key, Uint8Array.of(0));
}

const ROWS_PREFIX_BYTES = 9;

function rowsPrefix(group: number, generation: number): Uint8Array {
  const key = new Uint8Array(ROWS_PREFIX_BYTES);
  key[0] = ROWS;
  writeUint32(key, 1, group);
  writeUint32(key, 5, generation);
  return key;
}

function kindRange(group: number, generation: number, kind: number): KeyRange {
  const prefix = rowsPrefix(group, generation);
  return {
    start: concat(prefix, Uint8Array.of(kind)),
    end: concat(prefix, Uint8Array.of(kind + 1)),
  };
}

function tagged(tag: number, value: number): Uint8Array {
  const key = new Uint8Array(5);
  key[0] = tag;
  writeUint32(key, 1, value);
  return key;
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  assert(value >= 0 && value < 2 ** 32, 'groups, generations and nodes have 32 bits');
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}

function writeUint64(bytes: Uint8Array, at: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, 'seqs and indices are whole numbers');
  writeUint32(bytes, at, Math.floor(value / 2 ** 32));
  writeUint32(bytes, at + 4, value >>> 0);
}

function readUint64(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at) * 2 ** 32 + readUint32(bytes, at + 4);
}
