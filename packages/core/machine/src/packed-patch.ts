// The patch in a delta record. To everybody it is RFC 6902 as canonical JSON; a record keeps of that text only what is
// not the same in every patch: which operations, and their pointers and values as they stand in it (a keystroke's patch
// has some forty bytes around them). Unpacked it is the same text, byte for byte; a text of another form is kept whole.

import { DeltabaseError, decodeUtf8, encodeUtf8 } from '@deltabase/base';
import {
  makeTally,
  type Operation,
  type Patch,
  parsePatch,
  parsePointer,
  parseValue,
  parseWithin,
  type Tally,
  type Value,
} from '@deltabase/delta';
import { type ByteReader, malformed } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';

/** What was committed was held to its leader's limits: a copy takes it as it is. */
export const COMMITTED = { depthMax: Number.MAX_SAFE_INTEGER - 2 } as const;

/** Ends the operations. */
const END = 0;
/** In place of operations: the text as it is. */
const WHOLE = 7;

/** An operation by its code, from 1 on: the text before, between and behind its pointers and its value. */
const FORMS: ReadonlyArray<readonly Uint8Array[]> = [
  ['{"op":"add","path":"', '","value":', '}'],
  ['{"op":"remove","path":"', '"}'],
  ['{"op":"replace","path":"', '","value":', '}'],
  ['{"from":"', '","op":"move","path":"', '"}'],
  ['{"from":"', '","op":"copy","path":"', '"}'],
  ['{"op":"test","path":"', '","value":', '}'],
].map((form) => form.map(encodeUtf8));

const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const COMMA = 0x2c;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where texts are put together; some patch may have a megabyte, once. */
let scratch = new ByteWriter(4096);
const SCRATCH_BYTES_MAX = 65_536;

/** Writes `patch` packed. */
export function packPatch(writer: ByteWriter, patch: Uint8Array): void {
  const start = writer.at;
  if (packOperations(writer, patch)) {
    writer.byte(END);
  } else {
    writer.rewind(start);
    writeWholePatch(writer, patch);
  }
}

/** Writes `patch` as it is, in a form that is read as packed ones are. */
export function writeWholePatch(writer: ByteWriter, patch: Uint8Array): void {
  writer.byte(WHOLE);
  writer.bytes(patch);
  writer.byte(END);
}

/** The text of the patch that comes next: of a packed one in a buffer of its own. */
export function unpackPatch(reader: ByteReader): Uint8Array {
  const start = reader.at;
  if (reader.byte() === WHOLE) {
    const patch = reader.view();
    expectEnd(reader);
    return patch;
  }
  reader.seek(start);
  unpack(reader);
  const text = scratch.slice(0, scratch.at);
  forgetLarge();
  return text;
}

/** Copies the patch that comes next, as `writeWholePatch` writes it. */
export function copyUnpacked(reader: ByteReader, writer: ByteWriter): void {
  unpack(reader);
  writeWholePatch(writer, scratch.buffer.subarray(0, scratch.at));
  forgetLarge();
}

/** The operations of the patch that comes next, as `parsePatch` makes them of its text. Throws DATA_CORRUPT if it is none. */
export function unpackOperations(reader: ByteReader): Patch {
  try {
    return readOperations(reader);
  } catch (thrown) {
    // What a leader proposed is a patch: its pointers and values are malformed only where the record is.
    if (!(thrown instanceof DeltabaseError) || thrown.code === 'DATA_CORRUPT') throw thrown;
    throw new DeltabaseError('DATA_CORRUPT', `a delta has no patch: ${thrown.message}`, {
      cause: thrown,
    });
  }
}

/** Goes on behind a packed patch. */
export function skipPatch(reader: ByteReader): void {
  let code = reader.byte();
  if (code === WHOLE) {
    reader.skipBytes();
    expectEnd(reader);
    return;
  }
  for (; code !== END; code = reader.byte()) {
    const form = FORMS[code - 1];
    if (form === undefined) throw malformed();
    for (let part = 1; part < form.length; part++) reader.skipBytes();
  }
}

/** Makes the text in `scratch`. */
function unpack(reader: ByteReader): void {
  scratch.rewind(0);
  let code = reader.byte();
  if (code === WHOLE) {
    copyPart(reader);
    expectEnd(reader);
    return;
  }
  scratch.byte(OPEN_LIST);
  for (; code !== END; code = reader.byte()) {
    if (scratch.at > 1) scratch.byte(COMMA);
    const form = FORMS[code - 1];
    if (form === undefined) throw malformed();
    copyLiteral(form[0]!);
    for (let at = 1; at < form.length; at++) {
      copyPart(reader);
      copyLiteral(form[at]!);
    }
  }
  scratch.byte(CLOSE_LIST);
}

function readOperations(reader: ByteReader): Patch {
  let code = reader.byte();
  if (code === WHOLE) {
    const patch = parsePatch(reader.view(), COMMITTED);
    expectEnd(reader);
    return patch;
  }
  const operations: Operation[] = [];
  const tally = makeTally();
  for (; code !== END; code = reader.byte()) operations.push(operationOf(reader, code, tally));
  return operations;
}

