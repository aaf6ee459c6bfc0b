// Seeded generators: xoshiro128** 1.1 (Blackman & Vigna 2021), seeded by splitmix32. Equal seeds give
// equal sequences on every machine; used by the simulator, by tests and by guests' `random`.

/** A deterministic stream of random numbers. */
export interface Prng {
  /** The next 32 random bits, as an unsigned number in [0, 2^32). */
  next(): number;
  /** A whole number, uniform in [0, bound). `bound` is in [1, 2^32]. */
  below(bound: number): number;
  /** A fraction, uniform in [0, 1), with 32 random bits. */
  fraction(): number;
  /** An independent stream named `label`: draws from one do not shift the other. */
  fork(label: string): Prng;
}

/** The generator of `seed` (any number; its low 32 bits count). */
export function makePrng(seed: number): Prng {
  const start = seed >>> 0;
  let s0 = splitmix32(start);
  let s1 = splitmix32(start + 1);
  let s2 = splitmix32(start + 2);
  let s3 = splitmix32(start + 3) | 1;

  function next(): number {
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const t = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = rotateLeft(s3, 11);
    return result;
  }

  function below(bound: number): number {
    if (!(bound >= 1 && bound <= 2 ** 32)) throw new RangeError(`bound out of range: ${bound}`);
    // Rejection keeps the result uniform: the last, incomplete run of values is drawn again.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const value = next();
      if (value < limit) return value % bound;
    }
  }

  return {
    next,
    below,
    fraction: () => next() / 2 ** 32,
    fork: (label) => makePrng(mixLabel(start, label)),
  };
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function splitmix32(seed: number): number {
  let z = (Math.imul(seed, 0x9e3779b9) + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

function mixLabel(seed: number, label: string): number {
  let hash = seed ^ 0x811c9dc5;
  for (let i = 0; i < label.length; i++) {
    hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
  }
  return splitmix32(hash);
}
