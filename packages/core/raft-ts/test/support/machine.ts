// The state machine of the tests: a hash over all it has applied, in order. Two machines with the same index
// and another hash have applied other entries.

import type { Entry } from '../../src/types.js';
import { bytesOf, textOf } from './entries.js';

export interface MachineState {
  readonly index: number;
  readonly hash: number;
}

export function applyEntry(state: MachineState, entry: Entry): MachineState {
  let hash = mix(mix(state.hash, entry.term), entry.type === 'normal' ? 1 : 2);
  for (const byte of entry.data) hash = mix(hash, byte);
  return { index: entry.index, hash };
}

/** One more number in a 32-bit hash. */
export function mix(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

export function encodeMachine(state: MachineState): Uint8Array {
  return bytesOf(`${state.index} ${state.hash}`);
}

export function decodeMachine(bytes: Uint8Array): MachineState {
  const [index, hash] = textOf(bytes).split(' ').map(Number);
  return { index: index!, hash: hash! };
}
