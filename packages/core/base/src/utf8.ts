// UTF-8, strict both ways: what is not well-formed Unicode is refused, never replaced silently.
// The one place of the core that names TextEncoder/TextDecoder (WHATWG Encoding): they are pure, exist in
// every JavaScript host, and `lib: es2023` does not declare them. Short ASCII, the common case, stays in
// JavaScript, where it is faster than the call into the host.

interface Encoder {
  encode(text: string): Uint8Array;
  encodeInto(text: string, into: Uint8Array): { read: number; written: number };
}
interface Decoder {
  decode(bytes: Uint8Array): string;
}
declare const TextEncoder: new () => Encoder;
declare const TextDecoder: new (
  label: string,
  options: { fatal: boolean; ignoreBOM: boolean },
) => Decoder;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const SHORT_MAX = 40;

/** The UTF-8 bytes of `text`; a lone surrogate becomes U+FFFD (check `text.isWellFormed()` first). */
export function encodeUtf8(text: string): Uint8Array {
  const { length } = text;
  if (length > SHORT_MAX) return encoder.encode(text);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x80) return encoder.encode(text);
    bytes[at] = unit;
  }
  return bytes;
}

/** Whether `text` takes more than `max` bytes in UTF-8. */
export function exceedsUtf8(text: string, max: number): boolean {
  // A UTF-16 unit takes 1 to 3 bytes: most texts need no counting.
  return text.length > max || (text.length > max / 3 && utf8Length(text) > max);
}

function utf8Length(text: string): number {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) >= 0x80) return encoder.encode(text).length;
  }
  return text.length;
}

/** Writes `text` at the start of `into` as far as it fits; returns the bytes written. */
export function encodeUtf8Into(text: string, into: Uint8Array): number {
  return encoder.encodeInto(text, into).written;
}

/** The text of `bytes[start, end)`, or `undefined` where they are not well-formed UTF-8. */
export function decodeUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string | undefined {
  if (end - start <= SHORT_MAX) {
    const text = decodeShortAscii(bytes, start, end);
    if (text !== undefined) return text;
  }
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch {
    return undefined; // The decoder throws on malformed input only: the answer, not a failure.
  }
}

/** The units of a short text of each length: to make a text at once is faster than to grow it. */
const units = Array.from({ length: SHORT_MAX + 1 }, (_, length) =>
  new Array<number>(length).fill(0),
);

function decodeShortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  const text = units[end - start]!;
  for (let from = start, to = 0; from < end; from++, to++) {
    const byte = bytes[from]!;
    if (byte >= 0x80) return undefined;
    text[to] = byte;
  }
  return String.fromCharCode.apply(undefined, text);
}
