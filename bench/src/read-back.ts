// What documents are in the end: the result of a benchmark, which it checks and hashes.

import type { Client } from '@deltabase/client';
import type { Json } from '@deltabase/delta';
import { checksumOf } from './harness.js';

/** A document that was read back. */
export interface Found<State = Json> {
  readonly key: string;
  readonly seq: number;
  readonly value: State;
}

const READS = 64;

/** Reads documents, in the order of their keys. */
export async function readBack<State>(
  client: Client,
  space: string,
  keys: readonly string[],
): Promise<Found<State>[]> {
  const found: Found<State>[] = [];
  let next = 0;
  const reader = async (): Promise<void> => {
    while (next < keys.length) {
      const at = next++;
      const key = keys[at]!;
      const { seq, value } = await client.document<State>(space, key).get();
      found[at] = { key, seq, value };
    }
  };
  await Promise.all(Array.from({ length: READS }, reader));
  return found;
}

/** One hash of all of them: key, seq and state. */
export function checksumOfDocuments(documents: readonly Found<unknown>[]): string {
  return checksumOf(
    ...documents.map(({ key, seq, value }) => `${key} ${seq} ${JSON.stringify(value)}`),
  );
}