function operationOf(reader: ByteReader, code: number, tally: Tally): Operation {
  switch (code) {
    case 1:
      return { op: 'add', path: pointerOf(reader), value: valueIn(reader, tally) };
    case 2:
      return { op: 'remove', path: pointerOf(reader) };
    case 3:
      return { op: 'replace', path: pointerOf(reader), value: valueIn(reader, tally) };
    case 4:
      return { op: 'move', from: pointerOf(reader), path: pointerOf(reader) };
    case 5:
      return { op: 'copy', from: pointerOf(reader), path: pointerOf(reader) };
    case 6:
      return { op: 'test', path: pointerOf(reader), value: valueIn(reader, tally) };
    default:
      throw malformed();
  }
}

/** What stands between the quotes of a JSON string. */
function pointerOf(reader: ByteReader): string {
  const start = reader.skipBytes();
  const { bytes, at: end } = reader;
  let isEscaped = false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === BACKSLASH) isEscaped = true;
    else if (byte < SPACE) throw malformed();
  }
  const text = decodeUtf8(bytes, start, end);
  if (text === undefined) throw malformed();
  const pointer = isEscaped ? parseValue(`"${text}"`) : text;
  if (typeof pointer !== 'string' || (!isEscaped && text.includes('"'))) throw malformed();
  parsePointer(pointer);
  return pointer;
}

function valueIn(reader: ByteReader, tally: Tally): Value {
  const start = reader.skipBytes();
  return parseWithin(reader.bytes, start, reader.at, COMMITTED.depthMax, tally);
}

function expectEnd(reader: ByteReader): void {
  if (reader.byte() !== END) throw malformed();
}

function forgetLarge(): void {
  if (scratch.buffer.length > SCRATCH_BYTES_MAX) scratch = new ByteWriter(SCRATCH_BYTES_MAX);
}

function copyPart(reader: ByteReader): void {
  const start = reader.skipBytes();
  scratch.copy(reader.bytes, start, reader.at);
}

function copyLiteral(literal: Uint8Array): void {
  scratch.copy(literal, 0, literal.length);
}

/** Whether `patch` is of the canonical form; then its operations are written. */
function packOperations(writer: ByteWriter, patch: Uint8Array): boolean {
  const { length } = patch;
  if (length < 2 || patch[0] !== OPEN_LIST) return false;
  if (patch[1] === CLOSE_LIST) return length === 2;
  for (let at = 1; ; at++) {
    const code = codeAt(patch, at);
    if (code === 0) return false;
    writer.byte(code);
    at = packParts(writer, patch, at, FORMS[code - 1]!);
    if (at === 0) return false;
    if (patch[at] === CLOSE_LIST) return at === length - 1;
    if (patch[at] !== COMMA) return false;
  }
}

/** The code of the operation whose text begins at `at`; 0 if it is none. */
function codeAt(patch: Uint8Array, at: number): number {
  for (let code = 1; code <= FORMS.length; code++) {
    const form = FORMS[code - 1]!;
    if (!isAt(form[0]!, patch, at)) continue;
    if (form.length === 2 || patch[at + 2] !== 0x66) return code;
    // Of those that begin with "from" only what follows the pointer tells which it is.
    const end = endOfString(patch, at + form[0]!.length);
    if (isAt(form[1]!, patch, end)) return code;
  }
  return 0;
}

/** Writes the pointers and the value of an operation; returns where its text ends, 0 if it is not of that form. */
function packParts(
  writer: ByteWriter,
  patch: Uint8Array,
  start: number,
  form: readonly Uint8Array[],
): number {
  let at = start + form[0]!.length;
  for (let next = 1; next < form.length; next++) {
    const isValue = form[next]!.length === 1;
    const end = isValue ? endOfValue(patch, at) : endOfString(patch, at);
    if (!isAt(form[next]!, patch, end)) return 0;
    writer.bytes(patch, at, end);
    at = end + form[next]!.length;
  }
  return at;
}

function isAt(literal: Uint8Array, patch: Uint8Array, start: number): boolean {
  for (let at = 0; at < literal.length; at++) {
    if (patch[start + at] !== literal[at]) return false;
  }
  return true;
}

/** Where the quote is that ends the string of which `start` is inside; the end of the patch if there is none. */
function endOfString(patch: Uint8Array, start: number): number {
  let at = start;
  while (at < patch.length && patch[at] !== QUOTE) at += patch[at] === BACKSLASH ? 2 : 1;
  return Math.min(at, patch.length);
}

/** Where the value at `start` ends: at the bracket that closes what is around it, or at a comma there. */
function endOfValue(patch: Uint8Array, start: number): number {
  let depth = 0;
  for (let at = start; at < patch.length; at++) {
    const byte = patch[at]!;
    if (byte === QUOTE) {
      at = endOfString(patch, at + 1);
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      depth++;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      if (depth === 0) return at;
      depth--;
    } else if (byte === COMMA && depth === 0) {
      return at;
    }
  }
  return patch.length;
}
