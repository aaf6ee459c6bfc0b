// The live copies of a replica: what was asked for, until nobody has for a while, and what it was told to hold; at
// most as many as memory is given for and an upstream takes watches, those that were used longest ago go first.

import type { Limits } from '@deltabase/base';
import { type DocumentName, documentId } from '../documents/document-name.js';
import { type Failure, overloaded } from '../results.js';
import { LiveCopy } from './live-copy.js';

export interface CopiesHost {
  readonly limits: CopiesLimits;
  nowMs(): number;
  /** A copy is to be kept current from now on. */
  opened(copy: LiveCopy): void;
  /** A copy is not to be kept any more; `why` unless nobody uses it. */
  dropped(copy: LiveCopy, why: Failure | undefined): void;
  /** Its state has not come in time: nobody should wait any longer. */
  overdue(copy: LiveCopy): void;
}

type CopiesLimits = Pick<
  Limits,
  'residentBytesMax' | 'idleEvictMs' | 'recentBytesMax' | 'watchesPerStreamMax'
>;

/** How much later than it was used a copy is known to have been. */
const TOUCH_MS = 1000;
/** How long a state may take to come: a large one over a slow line does. */
const LOAD_MS = 15_000;
/** So often it tries again to get what it is to hold. */
const HOLD_MS = 1000;
/** How many are looked at in a tick. */
const SWEEP_MAX = 1000;

export class Copies {
  readonly #host: CopiesHost;
  /** By name, those first that were used longest ago. */
  readonly #byName = new Map<string, LiveCopy>();
  /** What is to be held, by name, whether there is a copy now or not. */
  readonly #held = new Map<string, DocumentName>();
  #heldMs = Number.NEGATIVE_INFINITY;
  #bytes = 0;
  #sweep: Iterator<LiveCopy> | undefined;
  #evictions = 0;

  constructor(host: CopiesHost) {
    this.#host = host;
  }

  /** Bytes of memory, about. */
  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#byName.size;
  }

  /** Copies that it has let go of because nobody used them, or others needed the room. */
  get evictions(): number {
    return this.#evictions;
  }

  /** All of them; may be walked slowly while they come and go. */
  all(): IterableIterator<LiveCopy> {
    return this.#byName.values();
  }

  find(name: DocumentName): LiveCopy | undefined {
    return this.#byName.get(documentId(name));
  }

  /** Why no copy can be made of it, if there is none. */
  refusal(name: DocumentName): Failure | undefined {
    if (this.find(name) !== undefined) return undefined;
    this.#makeRoom();
    if (!this.#isFull) return undefined;
    return overloaded('this replica has no room for another document: ask another process');
  }

  /** The copy, made if need be; it counts as used now. */
  open(name: DocumentName): LiveCopy {
    const known = this.find(name);
    if (known !== undefined) {
      this.#touch(known);
      return known;
    }
    const id = documentId(name);
    const copy = new LiveCopy(name.space, name.key, this.#host.limits.recentBytesMax);
    copy.openedMs = this.#host.nowMs();
    copy.usedMs = copy.openedMs;
    copy.isHeld = this.#held.has(id);
    this.#byName.set(id, copy);
    this.#bytes += copy.residentBytes;
    this.#host.opened(copy);
    return copy;
  }

  /** Keeps a copy from now on, as far as there is room, and tries again where it cannot be had. */
  hold(name: DocumentName): void {
    // More could not be watched: they would take no more than room.
    if (this.#held.size >= this.#host.limits.watchesPerStreamMax) return;
    this.#held.set(documentId(name), name);
    this.#keep(name);
  }

  /** Keeps it no longer than anybody uses it. */
  release(name: DocumentName): void {
    this.#held.delete(documentId(name));
    const copy = this.find(name);
    if (copy !== undefined) copy.isHeld = false;
  }

  /** It has grown or shrunk. */
  changed(copy: LiveCopy): void {
    if (this.find(copy) !== copy) return;
    this.#bytes -= copy.residentBytes;
    copy.residentBytes = copy.bytes;
    this.#bytes += copy.residentBytes;
  }

  /** Lets go of it; `why` is for whoever uses it. */
  drop(copy: LiveCopy, why: Failure | undefined): void {
    if (this.find(copy) !== copy) return;
    this.#byName.delete(documentId(copy));
    this.#bytes -= copy.residentBytes;
    this.#host.dropped(copy, why);
  }

  /** Lets go of some of those that nobody has used for long, and of more if memory is short. */
  tick(nowMs: number): void {
    const { idleEvictMs } = this.#host.limits;
    this.#sweep ??= this.all();
    for (let count = 0; count < SWEEP_MAX; count++) {
      const next = this.#sweep.next();
      if (next.done) {
        this.#sweep = undefined;
        break;
      }
      const copy = next.value;
      if (copy.document === undefined && nowMs - copy.openedMs > LOAD_MS) this.#host.overdue(copy);
      else if (!copy.isIdle) this.#touch(copy);
      else if (nowMs - copy.usedMs >= idleEvictMs) this.#evict(copy);
    }
    this.#makeRoom();
    if (nowMs - this.#heldMs < HOLD_MS) return;
    this.#heldMs = nowMs;
    for (const name of this.#held.values()) this.#keep(name);
  }

  get #isFull(): boolean {
    const { residentBytesMax, watchesPerStreamMax } = this.#host.limits;
    return this.#bytes >= residentBytesMax || this.count >= watchesPerStreamMax;
  }

  #keep(name: DocumentName): void {
    if (this.refusal(name) === undefined) this.open(name).isHeld = true;
  }

  /** Moves it behind those that were used before; not at every use. */
  #touch(copy: LiveCopy): void {
    const nowMs = this.#host.nowMs();
    if (nowMs - copy.usedMs < TOUCH_MS) return;
    copy.usedMs = nowMs;
    const id = documentId(copy);
    this.#byName.delete(id);
    this.#byName.set(id, copy);
  }

  #evict(copy: LiveCopy): void {
    this.#evictions++;
    this.drop(copy, undefined);
  }

  /** Drops what nobody uses at this moment, longest unused first, while there is too much. */
  #makeRoom(): void {
    if (!this.#isFull) return;
    let looked = 0;
    for (const copy of this.#byName.values()) {
      if (copy.isIdle) this.#evict(copy);
      if (!this.#isFull || ++looked === SWEEP_MAX) return;
    }
  }
}
