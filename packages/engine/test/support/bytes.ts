// Bytes as tests write and compare them.

import { DeltabaseError, makePrng, type Prng } from '@deltabase/base';

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Bytes as text, a byte for each letter. */
export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

export function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

/** A copy without msgpackr's buffer around it. */
export function own(packed: Uint8Array): Uint8Array {
  return Uint8Array.from(packed);
}

/** Every proper prefix of `whole`, copies of it with bytes changed, and bytes of pure chance. */
export function* damaged(whole: Uint8Array, seed: number): Generator<Uint8Array> {
  const random = makePrng(seed);
  for (let length = 0; length < whole.length; length++) yield whole.slice(0, length);
  for (let count = 0; count < 400; count++) yield mutated(whole, random);
  for (let count = 0; count < 400; count++) {
    yield Uint8Array.from({ length: random.below(60) }, () => random.below(256));
  }
}

function mutated(whole: Uint8Array, random: Prng): Uint8Array {
  const copy = whole.slice();
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    copy[random.below(copy.length)] = random.below(256);
  }
  return copy;
}

/** Whether `decode` read `input`; throws whatever it threw beside DATA_CORRUPT. */
export function isRead(decode: (input: Uint8Array) => unknown, input: Uint8Array): boolean {
  try {
    decode(input);
    return true;
  } catch (thrown) {
    if (thrown instanceof DeltabaseError && thrown.code === 'DATA_CORRUPT') return false;
    throw new Error(`${hex(input)} threw something else`, { cause: thrown });
  }
}
