// The layout of a node's database. One letter says what a row is; numbers are big-endian, so rows lie in
// order. All that a group's state machine holds (documents, sessions) lies under one prefix with a
// generation: a snapshot from the leader is received under the next generation while the present one
// serves, and one row (the group row) switches over (RAFT.md pitfall 24).
//
//   N                                    node row: format, cluster, identity
//   P node                               incarnation of a peer
//   G group                              group row: generation, flushed index and term, configuration, ...
//   H group                              hard state
//   E group index                        log entry
//   R group generation D name seq 0 no   piece of a document's snapshot taken at seq
//   R group generation D name seq 1      chunk of deltas that begins at seq
//   R group generation S session         session
//
// A name is the space and the key, each with its length in front.

import { assert, decodeUtf8, encodeUtf8 } from '@deltabase/base';

const NODE = 0x4e;
const PEER = 0x50;
const GROUP = 0x47;
const HARD_STATE = 0x48;
const ENTRY = 0x45;
const ROWS = 0x52;
const DOCUMENT = 0x44;
const SESSION = 0x53;

const KIND_PIECE = 0;
const KIND_CHUNK = 1;

export const NODE_KEY = Uint8Array.of(NODE);

/** A range of keys: `[start, end)`. */
export interface KeyRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
}

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

export function entryKey(group: number, index: number): Uint8Array {
  const key = new Uint8Array(13);
  key[0] = ENTRY;
  writeUint32(key, 1, group);
  writeUint64(key, 5, index);
  return key;
}

/** The entries of `group` with index in `[from, to)`. */
export function entryRange(group: number, from: number, to: number): KeyRange {
  return { start: entryKey(group, from), end: entryKey(group, to) };
}

export function indexOfEntryKey(key: Uint8Array): number {
  return readUint64(key, 5);
}

/** Everything of one generation of a group's state machine. */
export function rowsRange(group: number, generation: number): KeyRange {
  return { start: rowsPrefix(group, generation), end: rowsPrefix(group, generation + 1) };
}

/** The key of a state machine's row without its group and generation: what a snapshot carries. */
export function rowSuffix(key: Uint8Array): Uint8Array {
  return key.subarray(ROWS_PREFIX_BYTES);
}

export function rowKey(group: number, generation: number, suffix: Uint8Array): Uint8Array {
  return concat(rowsPrefix(group, generation), suffix);
}

export function sessionKey(group: number, generation: number, name: string): Uint8Array {
  return concat(rowsPrefix(group, generation), Uint8Array.of(SESSION), encodeUtf8(name));
}

export function sessionRange(group: number, generation: number): KeyRange {
  return kindRange(group, generation, SESSION);
}

export function sessionOfKey(key: Uint8Array): string {
  return mustDecode(key, ROWS_PREFIX_BYTES + 1, key.length);
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
  const name = new Uint8Array(3 + spaceBytes.length + keyBytes.length);
  name[0] = spaceBytes.length;
  name.set(spaceBytes, 1);
  name[1 + spaceBytes.length] = keyBytes.length >>> 8;
  name[2 + spaceBytes.length] = keyBytes.length;
  name.set(keyBytes, 3 + spaceBytes.length);
  return concat(rowsPrefix(group, generation), Uint8Array.of(DOCUMENT), name);
}

/** The rows of all documents of a group. */
export function documentsRange(group: number, generation: number): KeyRange {
  return kindRange(group, generation, DOCUMENT);
}

/** The rows of a document at seqs in `[from, to)`; the snapshot at a seq lies before a chunk there. */
export function documentRange(prefix: Uint8Array, from: number, to: number): KeyRange {
  return { start: seqKey(prefix, from), end: seqKey(prefix, to) };
}

export function pieceKey(prefix: Uint8Array, seq: number, piece: number): Uint8Array {
  const key = new Uint8Array(prefix.length + 13);
  key.set(prefix);
  writeUint64(key, prefix.length, seq);
  key[prefix.length + 8] = KIND_PIECE;
  writeUint32(key, prefix.length + 9, piece);
  return key;
}

export function chunkKey(prefix: Uint8Array, firstSeq: number): Uint8Array {
  const key = new Uint8Array(prefix.length + 9);
  key.set(prefix);
  writeUint64(key, prefix.length, firstSeq);
  key[prefix.length + 8] = KIND_CHUNK;
  return key;
}

/** What a row of a document is. */
export type DocumentRow =
  | { readonly kind: 'piece'; readonly seq: number; readonly piece: number }
  | { readonly kind: 'chunk'; readonly seq: number };

/** Reads a key made with `pieceKey` or `chunkKey` on a prefix of `prefixBytes` bytes. */
export function documentRowOf(key: Uint8Array, prefixBytes: number): DocumentRow {
  const seq = readUint64(key, prefixBytes);
  if (key[prefixBytes + 8] === KIND_CHUNK) return { kind: 'chunk', seq };
  return { kind: 'piece', seq, piece: readUint32(key, prefixBytes + 9) };
}

/** The document to which a row of `documentsRange` belongs, and its prefix's length. */
export function documentOfKey(key: Uint8Array): {
  space: string;
  key: string;
  prefixBytes: number;
} {
  const spaceAt = ROWS_PREFIX_BYTES + 2;
  const spaceEnd = spaceAt + key[spaceAt - 1]!;
  const keyAt = spaceEnd + 2;
  const keyEnd = keyAt + ((key[spaceEnd]! << 8) | key[spaceEnd + 1]!);
  return {
    space: mustDecode(key, spaceAt, spaceEnd),
    key: mustDecode(key, keyAt, keyEnd),
    prefixBytes: keyEnd,
  };
}

/** The first key behind all that begin with `prefix`. */
export function endOfPrefix(prefix: Uint8Array): Uint8Array {
  const end = prefix.slice();
  for (let at = end.length - 1; at >= 0; at--) {
    if (end[at]! < 0xff) {
      end[at]!++;
      return end.subarray(0, at + 1);
    }
  }
  assert(false, 'a prefix is not all ones');
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

function seqKey(prefix: Uint8Array, seq: number): Uint8Array {
  const key = new Uint8Array(prefix.length + 8);
  key.set(prefix);
  writeUint64(key, prefix.length, seq);
  return key;
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

function mustDecode(bytes: Uint8Array, start: number, end: number): string {
  const text = decodeUtf8(bytes, start, end);
  assert(text !== undefined, 'names in keys are UTF-8');
  return text;
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
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
