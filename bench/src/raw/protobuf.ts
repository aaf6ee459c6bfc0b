// As much of the protobuf wire format as load needs that must cost little beside what is measured, and the same for each system.

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** Is told of each field of a message: its number, and its value if that is a varint, else where its bytes are. */
export type FieldVisitor = (field: number, value: number, start: number, end: number) => void;

/** Reads `bytes[start, end)`. Throws where they are no message. */
export function readFields(
  bytes: Uint8Array,
  start: number,
  end: number,
  visit: FieldVisitor,
): void {
  let at = start;
  const varint = (): number => {
    let value = 0;
    for (let unit = 1; at < end; unit *= 0x80) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
    }
    throw new Error('a number is cut off');
  };
  while (at < end) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    const type = tag & 7;
    if (type === VARINT) {
      visit(field, varint(), at, at);
      continue;
    }
    const length = lengthOf(type, varint);
    if (length > end - at) throw new Error(`field ${field} is cut off`);
    visit(field, 0, at, at + length);
    at += length;
  }
}

/** Whole numbers that are packed in `bytes[start, end)`. */
export function packedIn(bytes: Uint8Array, start: number, end: number): number[] {
  const values: number[] = [];
  let value = 0;
  let unit = 1;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    value += (byte & 0x7f) * unit;
    unit *= 0x80;
    if (byte >= 0x80) continue;
    values.push(value);
    value = 0;
    unit = 1;
  }
  return values;
}

/** Fields of a message, in the order of the calls. */
export class FieldWriter {
  readonly #parts: Buffer[] = [];

  number(field: number, value: number): this {
    this.#parts.push(varintOf(field * 8 + VARINT), varintOf(value));
    return this;
  }

  bytes(field: number, value: Uint8Array | string): this {
    const content = Buffer.from(value);
    this.#parts.push(varintOf(field * 8 + LENGTH_DELIMITED), varintOf(content.length), content);
    return this;
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

function lengthOf(type: number, varint: () => number): number {
  if (type === LENGTH_DELIMITED) return varint();
  if (type === FIXED64) return 8;
  if (type === FIXED32) return 4;
  throw new Error(`wire type ${type} is not known`);
}

function varintOf(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left >= 0x80) {
    bytes.push((left % 0x80) | 0x80);
    left = Math.floor(left / 0x80);
  }
  bytes.push(left);
  return Buffer.from(bytes);
}
