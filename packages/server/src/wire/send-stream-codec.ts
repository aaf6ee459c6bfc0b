// SendStreamRequest and SendStreamResponse of documents.proto, read and written by hand: they carry every
// message of every busy client. Tests hold both against the proto.

import { DeltabaseError, LENGTH_DELIMITED, VARINT, WireReader } from '@deltabase/base';
import type { Result } from '@deltabase/engine';
import { encodeError } from './error-codec.js';
import { lengthDelimitedBytes, numberBytes, WireWriter } from './writer.js';

/** A frame of messages, as it came. */
export interface SendFrame {
  /** `undefined`: the stream's session stays. */
  readonly session: WireSession | undefined;
  readonly messages: readonly WireMessage[];
  /** 0: not given. */
  readonly timeoutMs: number;
}

export interface WireSession {
  readonly name: string;
  readonly openedAtMs: number;
  readonly settled: number;
  readonly expiresAtMs: number;
}

export interface WireMessage {
  readonly space: string;
  readonly key: string;
  readonly channel: string;
  readonly payload: Uint8Array;
  readonly number: number;
  readonly after: number;
  readonly retried: boolean;
}

/** Who leads a group; node 0 and no address: nobody that is known. */
export interface Route {
  readonly group: number;
  readonly node: number;
  readonly address: string;
}

const EMPTY = new Uint8Array(0);

/** Reads the frames of one stream. Spaces and channels that come again are not decoded again. */
export class SendFrameReader {
  readonly #messagesMax: number;
  #space = '';
  #channel = '';

  constructor(messagesMax: number) {
    this.#messagesMax = messagesMax;
  }

  /** Throws INVALID_ARGUMENT for bytes that are no such frame, and for too many messages. */
  read(bytes: Uint8Array): SendFrame {
    const reader = new WireReader(plainBytes(bytes));
    const messages: WireMessage[] = [];
    let session: WireSession | undefined;
    let timeoutMs = 0;
    while (!reader.isAtEnd) {
      const tag = reader.tag();
      if (tag === lengthDelimited(2)) messages.push(this.#message(reader.message()));
      else if (tag === lengthDelimited(1)) session = readSession(reader.message());
      else if (tag === varint(3)) timeoutMs = reader.varint();
      else reader.skip(tag);
      if (messages.length > this.#messagesMax) throw tooMany(this.#messagesMax);
    }
    return { session, messages, timeoutMs };
  }

  #message(reader: WireReader): WireMessage {
    let space = '';
    let key = '';
    let channel = '';
    let payload: Uint8Array = EMPTY;
    let number = 0;
    let after = 0;
    let retried = false;
    while (!reader.isAtEnd) {
      const tag = reader.tag();
      if (tag === lengthDelimited(1)) space = this.#space = reader.text(this.#space);
      else if (tag === lengthDelimited(2)) key = reader.text();
      else if (tag === lengthDelimited(3)) channel = this.#channel = reader.text(this.#channel);
      else if (tag === lengthDelimited(4)) payload = reader.bytes();
      else if (tag === varint(5)) number = reader.varint();
      else if (tag === varint(6)) after = reader.varint();
      else if (tag === varint(7)) retried = reader.varint() !== 0;
      else reader.skip(tag);
    }
    return { space, key, channel, payload, number, after, retried };
  }
}

function readSession(reader: WireReader): WireSession {
  let name = '';
  let openedAtMs = 0;
  let settled = 0;
  let expiresAtMs = 0;
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === lengthDelimited(1)) name = reader.text();
    else if (tag === varint(2)) openedAtMs = reader.varint();
    else if (tag === varint(3)) settled = reader.varint();
    else if (tag === varint(4)) expiresAtMs = reader.varint();
    else reader.skip(tag);
  }
  return { name, openedAtMs, settled, expiresAtMs };
}

/** Gathers the answers of a turn into one response. */
export class SendResponseWriter {
  readonly #writer = new WireWriter();

  /** Bytes gathered. */
  get length(): number {
    return this.#writer.length;
  }

  result(number: number, result: Result): void {
    if (result.kind === 'failed') this.#failure(number, encodeError(result));
    else this.#acceptance(number, result.seq, result.reply);
  }

  route({ group, node, address }: Route): void {
    const route = new WireWriter().number(1, group).number(2, node).text(3, address).finish();
    this.#writer.present(2, route);
  }

  groups(count: number): void {
    this.#writer.number(3, count);
  }

  /** The response's bytes; the writer is empty afterwards. */
  finish(): Buffer {
    return this.#writer.finish();
  }

  #acceptance(number: number, seq: number, reply: Uint8Array | undefined): void {
    const replyBytes = reply === undefined ? 0 : lengthDelimitedBytes(reply.length);
    const writer = this.#writer.head(1, numberBytes(number) + numberBytes(seq) + replyBytes);
    writer.number(1, number).number(2, seq);
    if (reply !== undefined) writer.present(3, reply);
  }

  #failure(number: number, error: Uint8Array): void {
    this.#writer
      .head(1, numberBytes(number) + lengthDelimitedBytes(error.length))
      .number(1, number)
      .present(4, error);
  }
}

/** Without the methods of Node.js's Buffer, which take several times as long to cut a payload out. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function varint(field: number): number {
  return (field << 3) | VARINT;
}

function lengthDelimited(field: number): number {
  return (field << 3) | LENGTH_DELIMITED;
}

function tooMany(max: number): DeltabaseError {
  const why = `a frame holds more than ${max} messages: send them in several`;
  return new DeltabaseError('INVALID_ARGUMENT', why);
}
