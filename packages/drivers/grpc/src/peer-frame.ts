// The bytes of one message between peers: SubscribeResponse of proto/deltabase/internal/v1/peer.proto, written
// and read by hand because it is two fields of fixed order around one big value. Golden bytes in tests.

import { crc32 } from 'node:zlib';
import { FRAME_HEADER_BYTES, putFrameHeader } from '@deltabase/grpc-connection';

const CRC_TAG = 0x0d; // Field 1, fixed32.
const FRAME_TAG = 0x12; // Field 2, length-delimited.
const CRC_BYTES = 4;
const HEADER_BYTES_MAX = 1 + CRC_BYTES + 1 + 5;

/** More bytes than a message adds to its frame, with gRPC's and HTTP/2's own. */
export const MESSAGE_OVERHEAD_BYTES = 64;

/** The message that carries `frame`, behind gRPC's header for it: as it goes to the stream of HTTP/2. */
export function encodePeerFrame(frame: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + HEADER_BYTES_MAX + frame.length);
  let at = FRAME_HEADER_BYTES;
  bytes[at++] = CRC_TAG;
  at = bytes.writeUInt32LE(crc32(frame), at);
  bytes[at++] = FRAME_TAG;
  at = writeLength(bytes, at, frame.length);
  bytes.set(frame, at);
  const whole = bytes.subarray(0, at + frame.length);
  putFrameHeader(whole);
  return whole;
}

/** The frame in `message`, sharing its buffer; `undefined` if it is damaged. */
export function decodePeerMessage(message: Uint8Array): Uint8Array | undefined {
  if (message.length < 3 + CRC_BYTES) return undefined;
  if (message[0] !== CRC_TAG || message[1 + CRC_BYTES] !== FRAME_TAG) return undefined;
  const { value: length, end: start } = readLength(message, 2 + CRC_BYTES);
  if (start + length !== message.length) return undefined;
  const frame = message.subarray(start);
  return crc32(frame) === readUint32(message, 1) ? frame : undefined;
}

/** Writes a varint at `at`; returns where it ends. */
function writeLength(into: Buffer, at: number, length: number): number {
  let left = length;
  let end = at;
  while (left >= 0x80) {
    into[end++] = (left & 0x7f) | 0x80;
    left >>>= 7;
  }
  into[end++] = left;
  return end;
}

function readLength(from: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  let end = at;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = from[end++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  return { value, end };
}

function readUint32(from: Uint8Array, at: number): number {
  const high = from[at + 3]! * 2 ** 24;
  return high + ((from[at + 2]! << 16) | (from[at + 1]! << 8) | from[at]!);
}
