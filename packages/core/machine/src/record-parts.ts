// The parts of a delta record that copies need: its head to keep it, which says whose it is and what its cause was
// answered; its step to fold it. They are read here straight from the bytes, of every delta, without the objects that a
// whole record is made of. Field order and version are those of record.ts.

import { DeltabaseError, decodeUtf8 } from '@deltabase/base';
import { type KeptReply, SHORT_REPLY_BYTES } from './answer-row.js';
import { type DeltaRecord, FIELDS, FLAG_SNAPSHOT, RECORD_VERSION } from './record.js';

export interface RecordHead
  extends Pick<
    DeltaRecord,
    | 'space'
    | 'key'
    | 'seq'
    | 'session'
    | 'openedAt'
    | 'number'
    | 'settled'
    | 'time'
    | 'snapshotAdvised'
  > {
  /** Bytes have a buffer of their own. */
  readonly reply: KeptReply;
}

/** What folding a delta takes; the patch as text. */
export interface RecordStep extends Pick<DeltaRecord, 'seq' | 'hash' | 'snapshotAdvised'> {
  readonly patch: string;
}

/**
 * The head of the record in `bytes[start, end)`. Throws DATA_CORRUPT if that is not one record of a version
 * known here; what it does not read is only checked to be there.
 */
export function decodeHead(bytes: Uint8Array, start: number, end: number): RecordHead {
  const reader = READER;
  reader.begin(bytes, start, end);
  reader.expectArray(FIELDS);
  if (reader.number() !== RECORD_VERSION) throw unknownForm();
  const space = reader.knownText();
  const key = reader.text();
  const seq = reader.number();
  const session = reader.knownText();
  const openedAt = reader.number();
  const number = reader.number();
  const settled = reader.number();
  reader.skipText(); // principal
  reader.skipText(); // channel
  reader.skipBytes(); // payload
  const time = reader.number();
  reader.number(); // seed
  reader.number(); // version
  reader.skipBytes(); // patch
  const reply = reader.replyOrNil();
  reader.expectArray(0); // effects
  reader.number(); // fuel
  reader.skipText(); // hash
  const snapshotAdvised = (reader.number() & FLAG_SNAPSHOT) !== 0;
  reader.finish();
  return { space, key, seq, session, openedAt, number, settled, time, reply, snapshotAdvised };
}

/** The step of the record in `bytes[start, end)`. Throws DATA_CORRUPT as `decodeHead` does, and where the patch is not UTF-8. */
export function decodeStep(bytes: Uint8Array, start: number, end: number): RecordStep {
  const reader = READER;
  reader.begin(bytes, start, end);
  reader.expectArray(FIELDS);
  if (reader.number() !== RECORD_VERSION) throw unknownForm();
  reader.skipText(); // space
  reader.skipText(); // key
  const seq = reader.number();
  reader.skipText(); // session
  reader.number(); // opened at
  reader.number(); // number
  reader.number(); // settled
  reader.skipText(); // principal
  reader.skipText(); // channel
  reader.skipBytes(); // payload
  reader.number(); // time
  reader.number(); // seed
  reader.number(); // version
  const patch = reader.bytesAsText();
  reader.skipBytesOrNil(); // reply
  reader.expectArray(0); // effects
  reader.number(); // fuel
  const hash = reader.text();
  const snapshotAdvised = (reader.number() & FLAG_SNAPSHOT) !== 0;
  reader.finish();
  return { seq, patch, hash, snapshotAdvised };
}

/** Texts that come again and again, such as a session's name: found again they need not be made anew. */
const KNOWN_SLOTS = 256;

/** Reads the forms of msgpack (https://msgpack.org, spec.md) that records are written in. */
class Reader {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  readonly #known = new Array<string | undefined>(KNOWN_SLOTS).fill(undefined);
  readonly #float = new Float64Array(1);
  readonly #floatBytes = new Uint8Array(this.#float.buffer);

