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

/** About as many bytes as a record's numbers take. */
const NUMBERS_BYTES = 64;
/** A record has a shared part of its own unless it is one of so many that were written last. */
const SHARED_TRIED = 8;

export class DeltasWriter {
  readonly #writer: ByteWriter;
  #count = 0;
  #wholeBytes = 0;
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

  /** About as many bytes as the records that were added have by themselves. */
  get wholeBytes(): number {
    return this.#wholeBytes;
  }

  /** Encodes one record into the entry. Returns its offset there: where its length stands, then it. */
  add(record: DeltaRecord): number {
    const writer = this.#writer;
    const offset = this.#beginRecord();
    writeForm(writer, record);
    const own = this.#addShared(record);
    writer.byte(HERE);
    const start = writer.at;
    writer.text(record.key);
    const key = this.#named(start, this.#key) ? undefined : { at: start, end: writer.at };
    writeBody(writer, record, packPatch);
    this.#endRecord(offset, own, key);
    this.#wholeBytes += wholeBytesOf(record);
    return offset;
  }

  /** Copies the record at `offset` of another entry. */
  copy(entry: Uint8Array, offset: number): void {
    const writer = this.#writer;
    const { start, sharedAt, sharedEnd, keyAt, keyEnd, bodyAt, end } = layoutOf(entry, offset);
    const to = this.#beginRecord();
    writer.byte(entry[start]!);
    const own = this.#copyShared(entry, sharedAt, sharedEnd);
    const key = this.#copyKey(entry, keyAt, keyEnd);
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
    this.#wholeBytes = 0;
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
    this.#source = record;
    this.#writer.byte(HERE);
    const start = this.#writer.at;
    writeShared(this.#writer, record);
    for (const place of this.#shared) {
      if (!this.#named(start, place)) continue;
      this.#sharedAt = place.at;
      return undefined;
    }
    return { at: start, end: this.#writer.at };
  }

  #copyShared(entry: Uint8Array, at: number, end: number): Place | undefined {
    if (this.#source === entry && this.#sourceAt === at) {
      this.#writer.number(this.#sharedAt);
      return undefined;
    }
    this.#source = entry;
    this.#sourceAt = at;
    for (const place of this.#shared) {
      if (!isEqual(this.#writer.buffer, place, entry, at, end)) continue;
      this.#sharedAt = place.at;
      this.#writer.number(place.at);
      return undefined;
    }
    return this.#copyPart(entry, at, end);
  }

  #copyKey(entry: Uint8Array, at: number, end: number): Place | undefined {
    const known = this.#key;
    if (known === undefined || !isEqual(this.#writer.buffer, known, entry, at, end)) {
      return this.#copyPart(entry, at, end);
    }
    this.#writer.number(known.at);
    return undefined;
  }

  /** Gives the record a part of its own, and says where it is. */
  #copyPart(entry: Uint8Array, at: number, end: number): Place {
    const writer = this.#writer;
    writer.byte(HERE);
    const start = writer.at;
    writer.copy(entry, at, end);
    return { at: start, end: writer.at };
  }

  /** Names `known` in place of what was written from `start` on, if that is the same. */
  #named(start: number, known: Place | undefined): boolean {
    const writer = this.#writer;
    const { buffer, at } = writer;
    if (known === undefined || !isEqual(buffer, known, buffer, start, at)) return false;
    writer.rewind(start - 1);
    writer.number(known.at);
    return true;
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

function wholeBytesOf(record: DeltaRecord): number {
  const { space, session, principal, channel, key, payload, patch, reply } = record;
  const names = space.length + session.length + principal.length + channel.length + key.length;
  return names + payload.length + patch.length + (reply?.length ?? 0) + NUMBERS_BYTES;
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

/** Whether what `place` of `entry` holds is `bytes[at, end)`. */
function isEqual(
  entry: Uint8Array,
  place: Place,
  bytes: Uint8Array,
  at: number,
  end: number,
): boolean {
  const length = end - at;
  if (place.end - place.at !== length) return false;
  for (let i = 0; i < length; i++) {
    if (entry[place.at + i] !== bytes[at + i]) return false;
  }
  return true;
}
