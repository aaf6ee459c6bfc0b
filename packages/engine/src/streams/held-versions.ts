// Earlier versions of documents, held for watchers that lag: the difference from there to the newest state is
// the one patch that such a watcher gets, however many deltas it missed. A version shares what is equal with
// the document, but may come to share nothing, so each counts as a whole document. Beyond the limit those that
// have been held longest are let go; their watchers manage without (composing-watcher.ts).

import { bytesOf, type Value } from '@deltabase/delta';

/** Who needs a version. */
export interface VersionHolder {
  /** The version is not held any more, and must not be kept elsewhere. */
  letGo(): void;
}

interface Held {
  readonly bytes: number;
  readonly holders: Set<VersionHolder>;
}

/** Roughly what one takes beside its state, in bytes. */
const OVERHEAD_BYTES = 256;

export class HeldVersions {
  readonly #bytesMax: number;
  /** By root, oldest first: watchers that lag alike hold one. */
  readonly #held = new Map<Value, Held>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes of all of them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Holds a state for `holder`; `false` if it is too large. */
  hold(root: Value, holder: VersionHolder): boolean {
    const held = this.#held.get(root);
    if (held !== undefined) {
      held.holders.add(holder);
      return true;
    }
    const bytes = OVERHEAD_BYTES + bytesOf(root);
    if (bytes > this.#bytesMax) return false;
    for (const [oldest, { holders }] of this.#held) {
      if (this.#bytes + bytes <= this.#bytesMax) break;
      this.#forget(oldest);
      for (const other of holders) other.letGo();
    }
    this.#held.set(root, { bytes, holders: new Set([holder]) });
    this.#bytes += bytes;
    return true;
  }

  /** `holder` needs it no more. */
  release(root: Value, holder: VersionHolder): void {
    const held = this.#held.get(root);
    if (held?.holders.delete(holder) && held.holders.size === 0) this.#forget(root);
  }

  #forget(root: Value): void {
    this.#bytes -= this.#held.get(root)!.bytes;
    this.#held.delete(root);
  }
}
