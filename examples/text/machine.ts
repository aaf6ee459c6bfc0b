// A text that many edit: inserted into and deleted from at a position in code points. It is kept as short
// chunks in groups, with the length of each group beside them (README.md describes the state): an edit
// reads the lengths and one group, and emits the chunk and the length that changed.

import { JsonObject, message, patch, reject, reply } from '@deltabase/guest-assemblyscript';
import { codePoints, pieces, unitAt } from './machine/code-points';
import {
  CHUNK_MAX,
  GROUP_MAX,
  LENGTHS,
  rewriteGroup,
  TEXT,
  writeFirstGroups,
} from './machine/groups';
import { Members } from './machine/members';
import { keyBetween } from './machine/order-keys';

/** Pieces of a chunk that grew too long: shorter than a full one, so that they can grow. */
const PIECE_MAX: i32 = 24;
/** A chunk with fewer code points is joined to its neighbour, where that leaves it room. */
const CHUNK_MIN: i32 = 6;
const JOINED_MAX: i32 = 26;
/** A group with fewer chunks is joined to its neighbour. */
const GROUP_MIN: i32 = 8;
const GROUP_JOINED_MAX: i32 = 64;

export function init(): void {
  patch.add('', new JsonObject().set('lengths', new JsonObject()).set('text', new JsonObject()));
}

/** { at, text }: inserts `text` before the code point at position `at`. Replies with the length. */
export function on_insert(): void {
  const text = insertedText('/text');
  const groups = new Members(LENGTHS);
  edit(groups, position('/at', groups.total), 0, text);
}

/** { at, count }: deletes `count` code points from position `at` on. Replies with the length. */
export function on_delete(): void {
  const groups = new Members(LENGTHS);
  const at = position('/at', groups.total);
  edit(groups, at, position('/count', groups.total - at), '');
}

/** { at, delete, insert }: both, in this order, at one position. Replies with the length. */
export function on_splice(): void {
  const text = insertedText('/insert');
  const groups = new Members(LENGTHS);
  const at = position('/at', groups.total);
  const count = message.has('/delete') ? position('/delete', groups.total - at) : 0;
  edit(groups, at, count, text);
}

function edit(groups: Members, at: i32, count: i32, text: string): void {
  const length = groups.total - count + codePoints(text);
  if (count + text.length > 0 && !editWithinChunk(groups, at, count, text)) {
    if (count > 0) remove(groups, at, count);
    const left = count > 0 ? new Members(LENGTHS) : groups;
    const fits = count > 0 && text.length > 0 && editWithinChunk(left, at, 0, text);
    if (text.length > 0 && !fits) insert(left, at, text);
  }
  reply(length);
}

/** The common case: one chunk changes and stays of a good length. `false`: it is not that case. */
function editWithinChunk(groups: Members, at: i32, count: i32, text: string): bool {
  if (groups.count == 0 || at + count > groups.total) return false;
  // What is deleted begins in the chunk that goes on behind `at`; what is inserted may end one.
  const behind = count > 0 ? 1 : 0;
  let group = 0;
  let start = 0;
  while (at + behind > start + groups.weight(group)) start += groups.weight(group++);
  if (at + count > start + groups.weight(group)) return false;
  const chunks = new Members(TEXT + '/' + groups.name(group));
  let chunk = 0;
  while (at + behind > start + chunks.weight(chunk)) start += chunks.weight(chunk++);
  const more = codePoints(text) - count;
  const length = chunks.weight(chunk) + more;
  if (at + count > start + chunks.weight(chunk)) return false;
  if (length > CHUNK_MAX || (more < 0 && length < CHUNK_MIN)) return false;
  const old = chunks.text(chunk);
  const from = unitAt(old, at - start);
  const to = unitAt(old, count, from);
  patch.replace(chunks.path(chunk), old.substring(0, from) + text + old.substring(to));
  if (more != 0) patch.replace(groups.path(group), groups.weight(group) + more);
  return true;
}

function insertedText(pointer: string): string {
  const text = message.textOrNull(pointer);
  if (text !== null) return text;
  if (message.has(pointer)) reject('`' + pointer.substring(1) + '` must be a text');
  return '';
}

/** The whole number at `pointer` of the message, from 0 to `most`. */
function position(pointer: string, most: i32): i32 {
  const value = message.number(pointer);
  if (!(value >= 0 && value <= <f64>most) || value != Math.floor(value)) {
    reject('`' + pointer.substring(1) + '` must be a whole number from 0 to ' + most.toString());
  }
  return <i32>value;
}

function insert(groups: Members, at: i32, text: string): void {
  if (groups.count == 0) {
    writeFirstGroups(pieces(text, PIECE_MAX));
    return;
  }
  let group = 0;
  let start = 0;
  while (at > start + groups.weight(group)) start += groups.weight(group++);
  const chunks = new Members(TEXT + '/' + groups.name(group));
  let chunk = 0;
  while (at > start + chunks.weight(chunk)) start += chunks.weight(chunk++);
  insertIntoChunk(groups, group, chunks, chunk, at - start, text);
}

/** Inserts before code point `at` of a chunk. */
function insertIntoChunk(
  groups: Members,
  group: i32,
  chunks: Members,
  chunk: i32,
  at: i32,
  text: string,
): void {
  const old = chunks.text(chunk);
  const parts = splitChunk(old, at, chunks.weight(chunk), text);
  const names = namesBehind(chunks, chunk, parts.length - 1, 2 * at > chunks.weight(chunk));
  if (names === null) {
    regroup(groups, group, chunks, chunk, parts);
    return;
  }
  if (parts[0] != old) patch.replace(chunks.path(chunk), parts[0]);
  for (let i = 1; i < parts.length; i++) {
    patch.add(TEXT + '/' + groups.name(group) + '/' + names[i - 1], parts[i]);
  }
  patch.replace(groups.path(group), groups.weight(group) + codePoints(text));
}

