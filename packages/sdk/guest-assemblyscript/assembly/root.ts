// Reading: the document's state, with what this message has changed already, and the message's payload.

import * as host from './host';
import {
  encodePointer,
  encodeText,
  pointerAt,
  pointerLength,
  takeText,
  textAt,
  textLength,
} from './utf8';

/** What a value is. */
export enum Kind {
  None = 0,
  Null = 1,
  False = 2,
  True = 3,
  Number = 4,
  Text = 5,
  List = 6,
  Object = 7,
}

/** Keys that the host gives at once, at most. */
const KEYS_MAX: i32 = 1000;

/** A JSON document to read from, by pointer: `""` is all of it, `/a/0` the first element of its `a`. */
export class Root {
  constructor(private id: i32) {}

  /** What is at `pointer`; Kind.None: nothing. */
  kind(pointer: string): Kind {
    encodePointer(pointer);
    return <Kind>host.readKind(this.id, pointerAt, pointerLength);
  }

  /** Whether there is a value, be it null. */
  has(pointer: string): bool {
    return this.kind(pointer) != Kind.None;
  }

  /** The number at `pointer`, or `otherwise` where there is none. */
  number(pointer: string, otherwise: f64 = NaN): f64 {
    encodePointer(pointer);
    const value = host.readNumber(this.id, pointerAt, pointerLength);
    return isNaN(value) ? otherwise : value;
  }

  /** The number at `pointer` without its fraction, or `otherwise` where there is none. */
  integer(pointer: string, otherwise: i64 = 0): i64 {
    const value = this.number(pointer);
    return isNaN(value) ? otherwise : <i64>value;
  }

  /** The string at `pointer`, or `otherwise` where there is none. */
  text(pointer: string, otherwise: string = ''): string {
    const value = this.textOrNull(pointer);
    return value === null ? otherwise : value;
  }

  /** The string at `pointer`; null where there is none. */
  textOrNull(pointer: string): string | null {
    encodePointer(pointer);
    const length = host.readText(this.id, pointerAt, pointerLength);
    return length < 0 ? null : takeText(length);
  }

  /** Whether `true` is at `pointer`; `otherwise` where there is neither true nor false. */
  flag(pointer: string, otherwise: bool = false): bool {
    const kind = this.kind(pointer);
    if (kind == Kind.True) return true;
    return kind == Kind.False ? false : otherwise;
  }

  /** Elements of the list or members of the object at `pointer`; 0 where there is neither. */
  count(pointer: string): i32 {
    encodePointer(pointer);
    return max(0, host.readCount(this.id, pointerAt, pointerLength));
  }

  /** JSON text of what is at `pointer`; empty where there is nothing. */
  json(pointer: string): string {
    encodePointer(pointer);
    return takeText(host.read(this.id, pointerAt, pointerLength));
  }

  /**
   * Names of the object at `pointer` in order (by UTF-16 code units): at most `limit` and at most 1000,
   * those behind `after` where it is given. None where there is no object.
   */
  keys(pointer: string, after: string | null = null, limit: i32 = KEYS_MAX): string[] {
    encodePointer(pointer);
    const length = this.stageKeys(after, limit);
    const keys: string[] = [];
    if (length <= 0) return keys;
    const start = heap.alloc(<usize>length);
    host.take(start);
    const end = start + <usize>length;
    for (let at = start; at < end; ) {
      const bytes = <usize>load<u32>(at);
      keys.push(String.UTF8.decodeUnsafe(at + 4, bytes));
      at += 4 + bytes;
    }
    return keys;
  }

  /** The first name of the object at `pointer`, behind `after` where it is given; null: there is none. */
  key(pointer: string, after: string | null = null): string | null {
    encodePointer(pointer);
    const length = this.stageKeys(after, 1);
    if (length <= 0) return null;
    const start = heap.alloc(<usize>length);
    host.take(start);
    return String.UTF8.decodeUnsafe(start + 4, <usize>(length - 4));
  }

  private stageKeys(after: string | null, limit: i32): i32 {
    if (after === null) {
      return host.readKeys(this.id, pointerAt, pointerLength, 0, -1, limit);
    }
    encodeText(after);
    return host.readKeys(this.id, pointerAt, pointerLength, textAt, textLength, limit);
  }
}

/** The document's state, as this message has left it so far. */
export const state = new Root(0);

/** The payload of the message. */
export const message = new Root(1);
