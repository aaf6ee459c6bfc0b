// Reads a SendStreamResponse of proto/deltabase/v1/documents.proto and tells a listener what is in it, without
// making an object for each result: see frame-encoder.ts. Unknown fields are passed over, as everywhere in
// protocol buffers. A test holds it against the generic codec.

import { DeltabaseError } from '@deltabase/base';
import type { SendStreamListener } from '../transport.js';
import type { WireError } from '../wire.js';

type FrameListener = Pick<
  SendStreamListener,
  'opened' | 'route' | 'accepted' | 'failed' | 'received'
>;

/** Tells `listener` everything that is in `bytes`. Throws INTERNAL if they are not a frame. */
export function decodeFrame(bytes: Buffer, listener: FrameListener): void {
  const reader = new Reader(bytes);
  const results: number[] = [];
  const routes: number[] = [];
  let groups = 0;
  while (reader.at < reader.end) {
    const tag = reader.varint();
    if (tag === FRAME_RESULT) results.push(reader.skipNested());
    else if (tag === FRAME_ROUTE) routes.push(reader.skipNested());
    else if (tag === FRAME_GROUPS) groups = reader.varint();
    else reader.skip(tag);
  }
  if (groups > 0) listener.opened(groups);
  for (const at of routes) tellRoute(reader.nestedAt(at), listener);
  for (const at of results) tellResult(reader.nestedAt(at), listener);
  listener.received();
}

const FRAME_RESULT = 0x0a;
const FRAME_ROUTE = 0x12;
const FRAME_GROUPS = 0x18;
const RESULT_NUMBER = 0x08;
const RESULT_SEQ = 0x10;
const RESULT_REPLY = 0x1a;
const RESULT_ERROR = 0x22;
const ROUTE_GROUP = 0x08;
const ROUTE_NODE = 0x10;
const ROUTE_ADDRESS = 0x1a;
const ERROR_CODE = 0x0a;
const ERROR_MESSAGE = 0x12;
const ERROR_DETAIL = 0x1a;
const ENTRY_NAME = 0x0a;
const ENTRY_VALUE = 0x12;

function tellResult(reader: Reader, listener: FrameListener): void {
  let number = 0;
  let seq = 0;
  let reply: string | undefined;
  let error: WireError | undefined;
  while (reader.at < reader.end) {
    const tag = reader.varint();
    if (tag === RESULT_NUMBER) number = reader.varint();
    else if (tag === RESULT_SEQ) seq = reader.varint();
    else if (tag === RESULT_REPLY) reply = reader.text();
    else if (tag === RESULT_ERROR) error = readError(reader.nested());
    else reader.skip(tag);
  }
  if (error === undefined) listener.accepted(number, seq, reply);
  else listener.failed(number, error);
}

function tellRoute(reader: Reader, listener: FrameListener): void {
  let group = 0;
  let node = 0;
  let address = '';
  while (reader.at < reader.end) {
    const tag = reader.varint();
    if (tag === ROUTE_GROUP) group = reader.varint();
    else if (tag === ROUTE_NODE) node = reader.varint();
    else if (tag === ROUTE_ADDRESS) address = reader.text();
    else reader.skip(tag);
  }
  listener.route(group, node, address);
}

function readError(reader: Reader): WireError {
  let code = '';
  let message = '';
  const details: [string, string][] = [];
  while (reader.at < reader.end) {
    const tag = reader.varint();
    if (tag === ERROR_CODE) code = reader.text();
    else if (tag === ERROR_MESSAGE) message = reader.text();
    else if (tag === ERROR_DETAIL) details.push(readDetail(reader.nested()));
    else reader.skip(tag);
  }
  return { code, message, details: Object.fromEntries(details) };
}

function readDetail(reader: Reader): [string, string] {
  let name = '';
  let value = '';
  while (reader.at < reader.end) {
    const tag = reader.varint();
    if (tag === ENTRY_NAME) name = reader.text();
    else if (tag === ENTRY_VALUE) value = reader.text();
    else reader.skip(tag);
  }
  return [name, value];
}

/** Walks the fields of one message. */
class Reader {
  readonly #bytes: Buffer;
  at: number;
  readonly end: number;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.at = at;
    this.end = end;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined || scale > 2 ** 63) throw malformed();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  }

  text(): string {
    const start = this.#enter();
    return this.#bytes.toString('utf8', start, this.at);
  }

  nested(): Reader {
    const start = this.#enter();
    return new Reader(this.#bytes, start, this.at);
  }

  /** Passes over a nested message; returns where it stands, for `nestedAt`. */
  skipNested(): number {
    const { at } = this;
    this.#enter();
    return at;
  }

  nestedAt(at: number): Reader {
    this.at = at;
    return this.nested();
  }

  /** Passes over a field of any kind. */
  skip(tag: number): void {
    const wireType = tag & 7;
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.#advance(8);
    else if (wireType === 2) this.#enter();
    else if (wireType === 5) this.#advance(4);
    else throw malformed();
  }

  /** Reads a length and passes over so many bytes; returns where they begin. */
  #enter(): number {
    const length = this.varint();
    const start = this.at;
    this.#advance(length);
    return start;
  }

  #advance(bytes: number): void {
    this.at += bytes;
    if (this.at > this.end) throw malformed();
  }
}

function malformed(): DeltabaseError {
  return new DeltabaseError('INTERNAL', 'the node sent a frame that cannot be read');
}