  begin(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  finish(): void {
    if (this.#at !== this.#end) throw unknownForm();
    this.#bytes = NOTHING;
  }

  expectArray(length: number): void {
    const form = this.#byte();
    const found = form === 0xdc ? this.#uint(2) : (form & 0xf0) === 0x90 ? form & 0x0f : -1;
    if (found !== length) throw unknownForm();
  }

  number(): number {
    const form = this.#byte();
    if (form < 0x80) return form;
    if (form === 0xcc) return this.#byte();
    if (form === 0xcd) return this.#uint(2);
    if (form === 0xce) return this.#uint(4);
    if (form === 0xcb) return this.#float64();
    throw unknownForm();
  }

  text(): string {
    const start = this.#skip(this.#textLength());
    return this.#decode(start);
  }

  /** The same for a text that was probably read before. */
  knownText(): string {
    const start = this.#skip(this.#textLength());
    const slot = this.#slotOf(start);
    const known = this.#known[slot];
    if (known !== undefined && this.#is(known, start)) return known;
    const text = this.#decode(start);
    this.#known[slot] = text;
    return text;
  }

  skipText(): void {
    this.#skip(this.#textLength());
  }

  skipBytes(): void {
    this.#skip(this.#bytesLength(this.#byte()));
  }

  /** Bytes that are UTF-8. */
  bytesAsText(): string {
    const start = this.#skip(this.#bytesLength(this.#byte()));
    return this.#decode(start);
  }

  skipBytesOrNil(): void {
    const form = this.#byte();
    if (form !== 0xc0) this.#skip(this.#bytesLength(form));
  }

  /** A short one as text, another one as a copy. */
  replyOrNil(): KeptReply {
    const form = this.#byte();
    if (form === 0xc0) return undefined;
    const length = this.#bytesLength(form);
    const start = this.#skip(length);
    const isShort = length <= SHORT_REPLY_BYTES;
    const text = isShort ? decodeUtf8(this.#bytes, start, this.#at) : undefined;
    return text ?? new Uint8Array(this.#bytes.subarray(start, this.#at));
  }

  #byte(): number {
    if (this.#at >= this.#end) throw unknownForm();
    return this.#bytes[this.#at++]!;
  }

  /** A number of `size` bytes, big-endian. */
  #uint(size: 2 | 4): number {
    const start = this.#skip(size);
    const bytes = this.#bytes;
    const high = (bytes[start]! << 8) | bytes[start + 1]!;
    if (size === 2) return high;
    return high * 0x10000 + ((bytes[start + 2]! << 8) | bytes[start + 3]!);
  }

  #float64(): number {
    const start = this.#skip(8);
    // Float64Array has the processor's order, which is little-endian wherever Node.js runs.
    for (let at = 0; at < 8; at++) this.#floatBytes[7 - at] = this.#bytes[start + at]!;
    return this.#float[0]!;
  }

  #textLength(): number {
    const form = this.#byte();
    if ((form & 0xe0) === 0xa0) return form & 0x1f;
    if (form === 0xd9) return this.#byte();
    if (form === 0xda) return this.#uint(2);
    if (form === 0xdb) return this.#uint(4);
    throw unknownForm();
  }

  #bytesLength(form: number): number {
    if (form === 0xc4) return this.#byte();
    if (form === 0xc5) return this.#uint(2);
    if (form === 0xc6) return this.#uint(4);
    throw unknownForm();
  }

  /** Goes on behind `length` bytes; returns where they start. */
  #skip(length: number): number {
    const start = this.#at;
    if (start + length > this.#end) throw unknownForm();
    this.#at = start + length;
    return start;
  }

  #decode(start: number): string {
    const text = decodeUtf8(this.#bytes, start, this.#at);
    if (text === undefined) throw unknownForm();
    return text;
  }

  #slotOf(start: number): number {
    let hash = 0;
    for (let at = start; at < this.#at; at++) hash = Math.imul(hash ^ this.#bytes[at]!, 0x01000193);
    return (hash ^ (hash >>> 16)) & (KNOWN_SLOTS - 1);
  }

  /** Whether the ASCII text of `[start, at)` is `text`. */
  #is(text: string, start: number): boolean {
    const length = this.#at - start;
    if (text.length !== length) return false;
    for (let at = 0; at < length; at++) {
      const byte = this.#bytes[start + at]!;
      if (byte >= 0x80 || text.charCodeAt(at) !== byte) return false;
    }
    return true;
  }
}

const NOTHING = new Uint8Array(0);
const READER = new Reader();

function unknownForm(): DeltabaseError {
  return new DeltabaseError(
    'DATA_CORRUPT',
    'a delta record has an unknown version or form: it may be of a newer release',
  );
}
