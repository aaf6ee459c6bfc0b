// Gathers records into the bytes of one entry: a turn's deltas of a group for the log, or a document's for its history.
// What a record has in common with one before it there is not written again: it names the place.

import { assert } from '@deltabase/base';
import { ByteWriter } from './byte-writer.js';
import { beginEntry } from './entry-form.js';
import { packPatch } from './packed-patch.js';
import {
  type DeltaRecord,
  HERE,
  type SharedFields,
  writeBody,
  writeForm,
  writeShared,
} from './record.js';
import { layoutOf } from './record-parts.js';

/** Bytes of the entry: `[at, end)`. */
interface Place {
  readonly at: number;
  readonly end: number;
}

/** A record has a shared part of its own unless it is one of so many that were written last. */
const SHARED_TRIED = 8;

export class DeltasWriter {
  readonly #writer: ByteWriter;
  #count = 0;
  /** The last shared parts, the newest first. */
  #shared: Place[] = [];
  /** The last key. */
  #key: Place | undefined;
  /** What the last record's shared part was made from, fields or bytes of another entry, and where it is here. */
  #source: SharedFields | Uint8Array | undefined;
  #sourceAt = 0;
  #sharedAt = 0;

  constructor(bytes = 4096) {
    this.#writer = new ByteWriter(bytes);
    this.#begin();
  }

  /** Records added since the last `finish`. */
  get count(): number {
    return this.#count;
  }

  /** Bytes the entry would have now. */
  get bytes(): number {
    return this.#writer.at;
  }

  /** Encodes one record into the entry. Returns its offset there: where its length stands, then it. */
  add(record: DeltaRecord): number {
    const writer = this.#writer;
    const offset = this.#beginRecord();
    writeForm(writer, record);
    const own = this.#addShared(record);
    const start = this.#beginPart();
    writer.text(record.key);
    const key = this.#endPart(start, this.#key);
    writeBody(writer, record, packPatch);
    this.#endRecord(offset, own, key);
    return offset;
  }

  /** Copies the record at `offset` of another entry. */
  copy(entry: Uint8Array, offset: number): void {
    const writer = this.#writer;
    const { start, sharedAt, sharedEnd, keyAt, keyEnd, bodyAt, end } = layoutOf(entry, offset);
    const to = this.#beginRecord();
    writer.byte(entry[start]!);
    const own = this.#copyShared(entry, sharedAt, sharedEnd);
    const part = this.#beginPart();
    writer.copy(entry, keyAt, keyEnd);
    const key = this.#endPart(part, this.#key);
    writer.copy(entry, bodyAt, end);
    this.#endRecord(to, own, key);
  }

  /** The entry's bytes, in a buffer of its own; the writer is empty afterwards. */
  finish(): Uint8Array {
    assert(this.#count > 0, 'an entry holds at least one record');
    const entry = this.#writer.slice(0, this.#writer.at);
    this.#begin();
    return entry;
  }

  #begin(): void {
    this.#count = 0;
    this.#shared = [];
    this.#key = undefined;
    this.#source = undefined;
    this.#writer.rewind(0);
    beginEntry(this.#writer, 'deltas');
  }

  /** Most records have the same as the one before: then nothing is compared byte by byte. */
  #addShared(record: DeltaRecord): Place | undefined {
    const source = this.#source;
    if (source !== undefined && !(source instanceof Uint8Array) && isSame(source, record)) {
      this.#writer.number(this.#sharedAt);
      return undefined;
    }
    const start = this.#beginPart();
    writeShared(this.#writer, record);
    return this.#endShared(start, record, 0);
  }

  #copyShared(entry: Uint8Array, at: number, end: number): Place | undefined {
    if (this.#source === entry && this.#sourceAt === at) {
      this.#writer.number(this.#sharedAt);
      return undefined;
    }
    const start = this.#beginPart();
    this.#writer.copy(entry, at, end);
    return this.#endShared(start, entry, at);
  }

  #endShared(
    start: number,
    source: SharedFields | Uint8Array,
    sourceAt: number,
  ): Place | undefined {
    this.#source = source;
    this.#sourceAt = sourceAt;
    for (const place of this.#shared) {
      if (this.#endPart(start, place) !== undefined) continue;
      this.#sharedAt = place.at;
      return undefined;
    }
    this.#sharedAt = start;
    return { at: start, end: this.#writer.at };
  }

  /** A part follows, unless it turns out to be in the entry. */
  #beginPart(): number {
    this.#writer.byte(HERE);
    return this.#writer.at;
  }

  /** Names `known` if it is the part that began at `start`; else gives that one's place. */
  #endPart(start: number, known: Place | undefined): Place | undefined {
    const writer = this.#writer;
    const part = { at: start, end: writer.at };
    if (known === undefined || !isEqual(writer.buffer, known, part)) return part;
    writer.rewind(start - 1);
    writer.number(known.at);
    return undefined;
  }

  #beginRecord(): number {
    const offset = this.#writer.at;
    this.#writer.byte(0);
    return offset;
  }

  /** `shared` and `key`: where the record has its own. */
  #endRecord(offset: number, shared: Place | undefined, key: Place | undefined): void {
    const start = offset + 1;
    const moved = this.#writer.numberBefore(start, this.#writer.at - start);
    if (shared !== undefined) {
      this.#sharedAt = shared.at + moved;
      this.#shared.unshift({ at: this.#sharedAt, end: shared.end + moved });
      if (this.#shared.length > SHARED_TRIED) this.#shared.pop();
    }
    if (key !== undefined) this.#key = { at: key.at + moved, end: key.end + moved };
    this.#count++;
  }
}

function isSame(a: SharedFields, b: SharedFields): boolean {
  return (
    a.session === b.session &&
    a.channel === b.channel &&
    a.space === b.space &&
    a.principal === b.principal &&
    a.openedAt === b.openedAt &&
    a.version === b.version
  );
}

function isEqual(bytes: Uint8Array, a: Place, b: Place): boolean {
  const length = a.end - a.at;
  if (b.end - b.at !== length) return false;
  for (let at = 0; at < length; at++) {
    if (bytes[a.at + at] !== bytes[b.at + at]) return false;
  }
  return true;
}
