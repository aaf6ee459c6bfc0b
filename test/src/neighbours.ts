// Documents beside those that a test is about, one in each group, with a message at a time to each: what
// disturbs a node shows in how long these are answered, and in what.

import type { Client } from '@deltabase/client';
import { groupOf } from '@deltabase/machine';
import { sleep } from './scratch.js';

const SPACE = 'counter';
const PAUSE_MS = 10;

export interface NeighbourReport {
  /** Messages answered, of the document that got the fewest, and of all. */
  readonly fewest: number;
  readonly answered: number;
  readonly medianMs: number;
  readonly longestMs: number;
}

/** Counters that count for as long as they are let. */
export class Neighbours {
  readonly #counting: Promise<number>[];
  readonly #latenciesMs: number[] = [];
  #isStopping = false;

  /**
   * Begins, on documents whose keys start with `name` and have had no message. The machine of
   * examples/counter must be deployed as `counter`.
   */
  constructor(
    client: Client,
    { name, groups }: { readonly name: string; readonly groups: number },
  ) {
    const keys = keysInEachGroup({ space: SPACE, name, groups });
    this.#counting = keys.map((key) => this.#count(client, key));
  }

  /** Ends; rejects if any message failed, took effect twice or was answered in another order. */
  async stop(): Promise<NeighbourReport> {
    this.#isStopping = true;
    const counts = await Promise.all(this.#counting);
    const sorted = this.#latenciesMs.sort((a, b) => a - b);
    return {
      fewest: Math.min(...counts),
      answered: sorted.length,
      medianMs: sorted[sorted.length >> 1] ?? 0,
      longestMs: sorted.at(-1) ?? 0,
    };
  }

  async #count(client: Client, key: string): Promise<number> {
    const document = client.document(SPACE, key);
    let count = 0;
    while (!this.#isStopping) {
      const sentMs = performance.now();
      const { seq, reply } = await document.send('add', { by: 1 });
      this.#latenciesMs.push(performance.now() - sentMs);
      count++;
      if (reply !== count || seq !== count) {
        throw new Error(`message ${count} to ${key} made seq ${seq} and the count ${reply}`);
      }
      await sleep(PAUSE_MS);
    }
    return count;
  }
}

/** Keys that start with `name`, one of a document of `space` in each group. */
export function keysInEachGroup(options: {
  readonly space: string;
  readonly name: string;
  readonly groups: number;
}): string[] {
  const { space, name, groups } = options;
  return Array.from({ length: groups }, (_, at) => {
    for (let n = 0; ; n++) {
      const key = `${name}-${at + 1}-${n}`;
      if (groupOf(space, key, groups) === at + 1) return key;
    }
  });
}
