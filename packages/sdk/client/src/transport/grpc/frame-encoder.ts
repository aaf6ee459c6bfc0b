// Writes a SendStreamRequest of proto/deltabase/v1/documents.proto straight from the messages that wait: the
// generic way (an object for each message, copied and walked by its type) takes several times as long, and
// this is done for every message. A test holds it against the generic codec.

import type { WireMessage, WireSession } from '../wire.js';

/** Tags: field number and wire type. */
const FRAME_SESSION = 0x0a;
const FRAME_MESSAGE = 0x12;
const FRAME_TIMEOUT = 0x18;
const SESSION_NAME = 0x0a;
const SESSION_OPENED_AT = 0x10;
const SESSION_SETTLED = 0x18;
const SESSION_EXPIRES_AT = 0x20;
const MESSAGE_SPACE = 0x0a;
const MESSAGE_KEY = 0x12;
const MESSAGE_CHANNEL = 0x1a;
const MESSAGE_PAYLOAD = 0x22;
const MESSAGE_NUMBER = 0x28;
const MESSAGE_AFTER = 0x30;
const MESSAGE_RETRIED = 0x38;

const SCRATCH_BYTES = 64 * 1024;
/** More than tags, lengths and numbers of a session or a message take. */
const OVERHEAD_BYTES = 64;
const UTF8_BYTES_MAX = 3;
/** Shorter texts are copied faster here than by a call into the host. */
const SHORT_MAX = 24;

/** Encodes frames one after the other; its scratch space grows to the largest. */
export class FrameEncoder {
  #buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #at = 0;

  /** The bytes of one frame, in a buffer of their own. */
  encode(
    session: WireSession | undefined,
    messages: readonly WireMessage[],
    timeoutMs: number,
  ): Buffer {
    this.#at = 0;
    if (session !== undefined) this.#session(session);
    for (const message of messages) this.#message(message);
    this.#reserve(OVERHEAD_BYTES);
    this.#number(FRAME_TIMEOUT, timeoutMs);
    return Buffer.from(this.#buffer.subarray(0, this.#at));
  }

  #session({ name, openedAtMs, settled, expiresAtMs }: WireSession): void {
    this.#reserve(OVERHEAD_BYTES + name.length * UTF8_BYTES_MAX);
    const start = this.#begin(FRAME_SESSION);
    this.#text(SESSION_NAME, name);
    this.#number(SESSION_OPENED_AT, openedAtMs);
    this.#number(SESSION_SETTLED, settled);
    this.#number(SESSION_EXPIRES_AT, expiresAtMs);
    this.#end(start);
  }

  #message({ space, key, channel, payload, number, after, retried }: WireMessage): void {
    const characters = space.length + key.length + channel.length + payload.length;
    this.#reserve(OVERHEAD_BYTES + characters * UTF8_BYTES_MAX);
    const start = this.#begin(FRAME_MESSAGE);
    this.#text(MESSAGE_SPACE, space);
    this.#text(MESSAGE_KEY, key);
    this.#text(MESSAGE_CHANNEL, channel);
    this.#text(MESSAGE_PAYLOAD, payload);
    this.#number(MESSAGE_NUMBER, number);
    this.#number(MESSAGE_AFTER, after);
    this.#number(MESSAGE_RETRIED, retried ? 1 : 0);
    this.#end(start);
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#at + bytes));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }

  /** Begins a nested message; its length is not known yet and gets the one byte that mostly suffices. */
  #begin(tag: number): number {
    this.#buffer[this.#at] = tag;
    this.#at += 2;
    return this.#at;
  }

  /** Ends a nested message that began at `start`. */
  #end(start: number): void {
    const length = this.#at - start;
    const lengthBytes = varintBytes(length);
    if (lengthBytes > 1) {
      this.#buffer.copyWithin(start + lengthBytes - 1, start, this.#at);
      this.#at += lengthBytes - 1;
    }
    writeVarint(this.#buffer, start - 1, length);
  }

  #text(tag: number, text: string): void {
    if (text.length === 0) return;
    const buffer = this.#buffer;
    buffer[this.#at++] = tag;
    if (text.length <= SHORT_MAX && this.#shortAscii(text)) return;
    const start = this.#at + varintBytes(text.length);
    const written = buffer.write(text, start, 'utf8');
    const shift = varintBytes(written) - varintBytes(text.length);
    if (shift > 0) buffer.copyWithin(start + shift, start, start + written);
    writeVarint(buffer, this.#at, written);
    this.#at = start + shift + written;
  }

  /** Writes a short text with its length unless it has a character beyond ASCII. */
  #shortAscii(text: string): boolean {
    const buffer = this.#buffer;
    const start = this.#at + 1;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) return false;
      buffer[start + i] = unit;
    }
    buffer[this.#at] = text.length;
    this.#at = start + text.length;
    return true;
  }

  #number(tag: number, value: number): void {
    if (value === 0) return;
    this.#buffer[this.#at++] = tag;
    this.#at = writeVarint(this.#buffer, this.#at, value);
  }
}

/** Writes a whole number of at least 0; returns where it ends. */
function writeVarint(into: Buffer, at: number, value: number): number {
  let left = value;
  let end = at;
  while (left > 0x7fffffff) {
    into[end++] = (left % 0x80) | 0x80;
    left = Math.floor(left / 0x80);
  }
  while (left >= 0x80) {
    into[end++] = (left & 0x7f) | 0x80;
    left >>>= 7;
  }
  into[end++] = left;
  return end;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let left = value; left >= 0x80; left >>>= 7) bytes++;
  return bytes;
}
