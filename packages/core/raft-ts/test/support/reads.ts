// Reads of the tests: asked by a text, answered as `text@index`.

import type { Message } from '../../src/message.js';
import type { ReadState } from '../../src/types.js';
import { bytesOf, textOf } from './entries.js';
import type { Single } from './single.js';

/** Asks; returns what is sent for it. */
export function read(one: Single, context: string): Message[] {
  return one.run((node) => node.readIndex(bytesOf(context)));
}

/** `context@index` of each answer. */
export function answers(reads: readonly ReadState[]): string[] {
  return reads.map(({ index, context }) => `${textOf(context)}@${index}`);
}
