// The polynomial of an array's hash (hash.ts), in a field of prime order: sequences concatenate in O(1)
// from hash and count, and there is no pair of sequences that cancels by its pattern alone, as there is
// modulo 2^32. A polynomial is a number in [0, PRIME); the last element has the power 0.

/** The largest prime below 2^30: a remainder that is off by one multiple still fits in 32 bits. */
export const PRIME = 2 ** 30 - 35;

/** A little more than 1 / PRIME, beyond what rounding takes away (2^-53 of a product, and of this). */
const INVERSE = (1 + 2 ** -51) / PRIME;

/** The base of one lane with what is derived from it. */
export interface Lane {
  readonly base: number;
  readonly baseInverse: number;
  /** Row r holds base^(i * 256^r) for i in [0, 256). */
  readonly powers: readonly Int32Array[];
}

export const LANE_A = makeLane(0x2545f492, 0x178657df);
export const LANE_B = makeLane(0x1e3779b5, 0x3658d2b8);

/** The term of an element with the hash lane `hash`. */
export function term(hash: number): number {
  return (hash >>> 0) % PRIME;
}

/** The polynomial of `left` with the one element `right` behind it. */
export function appended(lane: Lane, left: number, right: number): number {
  return add(multiply(left, lane.base), right);
}

/** The polynomial of `left` with the `count` elements of `right` behind it. */
export function concatenated(lane: Lane, left: number, right: number, count: number): number {
  return add(multiply(left, power(lane, count)), right);
}

/** `whole` with the part `old` become `now`, of the same count, `behind` elements before the end. */
export function replaced(
  lane: Lane,
  whole: number,
  old: number,
  now: number,
  behind: number,
): number {
  return add(whole, multiply(subtract(now, old), power(lane, behind)));
}

/**
 * `whole` with the part `old` become `now`, which has one element more (`growth` 1) or less (-1), and
 * `suffix` of `behind` elements behind it.
 */
export function resized(
  lane: Lane,
  whole: number,
  old: number,
  now: number,
  growth: number,
  suffix: number,
  behind: number,
): number {
  const weight = power(lane, behind);
  const front = subtract(subtract(whole, suffix), multiply(old, weight));
  const moved = multiply(front, growth > 0 ? lane.base : lane.baseInverse);
  return add(add(moved, multiply(now, weight)), suffix);
}

/** What remains of `whole` behind `prefix` when `behind` elements do. */
export function remainder(lane: Lane, whole: number, prefix: number, behind: number): number {
  return subtract(whole, multiply(prefix, power(lane, behind)));
}

function add(x: number, y: number): number {
  const sum = x + y - PRIME;
  return sum < 0 ? sum + PRIME : sum;
}

function subtract(x: number, y: number): number {
  const difference = x - y;
  return difference < 0 ? difference + PRIME : difference;
}

function multiply(x: number, y: number): number {
  // The quotient is never too small, and too large by one at most; so the remainder is in
  // [-PRIME, PRIME) and given by its low 32 bits.
  const quotient = Math.floor(x * y * INVERSE);
  const rest = (Math.imul(x, y) - Math.imul(quotient, PRIME)) | 0;
  return rest < 0 ? rest + PRIME : rest;
}

function power(lane: Lane, exponent: number): number {
  let result = lane.powers[0]![exponent & 255]!;
  let rest = exponent >>> 8;
  for (let row = 1; rest > 0; row++) {
    if ((rest & 255) > 0) result = multiply(result, lane.powers[row]![rest & 255]!);
    rest >>>= 8;
  }
  return result;
}

function makeLane(base: number, baseInverse: number): Lane {
  const powers: Int32Array[] = [];
  let unit = base;
  for (let row = 0; row < 4; row++) {
    const line = new Int32Array(256);
    line[0] = 1;
    for (let i = 1; i < 256; i++) line[i] = multiply(line[i - 1]!, unit);
    unit = multiply(line[255]!, unit);
    powers.push(line);
  }
  return { base, baseInverse, powers };
}
