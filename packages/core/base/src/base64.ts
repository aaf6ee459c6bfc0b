// Base64 (RFC 4648 §4, with padding), for bytes that must live in JSON. Pure; hosts have their own, but not
// by one name.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const CODES = new Map([...ALPHABET].map((character, code) => [character.charCodeAt(0), code]));

export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const word = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += ALPHABET[word >>> 18]! + ALPHABET[(word >>> 12) & 63]!;
    text += at + 1 < bytes.length ? ALPHABET[(word >>> 6) & 63]! : '=';
    text += at + 2 < bytes.length ? ALPHABET[word & 63]! : '=';
  }
  return text;
}

/** The bytes of `text`; `undefined` if it is not Base64. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  const digits = text.length - padding;
  let word = 0;
  for (let at = 0; at < digits; at++) {
    const code = CODES.get(text.charCodeAt(at));
    if (code === undefined) return undefined;
    word = (word << 6) | code;
    const bits = ((at + 1) * 6) % 8;
    if (at % 4 !== 0) bytes[((at + 1) * 6 - bits) / 8 - 1] = word >>> bits;
  }
  return bytes;
}
