// Changing the document: operations of RFC 6902. Each takes effect at once, later reads see it; one that
// does not fit the document ends the message with BAD_PATCH.

import * as host from './host';
import { textOf } from './json';
import { encodePointer, encodeText, pointerAt, pointerLength, textAt, textLength } from './utf8';

const ADD: i32 = 0;
const REMOVE: i32 = 1;
const REPLACE: i32 = 2;
const MOVE: i32 = 3;
const COPY: i32 = 4;
const TEST: i32 = 5;

export namespace patch {
  /** Sets a member, new or not, or inserts an element; `-` as the last part appends one. */
  export function add<T>(path: string, value: T): void {
    emitValue<T>(ADD, path, value);
  }

  /** Replaces what is there; there must be something. */
  export function replace<T>(path: string, value: T): void {
    emitValue<T>(REPLACE, path, value);
  }

  /** Ends the message with BAD_PATCH unless `value` is there. */
  export function test<T>(path: string, value: T): void {
    emitValue<T>(TEST, path, value);
  }

  /** Removes what is there; there must be something. */
  export function remove(path: string): void {
    encodePointer(path);
    host.emit(REMOVE, pointerAt, pointerLength, 0, 0);
  }

  /** Moves what is at `from` to `path`. */
  export function move(from: string, path: string): void {
    emitFrom(MOVE, from, path);
  }

  /** Copies what is at `from` to `path`. */
  export function copy(from: string, path: string): void {
    emitFrom(COPY, from, path);
  }
}

function emitFrom(operation: i32, from: string, path: string): void {
  encodePointer(path);
  encodeText(from);
  host.emit(operation, pointerAt, pointerLength, textAt, textLength);
}

function emitValue<T>(operation: i32, path: string, value: T): void {
  encodePointer(path);
  if (isString<T>()) {
    encodeText(changetype<string>(value));
    host.emitText(operation, pointerAt, pointerLength, textAt, textLength);
  } else if ((isInteger<T>() && !isBoolean<T>()) || isFloat<T>()) {
    host.emitNumber(operation, pointerAt, pointerLength, <f64>value);
  } else {
    encodeText(textOf<T>(value));
    host.emit(operation, pointerAt, pointerLength, textAt, textLength);
  }
}
