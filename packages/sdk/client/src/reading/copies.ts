// Reads and watches of hot documents at their copies: by the word of nodes, spread by chance, and the leader's way again where
// a copy fails. Whatever a copy answers is as fresh as the same answer of a node.

import { CopyHints } from '../cluster/copy-hints.js';
import { CopyLinks, type CopyUse } from '../cluster/copy-links.js';
import type { ClientLimits } from '../limits.js';
import type { Transport } from '../transport/transport.js';
import type { World } from '../world.js';

export interface DocumentName {
  readonly space: string;
  readonly key: string;
}

export interface CopiesOptions {
  readonly world: World;
  readonly limits: ClientLimits;
  readonly transport: Transport;
}

export class Copies {
  readonly #options: CopiesOptions;
  readonly #hints: CopyHints;
  readonly #links: CopyLinks;

  constructor(options: CopiesOptions) {
    this.#options = options;
    this.#hints = new CopyHints(options);
    this.#links = new CopyLinks(options);
  }

  /** A node has answered; it names copies, or none. */
  learn(document: DocumentName, copies: readonly string[] = []): void {
    this.#hints.learn(idOf(document), copies);
  }

  /** A copy has answered; it names copies of its own, or none, which says nothing of others. */
  learnOfCopy(document: DocumentName, copies: readonly string[] = []): void {
    if (copies.length > 0) this.#hints.learn(idOf(document), copies);
  }

  /** Where to read a document now; to be left once it is not used any more. `undefined`: the leader's way. */
  choose(document: DocumentName): CopyUse | undefined {
    const address = this.#hints.choose(idOf(document), this.#mayUse);
    return address === undefined ? undefined : this.#links.use(address);
  }

  /** A copy of the document that is there, to move to; `undefined`: none. */
  async find(document: DocumentName): Promise<string | undefined> {
    const address = this.#hints.chooseKnown(idOf(document), this.#mayUse);
    return address !== undefined && (await this.#links.isThere(address)) ? address : undefined;
  }

  /** Uses the copy at an address, unless it has failed lately or there is no room for a connection to it. */
  use(address: string): CopyUse | undefined {
    return this.#links.mayUse(address) ? this.#links.use(address) : undefined;
  }

  /** When a watch that is told of copies now should go there, ms: not all at once. */
  moveMs(): number {
    const { world, limits } = this.#options;
    return world.nowMs() + world.random() * limits.copyMoveMs;
  }

  close(): void {
    this.#links.close();
  }

  readonly #mayUse = (address: string): boolean => this.#links.mayUse(address);
}

/** No space has a slash in its name. */
function idOf({ space, key }: DocumentName): string {
  return `${space}/${key}`;
}
