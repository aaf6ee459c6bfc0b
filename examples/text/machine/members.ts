// The members of one object of the state, as they stand in its JSON: names, and of each value how much it
// weighs: a number its value, a text its code points. Nothing is decoded before it is asked for.

import { child, state } from '@deltabase/guest-assemblyscript';
import * as host from '@deltabase/guest-assemblyscript/assembly/host';

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
const CLOSE: u8 = 0x7d;
const SMALL_U: u8 = 0x75;

/** Members in the order of their names, which are ASCII without escapes. */
export class Members {
  readonly count: i32;
  /** The sum of all weights. */
  total: i32 = 0;
  private nameAt: StaticArray<u32>;
  private nameLength: StaticArray<u32>;
  private valueAt: StaticArray<u32>;
  private valueLength: StaticArray<u32>;
  private weights: StaticArray<i32>;
  private escaped: StaticArray<bool>;

  /** Reads the object at `pointer`; without members where there is none. */
  constructor(private pointer: string) {
    const count = state.count(pointer);
    this.count = count;
    this.nameAt = new StaticArray<u32>(count);
    this.nameLength = new StaticArray<u32>(count);
    this.valueAt = new StaticArray<u32>(count);
    this.valueLength = new StaticArray<u32>(count);
    this.weights = new StaticArray<i32>(count);
    this.escaped = new StaticArray<bool>(count);
    if (count > 0) this.scan();
  }

  name(i: i32): string {
    return String.UTF8.decodeUnsafe(this.nameAt[i], this.nameLength[i]);
  }

  /** Where member `i` is in the state. */
  path(i: i32): string {
    return this.pointer + '/' + this.name(i);
  }

  weight(i: i32): i32 {
    return unchecked(this.weights[i]);
  }

  /** The value of member `i`, which is a text. */
  text(i: i32): string {
    if (this.escaped[i]) return state.text(child(this.pointer, this.name(i)));
    return String.UTF8.decodeUnsafe(this.valueAt[i], this.valueLength[i]);
  }

  private scan(): void {
    const encoded = String.UTF8.encode(this.pointer);
    const length = host.read(0, changetype<usize>(encoded), encoded.byteLength);
    // Room for reading eight bytes at its end.
    const json = heap.alloc(<usize>length + 8);
    host.take(json);
    let at = <u32>json;
    for (let i = 0; load<u8>(at) != CLOSE; i++) {
      // `at` is on the brace or comma before the name's quote.
      at += 2;
      this.nameAt[i] = at;
      while (load<u8>(at) != QUOTE) at++;
      this.nameLength[i] = at - this.nameAt[i];
      at += 2;
      at = load<u8>(at) == QUOTE ? this.scanText(i, at + 1) : this.scanNumber(i, at);
      this.total += this.weights[i];
    }
  }

  /** Weighs the text that begins at `start`; returns where its closing quote ends. */
  private scanText(i: i32, start: u32): u32 {
    let at = start;
    let points = 0;
    for (;;) {
      // Most text is plain: eight bytes at once.
      while (isPlain(load<u64>(at))) {
        at += 8;
        points += 8;
      }
      const byte = load<u8>(at);
      if (byte == QUOTE) break;
      if (byte == BACKSLASH) {
        this.escaped[i] = true;
        at += load<u8>(at + 1) == SMALL_U ? 6 : 2;
        points++;
      } else {
        // Continuation bytes of UTF-8 belong to the code point before them.
        if ((byte & 0xc0) != 0x80) points++;
        at++;
      }
    }
    this.valueAt[i] = start;
    this.valueLength[i] = at - start;
    this.weights[i] = points;
    return at + 1;
  }

  private scanNumber(i: i32, start: u32): u32 {
    let at = start;
    let value = 0;
    for (; load<u8>(at) >= 0x30 && load<u8>(at) <= 0x39; at++) {
      value = value * 10 + (load<u8>(at) - 0x30);
    }
    this.weights[i] = value;
    return at;
  }
}

/** One in each byte; the highest bit of each byte. */
const ONES: u64 = ~(<u64>0) / 0xff;
const HIGH_BITS: u64 = ONES << 7;

/** Whether none of eight bytes is a quote, a backslash or part of a code point beyond ASCII. */
function isPlain(bytes: u64): bool {
  return ((zeros(bytes ^ (ONES * 0x22)) | zeros(bytes ^ (ONES * 0x5c)) | bytes) & HIGH_BITS) == 0;
}

/** The high bit of each byte that is zero, and perhaps of some above a zero, but of none if there is none. */
function zeros(bytes: u64): u64 {
  return (bytes - ONES) & ~bytes;
}
