// The state hash computed a second time, from the comment in src/hash.ts alone: slow, in exact integers,
// without trees. What it says is the definition that the package must agree with.

import type { Json } from '../src/json.js';

/** The state hash of `json`, as 16 lower-case hexadecimal digits. */
export function referenceHash(json: Json): string {
  return LANES.map((lane) => hashValue(lane, json).toString(16).padStart(8, '0')).join('');
}

interface Lane {
  readonly multiplier: bigint;
  readonly base: bigint;
}

const LANES: readonly Lane[] = [
  { multiplier: 0x9e3779b1n, base: 0x2545f492n },
  { multiplier: 0xc2b2ae3dn, base: 0x1e3779b5n },
];
const PRIME = 2n ** 30n - 35n;

function hashValue(lane: Lane, json: Json): bigint {
  if (json === null) return step(lane, 1n, 0n);
  if (typeof json === 'boolean') return step(lane, 2n, json ? 1n : 0n);
  if (typeof json === 'number') {
    const words = Buffer.alloc(8);
    words.writeDoubleBE(json === 0 ? 0 : json);
    const low = BigInt(words.readUInt32BE(4));
    return step(lane, step(lane, 3n, low), BigInt(words.readUInt32BE(0)));
  }
  if (typeof json === 'string') return step(lane, 4n, hashText(lane, json));
  if (Array.isArray(json)) {
    let polynomial = 0n;
    for (const element of json as readonly Json[]) {
      polynomial = (polynomial * lane.base + hashValue(lane, element)) % PRIME;
    }
    return step(lane, step(lane, 7n, BigInt(json.length)), polynomial);
  }
  let sum = 0n;
  const members = Object.entries(json as Readonly<Record<string, Json>>);
  for (const [name, value] of members) {
    sum += step(lane, step(lane, 8n, hashText(lane, name)), hashValue(lane, value));
  }
  return step(lane, step(lane, 6n, BigInt(members.length)), wrap(sum));
}

function hashText(lane: Lane, text: string): bigint {
  let h = 5n;
  for (let i = 0; i < text.length; i++) {
    const rotated = wrap(h << 5n) | (h >> 27n);
    h = wrap((rotated ^ BigInt(text.charCodeAt(i))) * lane.multiplier);
  }
  return step(lane, h, BigInt(text.length));
}

function step(lane: Lane, h: bigint, w: bigint): bigint {
  return mix(wrap(h * lane.multiplier + w));
}

function mix(value: bigint): bigint {
  let h = value;
  h ^= h >> 16n;
  h = wrap(h * 0x85ebca6bn);
  h ^= h >> 13n;
  h = wrap(h * 0xc2b2ae35n);
  return h ^ (h >> 16n);
}

function wrap(value: bigint): bigint {
  return value & 0xffffffffn;
}
