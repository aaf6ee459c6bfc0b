// Readers of whole protobuf messages, made from a description of their fields. A field of another number or wire type
// than described is passed over; of one that comes twice the last counts (protobuf.dev/programming-guides/encoding).
// What they read throws INVALID_ARGUMENT where the bytes are no message.

import { DeltabaseError } from './errors.js';
import { LENGTH_DELIMITED, VARINT, type WireReader } from './wire-reader.js';

/** Reads a message from where `reader` stands up to its end. */
export type MessageReader<T> = (reader: WireReader) => T;

/** A field of a message. */
export interface WireField<T> {
  readonly number: number;
  /** What it is when it does not come. */
  readonly absent: T;
  /** Its value, by the wire type it comes in. `before`: what it was up to now. */
  readonly reads: ReadonlyMap<number, ReadField<T>>;
}

type ReadField<T> = (reader: WireReader, before: T) => T;

const EMPTY = new Uint8Array(0);

/** A reader of messages of these fields; each message has them all, in this order. */
export function messageReader<T extends object>(
  fields: {
    readonly [K in keyof T]: WireField<T[K]>;
  },
): MessageReader<T> {
  const names = Object.keys(fields) as (keyof T)[];
  const absent = Object.fromEntries(names.map((name) => [name, fields[name].absent])) as T;
  const byTag: Array<{ name: keyof T; read: ReadField<T[keyof T]> } | undefined> = [];
  for (const name of names) {
    const { number, reads } = fields[name];
    for (const [type, read] of reads) byTag[(number << 3) | type] = { name, read };
  }
  return (reader) => {
    const message: T = { ...absent };
    while (!reader.isAtEnd) {
      const tag = reader.tag();
      const field = byTag[tag];
      if (field === undefined) reader.skip(tag);
      else message[field.name] = field.read(reader, message[field.name]);
    }
    return message;
  };
}

/** An unsigned integer, exact up to 2^53; 0 when it is left out. */
export function uint(number: number): WireField<number> {
  return field(number, VARINT, 0, (reader) => reader.varint());
}

/** The same where 0 and left out are not one. */
export function optionalUint(number: number): WireField<number | undefined> {
  return field<number | undefined>(number, VARINT, undefined, (reader) => reader.varint());
}

export function flag(number: number): WireField<boolean> {
  return field(number, VARINT, false, (reader) => reader.varint() !== 0);
}

export function text(number: number): WireField<string> {
  return field(number, LENGTH_DELIMITED, '', (reader) => reader.text());
}

/** Shares the buffer. */
export function bytes(number: number): WireField<Uint8Array> {
  return field(number, LENGTH_DELIMITED, EMPTY, (reader) => reader.bytes());
}

/** A message in the message; `absent` when it is left out. */
export function embedded<T, A>(
  number: number,
  read: MessageReader<T>,
  absent: A,
): WireField<T | A> {
  return field<T | A>(number, LENGTH_DELIMITED, absent, (reader) => read(reader.message()));
}

/** A list of messages; more than `max` are refused before they are read: small ones take many times their bytes. */
export function embeddeds<T>(
  number: number,
  read: MessageReader<T>,
  max: number = Number.POSITIVE_INFINITY,
): WireField<T[]> {
  const readItem: ReadField<T[]> = (reader, before) => {
    checkRoom(before, max);
    return append(before, read(reader.message()));
  };
  return field(number, LENGTH_DELIMITED, [], readItem);
}

export function texts(number: number): WireField<string[]> {
  return field<string[]>(number, LENGTH_DELIMITED, [], (reader, before) =>
    append(before, reader.text()),
  );
}

/** A list of unsigned integers, packed or each by itself; more than `max` are refused. */
export function uints(number: number, max: number = Number.POSITIVE_INFINITY): WireField<number[]> {
  const readItem: ReadField<number[]> = (reader, before) => {
    checkRoom(before, max);
    return append(before, reader.varint());
  };
  const readPacked: ReadField<number[]> = (reader, before) => {
    const packed = reader.message();
    let values = before;
    while (!packed.isAtEnd) values = readItem(packed, values);
    return values;
  };
  const reads = new Map([
    [VARINT, readItem],
    [LENGTH_DELIMITED, readPacked],
  ]);
  return { number, absent: [], reads };
}

function checkRoom(before: readonly unknown[], max: number): void {
  if (before.length < max) return;
  const why = `a frame has more than ${max} parts of a kind: send several frames`;
  throw new DeltabaseError('INVALID_ARGUMENT', why);
}

/** All messages share what stands for an empty list, so the first item makes a list of its own. */
function append<T>(before: T[], value: T): T[] {
  if (before.length === 0) return [value];
  before.push(value);
  return before;
}

function field<T>(number: number, type: number, absent: T, read: ReadField<T>): WireField<T> {
  return { number, absent, reads: new Map([[type, read]]) };
}
