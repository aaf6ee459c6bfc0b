// GetManyRequest and GetManyResponse of documents.proto, read and written by hand: they carry every read of every busy
// client. Tests hold both against the proto.

import {
  embedded,
  embeddeds,
  messageReader,
  optionalUint,
  text,
  uint,
  uints,
  WireReader,
} from '@deltabase/base';
import type { ReadValue } from '@deltabase/engine';
import { type ErrorLike, encodeError } from './error-codec.js';
import { lengthDelimitedBytes, numberBytes, WireWriter } from './writer.js';

const readGet = messageReader({
  space: text(1),
  key: text(2),
  pointer: text(3),
  mode: uint(4),
  atLeastSeq: uint(5),
  atSeq: optionalUint(6),
  withinMs: optionalUint(7),
});

const readNumberedGet = messageReader({
  number: uint(1),
  get: embedded(2, readGet, undefined),
  timeoutMs: uint(3),
});

export type NumberedGet = ReturnType<typeof readNumberedGet>;

export interface GetManyFrame {
  readonly gets: readonly NumberedGet[];
  /** Numbers of reads that nobody waits for any more. */
  readonly cancels: readonly number[];
}

/**
 * A reader of requests with at most `partsMax` reads, and as many that are given up. It throws INVALID_ARGUMENT for bytes that are
 * no such request, before it has made more of them than that.
 */
export function getManyReader(partsMax: number): (bytes: Uint8Array) => GetManyFrame {
  const read = messageReader({
    gets: embeddeds(1, readNumberedGet, partsMax),
    cancels: uints(2, partsMax),
  });
  return ({ buffer, byteOffset, length }) =>
    read(new WireReader(new Uint8Array(buffer, byteOffset, length)));
}

/** Gathers the answers of a turn into one response. */
export class GetManyWriter {
  readonly #writer = new WireWriter();
  readonly #part = new WireWriter();

  /** Bytes gathered. */
  get length(): number {
    return this.#writer.length;
  }

  /** `copies`: host:port of where else the document may be read. */
  value(number: number, read: ReadValue, copies: readonly string[]): void {
    const { seq, hash, value, stalenessMs } = read;
    const part = this.#part;
    part.clear();
    part.number(1, seq).text(2, hash).bytes(3, value);
    if (stalenessMs !== undefined) part.optionalNumber(4, Math.ceil(stalenessMs));
    for (const address of copies) part.text(5, address);
    this.#numbered(number, 2, part.view());
  }

  failed(number: number, why: ErrorLike): void {
    this.#numbered(number, 3, encodeError(why));
  }

  /** The response's bytes; the writer is empty afterwards. */
  finish(): Buffer {
    return this.#writer.finish();
  }

  #numbered(number: number, field: number, content: Uint8Array): void {
    this.#writer
      .head(1, numberBytes(number) + lengthDelimitedBytes(content.length))
      .number(1, number)
      .present(field, content);
  }
}
