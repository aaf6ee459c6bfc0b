// Decompresses Snappy's raw format (github.com/google/snappy, format_description.txt), in which LevelDB may store
// the index of a table.

import { Cursor, FormatError } from './cursor.js';

/** The bytes that `compressed` stands for. Throws FormatError if they would be more than `bytesMax`. */
export function decompress(compressed: Uint8Array, bytesMax: number): Uint8Array {
  const input = new Cursor(compressed);
  const length = input.varint();
  if (length > bytesMax) throw new FormatError('a block would be too large');
  const output = new Uint8Array(length);
  let at = 0;
  while (!input.isAtEnd) {
    const tag = input.fixed(1);
    if ((tag & 3) === 0) {
      const bytes = input.bytes(literalLength(tag, input));
      if (at + bytes.length > length) throw new FormatError('a block is longer than it says');
      output.set(bytes, at);
      at += bytes.length;
    } else {
      at = copy(output, at, copyOf(tag, input));
    }
  }
  if (at !== length) throw new FormatError('a block is shorter than it says');
  return output;
}

/** Up to 60 in the tag, else in as many bytes behind it. */
function literalLength(tag: number, input: Cursor): number {
  const coded = tag >>> 2;
  return coded < 60 ? coded + 1 : input.fixed(coded - 59) + 1;
}

interface Copy {
  readonly count: number;
  /** How far back it begins. */
  readonly offset: number;
}

function copyOf(tag: number, input: Cursor): Copy {
  if ((tag & 3) === 1) {
    return { count: ((tag >>> 2) & 7) + 4, offset: (tag >>> 5) * 256 + input.fixed(1) };
  }
  return { count: (tag >>> 2) + 1, offset: input.fixed((tag & 3) === 2 ? 2 : 4) };
}

/** Byte by byte: a copy may reach into what it writes. */
function copy(output: Uint8Array, at: number, { count, offset }: Copy): number {
  if (offset === 0 || offset > at || at + count > output.length) {
    throw new FormatError('a block repeats what is not there');
  }
  for (let n = 0; n < count; n++) output[at + n] = output[at + n - offset]!;
  return at + count;
}
