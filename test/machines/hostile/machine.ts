// Everything that a handler should not do, a channel for each, and one good one beside them. It calls the host
// functions as they are (docs/machine-abi.md), since the SDK would not let it lie.

import { JsonObject, patch, reply, state } from '@deltabase/guest-assemblyscript';
import {
  emit,
  emitNumber,
  emitText,
  log,
  read,
  reply as replyJson,
  take,
} from '@deltabase/guest-assemblyscript/assembly/host';

const ADD: i32 = 0;
const COPY: i32 = 4;
const ROOM: i32 = 128 * 1024;
const PAGES_AT_ONCE: i32 = 8;

/** What on_stain leaves in a global and in memory: a message that finds it has met an earlier one. */
let stain: i32 = 0;
const CELL = memory.data(8);
let depth: f64 = 0;

export function init(): void {
  patch.add('', new JsonObject().set('n', 0));
}

/** The good one: counts, and replies with the count, or with -1 if anything is left of another message. */
export function on_count(): void {
  const n = state.number('/n') + 1;
  patch.replace('/n', n);
  reply(stain == 0 && depth == 0 && load<f64>(CELL) == 0 ? n : -1);
}

/** Succeeds and changes nothing, but for its own instance. */
export function on_stain(): void {
  stain = 1;
  store<f64>(CELL, 1);
}

export function on_loop(): void {
  while (true) stain++;
}

/** Makes the host work for as long as it lasts. */
export function on_loop_in_host(): void {
  while (true) read(0, 0, 0);
}

/** Floods the log of the node. */
export function on_shout(): void {
  const line = text('hear me');
  while (true) log(2, line, 7);
}

export function on_recurse(): void {
  deeper(1);
}

function deeper(by: f64): f64 {
  depth += by;
  return deeper(by + 1) + depth;
}

export function on_memory(): void {
  while (memory.grow(PAGES_AT_ONCE) != -1) stain++;
  unreachable();
}

/** Uses all the memory there is, again and again. */
export function on_memory_filled(): void {
  while (memory.grow(PAGES_AT_ONCE) != -1) stain++;
  while (true) memory.fill(0, 1, <usize>(memory.size() << 16));
}

export function on_trap(): void {
  stain = 1;
  emitNumber(ADD, text('/trapped'), 8, 1);
  unreachable();
}

export function on_divide(): void {
  reply(<f64>(1 / stain));
}

export function on_emit_from_outside(): void {
  emitText(ADD, text('/x'), 2, 0xfffffff0, 64);
}

export function on_take_to_outside(): void {
  read(0, 0, 0);
  take(0xfffffff0);
}

export function on_reply_from_outside(): void {
  replyJson(0x7fff0000, 16);
}

export function on_negative_length(): void {
  read(0, 16, -1);
}

/** One text of 128 KB after the other. */
export function on_patch_of_bytes(): void {
  const room = heap.alloc(ROOM);
  memory.fill(room, 0x61, ROOM);
  while (true) emitText(ADD, text('/big'), 4, room, ROOM);
}

export function on_patch_of_operations(): void {
  while (true) emitNumber(ADD, text('/n'), 2, 1);
}

/** Doubles the document until it is too large; the patch stays small. */
export function on_growing_document(): void {
  const room = heap.alloc(ROOM);
  memory.fill(room, 0x61, ROOM);
  emitText(ADD, text('/big'), 4, room, ROOM);
  for (let digit = 0x61; ; digit++) {
    const path = text('/n-');
    store<u8>(path + 2, digit);
    emit(COPY, path, 3, 0, 0);
  }
}

export function on_invalid_utf8(): void {
  const bytes = heap.alloc(4);
  store<u32>(bytes, 0xff_80_c0_fe);
  emitText(ADD, text('/x'), 2, bytes, 4);
}

export function on_invalid_json(): void {
  emit(ADD, text('/x'), 2, text('{"a":'), 5);
}

export function on_invalid_reply(): void {
  replyJson(text('nul'), 3);
}

/** An array in an array in an array, 4,000 times. */
export function on_deep_json(): void {
  const bytes = heap.alloc(8000);
  memory.fill(bytes, 0x5b, 4000);
  memory.fill(bytes + 4000, 0x5d, 4000);
  emit(ADD, text('/x'), 2, bytes, 8000);
}

/** The first operation fits and must not take effect either. */
export function on_missing_path(): void {
  emitNumber(ADD, text('/here'), 5, 1);
  emitNumber(ADD, text('/nowhere/at/all'), 15, 1);
}

export function on_malformed_path(): void {
  emitNumber(ADD, text('no slash'), 8, 1);
}

/** The address of the UTF-8 bytes of an ASCII text. */
function text(ascii: string): usize {
  return changetype<usize>(String.UTF8.encode(ascii));
}
