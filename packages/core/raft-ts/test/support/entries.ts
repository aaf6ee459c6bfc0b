// Short ways to say what tests say often.

import type { ConfState, Entry, Snapshot } from '../../src/types.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const NO_DATA = new Uint8Array(0);

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export function entry(index: number, term: number, text = ''): Entry {
  return { term, index, type: 'normal', data: bytesOf(text) };
}

/** Entries of `terms`, one after the other from `first` on. */
export function entriesFrom(first: number, ...terms: readonly number[]): Entry[] {
  return terms.map((term, offset) => entry(first + offset, term));
}

export function conf(parts: Partial<ConfState>): ConfState {
  return {
    voters: [],
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
    ...parts,
  };
}

/** A snapshot of the tests' machine, as though it had applied entries that hash to 0. */
export function snapshotAt(index: number, term: number, voters: readonly number[]): Snapshot {
  return { index, term, confState: conf({ voters }), data: bytesOf(`${index} 0`) };
}

/** `index/term` of each entry. */
export function idsOf(entries: readonly Entry[]): string {
  return entries.map(({ index, term }) => `${index}/${term}`).join(' ');
}
