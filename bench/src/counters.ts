// Counters (examples/counter) as a workload: each message adds 1, and in the end each must say how often it
// was told to.

import type { Client, DocumentHandle } from '@deltabase/client';
import { exampleModule } from './bench-cluster.js';
import type { Shot } from './load.js';
import { checksumOfDocuments, readBack } from './read-back.js';

/** The space of the counters. */
export const SPACE = 'counter';

export class Counters {
  readonly #client: Client;
  readonly #added = new Map<string, number>();

  /** Deploys the machine. */
  static async deploy(client: Client): Promise<Counters> {
    await client.machines.deploy(SPACE, await exampleModule('counter'));
    return new Counters(client);
  }

  private constructor(client: Client) {
    this.#client = client;
  }

  document(key: string): DocumentHandle {
    return this.#client.document(SPACE, key);
  }

  /** The next message to a counter, which must be sent. */
  add(document: DocumentHandle): Shot {
    this.#added.set(document.key, (this.#added.get(document.key) ?? 0) + 1);
    return { document, channel: 'add', payload: { by: 1 } };
  }

  /** Reads all of them back. Throws unless every message took effect once; returns a hash of what they are. */
  async verify(): Promise<string> {
    const found = await readBack<{ n: number }>(
      this.#client,
      SPACE,
      [...this.#added.keys()].sort(),
    );
    for (const { key, seq, value } of found) {
      const added = this.#added.get(key);
      if (value.n !== added || seq !== added) {
        throw new Error(`${key} counts ${value.n} at seq ${seq} after ${added} messages`);
      }
    }
    return checksumOfDocuments(found);
  }
}
