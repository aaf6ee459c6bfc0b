// The state hash of a value: 64 bits in two lanes, `a` and `b`, of 32 bits each. It depends on the JSON
// value alone, not on tree shape or history, so any two copies of a document can be compared by (seq,
// hash): it is the rolling hash that proves StateIsFold. It is no defence against forgery.
//
// A lane is computed as follows, in unsigned 32-bit arithmetic that wraps; M is 0x9e3779b1 in lane a and
// 0xc2b2ae3d in lane b, and lanes do not see each other. Shifts to the right bring in zeros.
//   mix(h):      h ^= h >> 16; h *= 0x85ebca6b; h ^= h >> 13; h *= 0xc2b2ae35; h ^= h >> 16
//   step(h, w):  mix(h * M + w)
//   text(s):     h = 5; for each UTF-16 code unit u of s: h = (rotateLeft(h, 5) ^ u) * M;
//                then step(h, number of code units)
//   null:        step(1, 0)        false: step(2, 0)        true: step(2, 1)
//   number n:    step(step(3, low), high), the words of n as an IEEE 754 double; -0 counts as 0
//   string s:    step(4, text(s))
//   object:      step(step(6, count), sum), where sum adds up, for every member, in any order,
//                step(step(8, text(name)), hash of the value)
//   array:       step(step(7, count), polynomial), where the polynomial of no elements is 0, and an
//                element of hash h behind polynomial p makes it (p * B + h) mod P, in exact arithmetic,
//                P = 2^30 - 35, B = 0x2545f492 in lane a and 0x1e3779b5 in lane b (primitive roots)
// As text the hash is lane a and then lane b, eight lower-case hexadecimal digits each.

export const MULTIPLIER_A = 0x9e3779b1 | 0;
export const MULTIPLIER_B = 0xc2b2ae3d | 0;

/** First words of what is hashed, so that values of different kinds differ. */
export const TAG = {
  null: 1,
  boolean: 2,
  number: 3,
  string: 4,
  text: 5,
  object: 6,
  array: 7,
  member: 8,
} as const;

/** `step` of the algorithm above, in the lane of `multiplier`; a signed 32-bit number. */
export function step(multiplier: number, hash: number, word: number): number {
  let h = (Math.imul(hash, multiplier) + word) | 0;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** The two lanes as 16 lower-case hexadecimal digits. */
export function formatHash(a: number, b: number): string {
  return hex(a) + hex(b);
}

const HEX_BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hex(lane: number): string {
  return (
    HEX_BYTES[lane >>> 24]! +
    HEX_BYTES[(lane >>> 16) & 255]! +
    HEX_BYTES[(lane >>> 8) & 255]! +
    HEX_BYTES[lane & 255]!
  );
}
