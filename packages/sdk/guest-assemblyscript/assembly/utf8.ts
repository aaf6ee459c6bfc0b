// Text between AssemblyScript (UTF-16) and the host (UTF-8). Pointers and short texts pass through two
// buffers that are always there, so that an ordinary message allocates nothing for them.

import { take } from './host';

/** The host takes no longer pointers. */
const BUFFER_BYTES: i32 = 4096;
const pointerBuffer = memory.data(4096);
const textBuffer = memory.data(4096);

/** Where the last pointer or text was encoded, and its bytes. */
export let pointerAt: usize = pointerBuffer;
export let pointerLength: i32 = 0;
export let textAt: usize = textBuffer;
export let textLength: i32 = 0;

/** Encodes a pointer; it is at `pointerAt` until the next one. */
export function encodePointer(pointer: string): void {
  pointerAt = room(pointer.length, pointerBuffer);
  pointerLength = encode(pointer, pointerAt);
}

/** Encodes any other text; it is at `textAt` until the next one. */
export function encodeText(text: string): void {
  textAt = room(text.length, textBuffer);
  textLength = encode(text, textAt);
}

/** Takes `length` bytes of text that the host has staged. */
export function takeText(length: i32): string {
  if (length <= 0) return '';
  const at = length <= BUFFER_BYTES ? textBuffer : heap.alloc(<usize>length);
  take(at);
  return String.UTF8.decodeUnsafe(at, <usize>length);
}

function room(units: i32, buffer: usize): usize {
  const bytes = units * 3;
  return bytes <= BUFFER_BYTES ? buffer : heap.alloc(<usize>bytes);
}

function encode(text: string, at: usize): i32 {
  return <i32>String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, at);
}
