// Writing groups of chunks: { lengths: { group: code points }, text: { group: { chunk: text } } }. A group
// has at most GROUP_MAX chunks, a chunk at most CHUNK_MAX code points.

import { Json, patch } from '@deltabase/guest-assemblyscript';
import { quote } from '@deltabase/guest-assemblyscript/assembly/json';
import { codePoints } from './code-points';
import { keyBetween, spreadKey } from './order-keys';

export const CHUNK_MAX: i32 = 32;
export const GROUP_MAX: i32 = 96;
/** Chunks of each group where one becomes several: room is left for more. */
const GROUP_FILL: i32 = 64;

export const LENGTHS = '/lengths';
export const TEXT = '/text';

/** Writes `chunks` as the first groups of the document. */
export function writeFirstGroups(chunks: string[]): void {
  const groups = groupsFor(chunks.length);
  for (let i = 0; i < groups; i++) writeShare(spreadKey(i, groups), chunks, i, groups);
}

/** Writes `chunks` as the group `name`, or as that and more below the group `next` (empty: no limit). */
export function rewriteGroup(name: string, next: string, chunks: string[]): void {
  const groups = groupsFor(chunks.length);
  let key = name;
  for (let i = 0; i < groups; i++) {
    if (i > 0) key = keyBetween(key, next, groups - i, true);
    writeShare(key, chunks, i, groups);
  }
}

function groupsFor(chunks: i32): i32 {
  return chunks <= GROUP_MAX ? 1 : (chunks + GROUP_FILL - 1) / GROUP_FILL;
}

/** Writes share number `i` of `groups` as the group `name`, new or not. */
function writeShare(name: string, chunks: string[], i: i32, groups: i32): void {
  const start = (chunks.length * i) / groups;
  const end = (chunks.length * (i + 1)) / groups;
  let length = 0;
  const members: string[] = [];
  for (let k = start; k < end; k++) {
    length += codePoints(chunks[k]);
    members.push('"' + spreadKey(k - start, end - start) + '":' + quote(chunks[k]));
  }
  patch.add(TEXT + '/' + name, new Json('{' + members.join(',') + '}'));
  patch.add(LENGTHS + '/' + name, length);
}
