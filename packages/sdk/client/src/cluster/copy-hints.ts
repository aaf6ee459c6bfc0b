// Where else documents may be read, by the word of nodes (docs/wire-formats.md, "hints"). What is known grows old: now and then
// one read goes the leader's way and brings news, while the others go on by what is known; after twice as long without news
// all do.

import { isAddress } from '../address.js';
import type { ClientLimits } from '../limits.js';
import type { World } from '../world.js';

interface Hint {
  readonly addresses: readonly string[];
  /** From when on one read is to ask anew, and none goes by this any more. */
  renewMs: number;
  readonly expiresMs: number;
}

export interface CopyHintsOptions {
  readonly world: Pick<World, 'nowMs' | 'random'>;
  readonly limits: Pick<ClientLimits, 'copyHintsMax' | 'copiesMax' | 'copyHintMs'>;
}

/** Whoever asks anew may take so long until another one does. */
const RENEWAL_MS = 1000;
const ADDRESS_LENGTH_MAX = 266;

export class CopyHints {
  readonly #options: CopyHintsOptions;
  /** By document, the one that was told of longest ago first. */
  readonly #byName = new Map<string, Hint>();

  constructor(options: CopyHintsOptions) {
    this.#options = options;
  }

  /** Documents of which copies are known. */
  get size(): number {
    return this.#byName.size;
  }

  /** A document may be read at these addresses (host:port) as well; none: nowhere. */
  learn(name: string, copies: readonly string[]): void {
    const { world, limits } = this.#options;
    this.#byName.delete(name);
    const addresses = copies.filter(canBeCalled).slice(0, limits.copiesMax);
    if (addresses.length === 0) return;
    const renewMs = world.nowMs() + limits.copyHintMs;
    this.#byName.set(name, { addresses, renewMs, expiresMs: renewMs + limits.copyHintMs });
    if (this.#byName.size <= limits.copyHintsMax) return;
    for (const oldest of this.#byName.keys()) {
      this.#byName.delete(oldest);
      return;
    }
  }

  /**
   * Where to read a document, drawn by chance of those that may be used; `undefined`: the leader's way, where there is news
   * to be had.
   */
  choose(name: string, mayUse: (address: string) => boolean): string | undefined {
    const nowMs = this.#options.world.nowMs();
    const hint = this.#find(name, nowMs);
    if (hint === undefined) return undefined;
    if (nowMs < hint.renewMs) return this.#draw(hint, mayUse);
    hint.renewMs = nowMs + RENEWAL_MS;
    return undefined;
  }

  /** The same, for who goes nowhere otherwise: news are for others to get. */
  chooseKnown(name: string, mayUse: (address: string) => boolean): string | undefined {
    const hint = this.#find(name, this.#options.world.nowMs());
    return hint && this.#draw(hint, mayUse);
  }

  #find(name: string, nowMs: number): Hint | undefined {
    const hint = this.#byName.get(name);
    if (hint === undefined || nowMs < hint.expiresMs) return hint;
    this.#byName.delete(name);
    return undefined;
  }

  #draw({ addresses }: Hint, mayUse: (address: string) => boolean): string | undefined {
    const usable = addresses.filter(mayUse);
    return usable[Math.floor(this.#options.world.random() * usable.length)];
  }
}

function canBeCalled(address: string): boolean {
  return address.length <= ADDRESS_LENGTH_MAX && isAddress(address);
}
