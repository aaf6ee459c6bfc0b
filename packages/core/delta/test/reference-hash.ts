// The state hash computed a second time, from the comment in src/hash.ts alone: recursively over plain
// JavaScript, without trees and caches, with exact integers where the package reckons in a field. What it
// says is the definition that the package must agree with.

import type { Json } from '../src/json.js';

/** The state hash of `json`, as 16 lower-case hexadecimal digits. */
export function referenceHash(json: Json): string {
  return LANES.map((lane) => hashValue(lane, json).toString(16).padStart(8, '0')).join('');
}

interface Lane {
  readonly multiplier: number;
  readonly base: bigint;
}

const LANES: readonly Lane[] = [
  { multiplier: 0x9e3779b1, base: 0x2545f492n },
  { multiplier: 0xc2b2ae3d, base: 0x1e3779b5n },
];
const PRIME = 2n ** 30n - 35n;

function hashValue(lane: Lane, json: Json): number {
  if (json === null) return step(lane, 1, 0);
  if (typeof json === 'boolean') return step(lane, 2, json ? 1 : 0);
  if (typeof json === 'number') {
    const words = Buffer.alloc(8);
    words.writeDoubleBE(json === 0 ? 0 : json);
    return step(lane, step(lane, 3, words.readUInt32BE(4)), words.readUInt32BE(0));
  }
  if (typeof json === 'string') return step(lane, 4, hashText(lane, json));
  if (Array.isArray(json)) {
    let polynomial = 0n;
    for (const element of json as readonly Json[]) {
      polynomial = (polynomial * lane.base + BigInt(hashValue(lane, element))) % PRIME;
    }
    return step(lane, step(lane, 7, json.length), Number(polynomial));
  }
  let sum = 0;
  const members = Object.entries(json as Readonly<Record<string, Json>>);
  for (const [name, value] of members) {
    const named = step(lane, 8, hashText(lane, name));
    sum = wrap(sum + step(lane, named, hashValue(lane, value)));
  }
  return step(lane, step(lane, 6, members.length), sum);
}

function hashText(lane: Lane, text: string): number {
  let h = 5;
  for (let i = 0; i < text.length; i++) {
    h = times(((h << 5) | (h >>> 27)) ^ text.charCodeAt(i), lane.multiplier);
  }
  return step(lane, h, text.length);
}

function step(lane: Lane, h: number, w: number): number {
  return mix(wrap(times(h, lane.multiplier) + w));
}

function mix(value: number): number {
  let h = value;
  h = wrap(h ^ (h >>> 16));
  h = times(h, 0x85ebca6b);
  h = wrap(h ^ (h >>> 13));
  h = times(h, 0xc2b2ae35);
  return wrap(h ^ (h >>> 16));
}

function times(x: number, y: number): number {
  return wrap(Math.imul(x, y));
}

function wrap(value: number): number {
  return (value % 2 ** 32) >>> 0;
}