/** A chunk that grew too long, in pieces. One that was typed full keeps its text: typing goes on behind. */
function splitChunk(old: string, at: i32, length: i32, text: string): string[] {
  if (at == length) {
    const behind = pieces(text, PIECE_MAX);
    behind.unshift(old);
    return behind;
  }
  const unit = unitAt(old, at);
  return pieces(old.substring(0, unit) + text + old.substring(unit), PIECE_MAX);
}

/**
 * `count` new names behind chunk number `chunk`, in order; null: the group has no room for them. One leaves
 * more room on the side on which the next edit is to be expected: behind it, if `forward`.
 */
function namesBehind(chunks: Members, chunk: i32, count: i32, forward: bool): string[] | null {
  if (chunks.count + count > GROUP_MAX) return null;
  let low = chunks.name(chunk);
  const high = nameBehind(chunks, chunk);
  const names: string[] = [];
  for (let left = count; left > 0; left--) {
    low = keyBetween(low, high, left, forward || count > 1);
    names.push(low);
  }
  return names;
}

/** Writes a group anew, with `parts` in place of chunk number `chunk`; as several where it has too many. */
function regroup(groups: Members, group: i32, chunks: Members, chunk: i32, parts: string[]): void {
  const list: string[] = [];
  for (let i = 0; i < chunks.count; i++) {
    if (i != chunk) list.push(chunks.text(i));
    else for (let k = 0; k < parts.length; k++) list.push(parts[k]);
  }
  rewriteGroup(groups.name(group), nameBehind(groups, group), list);
}

/** The name of the member behind number `i`; empty: there is none. */
function nameBehind(members: Members, i: i32): string {
  return i + 1 < members.count ? members.name(i + 1) : '';
}

function remove(groups: Members, at: i32, count: i32): void {
  let start = 0;
  let small = false;
  for (let group = 0; group < groups.count && start < at + count; group++) {
    const end = start + groups.weight(group);
    const first = max(at, start);
    const last = min(at + count, end);
    if (first < last) small = removeFromGroup(groups, group, first - start, last - first) || small;
    start = end;
  }
  if (small) joinGroupAt(at);
}

/** Deletes `count` code points from position `at` of a group; returns whether few chunks are left. */
function removeFromGroup(groups: Members, group: i32, at: i32, count: i32): bool {
  const length = groups.weight(group) - count;
  if (length == 0) {
    patch.remove(TEXT + '/' + groups.name(group));
    patch.remove(groups.path(group));
    return false;
  }
  const chunks = new Members(TEXT + '/' + groups.name(group));
  let first = 0;
  let start = 0;
  while (at >= start + chunks.weight(first)) start += chunks.weight(first++);
  let last = first;
  let end = start + chunks.weight(first);
  while (at + count > end) end += chunks.weight(++last);
  const head = chunks.text(first);
  const tail = chunks.text(last);
  const kept = head.substring(0, unitAt(head, at - start));
  const rest = tail.substring(unitAt(tail, chunks.weight(last) - (end - at - count)));
  const gone = replaceChunks(chunks, first, last, kept, rest);
  patch.replace(groups.path(group), length);
  return chunks.count - gone < GROUP_MIN;
}

/** Chunks `first` to `last` become what is kept of the two ends; returns how many chunks fewer there are. */
function replaceChunks(chunks: Members, first: i32, last: i32, kept: string, rest: string): i32 {
  const length = codePoints(kept) + codePoints(rest);
  for (let i = first + 1; i < last; i++) patch.remove(chunks.path(i));
  if (first < last && length > CHUNK_MAX) {
    if (kept != chunks.text(first)) patch.replace(chunks.path(first), kept);
    patch.replace(chunks.path(last), rest);
    return last - first - 1;
  }
  if (first < last) patch.remove(chunks.path(last));
  const gone = last - first;
  if (length == 0) {
    patch.remove(chunks.path(first));
    return gone + 1;
  }
  if (length >= CHUNK_MIN || !joinChunk(chunks, first, last, kept + rest, length)) {
    patch.replace(chunks.path(first), kept + rest);
    return gone;
  }
  return gone + 1;
}

/** Adds what is left of chunk `first` to a neighbour that has room; `false`: none has. */
function joinChunk(chunks: Members, first: i32, last: i32, text: string, length: i32): bool {
  if (first > 0 && chunks.weight(first - 1) + length <= JOINED_MAX) {
    patch.replace(chunks.path(first - 1), chunks.text(first - 1) + text);
  } else if (last + 1 < chunks.count && chunks.weight(last + 1) + length <= JOINED_MAX) {
    patch.replace(chunks.path(last + 1), text + chunks.text(last + 1));
  } else {
    return false;
  }
  patch.remove(chunks.path(first));
  return true;
}

/** Joins the group around position `at` to the one behind or before it, if together they have room. */
function joinGroupAt(at: i32): void {
  const groups = new Members(LENGTHS);
  let right = 1;
  let start = groups.count > 0 ? groups.weight(0) : 0;
  while (right < groups.count - 1 && start < at) start += groups.weight(right++);
  if (right >= groups.count) return;
  const list: string[] = [];
  for (let group = right - 1; group <= right; group++) {
    const chunks = new Members(TEXT + '/' + groups.name(group));
    for (let i = 0; i < chunks.count; i++) list.push(chunks.text(i));
  }
  if (list.length > GROUP_JOINED_MAX) return;
  patch.remove(TEXT + '/' + groups.name(right));
  patch.remove(groups.path(right));
  rewriteGroup(groups.name(right - 1), nameBehind(groups, right), list);
}
