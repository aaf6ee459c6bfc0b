// Takes a running watch to a copy: some time after it is told of some, so that not all go at once, and once one is there.

import type { ClientLimits } from '../limits.js';
import type { World } from '../world.js';
import type { Copies, DocumentName } from './copies.js';

export interface MoveHost {
  readonly copies: Copies;
  readonly world: World;
  readonly limits: Pick<ClientLimits, 'copyRestMs'>;
}

export class Move {
  readonly #host: MoveHost;
  readonly #document: DocumentName;
  /** Where the watch is; `undefined`: at a node. */
  readonly #at: string | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #isFinding = false;
  #found: string | undefined;

  constructor(host: MoveHost, document: DocumentName, at: string | undefined) {
    this.#host = host;
    this.#document = document;
    this.#at = at;
  }

  /** A response has come; most of them name no copies. */
  told(known: readonly string[] | undefined): void {
    if (known === undefined || known.length === 0) return;
    const { copies } = this.#host;
    copies.learnOfCopy(this.#document, known);
    if (this.#at !== undefined && known.includes(this.#at)) return;
    this.#dueMs = Math.min(this.#dueMs, copies.moveMs());
  }

  /** Where to go now; `undefined`: stay. */
  get next(): string | undefined {
    if (this.#found !== undefined || this.#isFinding) return this.#found;
    if (this.#host.world.nowMs() < this.#dueMs) return undefined;
    this.#isFinding = true;
    void this.#find();
    return undefined;
  }

  async #find(): Promise<void> {
    const { copies, world, limits } = this.#host;
    const found = await copies.find(this.#document);
    this.#isFinding = false;
    if (found !== undefined && found !== this.#at) this.#found = found;
    else this.#dueMs = world.nowMs() + limits.copyRestMs;
  }
}
