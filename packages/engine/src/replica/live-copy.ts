// A document kept current by its delta stream. Each delta is folded onto the state and the result held against the
// hash that came with it (StateIsFold); what does not fit is not taken, and the copy must begin anew.

import { assert, DeltabaseError } from '@deltabase/base';
import {
  applyPatch,
  bytesOf,
  hashText,
  PieceBuilder,
  parsePatch,
  parsePiece,
  type Version,
} from '@deltabase/delta';
import { COMMITTED } from '@deltabase/machine';
import type { DocumentObserver } from '../documents/local-document.js';
import { recordOf, type TailDelta } from '../documents/tail.js';
import type { Failure } from '../results.js';
import type { StreamedDocument } from '../streams/document-source.js';
import { RecentDeltas } from './recent-deltas.js';

/** What became of something that an upstream sent. */
export type Taken =
  /** It is part of the copy now, or was already. */
  | 'taken'
  /** More of a state is to come. */
  | 'begun'
  /** It does not fit: another delta is missing, or the hash is another one. */
  | 'unfit';

/** Roughly what one takes beside its state and deltas, in bytes. */
const OVERHEAD_BYTES = 1024;
/** Moments that a copy that lags keeps in mind; with more, the latest ones count as one. */
const MOMENTS_MAX = 16;

/** At `seq` everything is here that was committed until `ms`. */
interface Moment {
  readonly seq: number;
  readonly ms: number;
}

export class LiveCopy implements StreamedDocument {
  readonly space: string;
  readonly key: string;
  readonly tail: RecentDeltas;
  /** The state; `undefined` until it has come. */
  document: { readonly committed: Version } | undefined;
  appliedBytes = 0;
  watches = 0;
  observer: DocumentObserver | undefined;
  /** Its watch on the present connection; 0: none. */
  id = 0;
  /** Its present watch gives a state first, which has not come. */
  awaitsState = false;
  /** The last question how far it must be was not answered, or late. */
  isDoubtful = false;
  /** Upstreams that had no room for it, since something of it came. */
  refusals = 0;
  /** When it was first asked for, by the monotonic clock, ms. */
  openedMs = 0;
  /** When it was last read or watched, by the monotonic clock, ms. */
  usedMs = 0;
  /** When its present watch was asked for; monotonic, ms. */
  askedMs = 0;
  /** Called when the state has come, or why it will not. */
  waiting: Array<(why: Failure | undefined) => void> = [];
  /** What it was counted as when it last changed, bytes. */
  residentBytes = OVERHEAD_BYTES;
  /** Is to be kept, whether it is used or not. */
  isHeld = false;
  #building: PieceBuilder | undefined;
  /** Where it was when it was last looked at, and how often it was there although it should have been further. */
  #lookedSeq = 0;
  #stuckLooks = 0;
  #freshMs = Number.NEGATIVE_INFINITY;
  /** Those that it has not come to. */
  #moments: Moment[] = [];

  constructor(space: string, key: string, recentBytesMax: number) {
    this.space = space;
    this.key = key;
    this.tail = new RecentDeltas(recentBytesMax);
  }

  get seq(): number {
    return this.document?.committed.seq ?? 0;
  }

  /** All that was committed until then is here; monotonic, ms. `-Infinity`: nothing is known of that. */
  get freshMs(): number {
    return this.#freshMs;
  }

  /** Nobody needs it at this moment. */
  get isIdle(): boolean {
    return this.watches === 0 && this.waiting.length === 0 && !this.isHeld;
  }

  /** Bytes of memory, about. */
  get bytes(): number {
    const { document, tail } = this;
    return OVERHEAD_BYTES + tail.bytes + (document ? bytesOf(document.committed.root) : 0);
  }

  /** A state that was cut off is begun anew. */
  forgetPieces(): void {
    this.#building = undefined;
  }

  /** Takes a piece of a state, which takes the place of what is here once it is whole. */
  takePiece(seq: number, piece: Uint8Array, hash: string | undefined): Taken {
    try {
      this.#building ??= new PieceBuilder(COMMITTED);
      this.#building.add(parsePiece(piece, COMMITTED));
      if (hash === undefined) return 'begun';
      const root = this.#building.finish();
      this.#building = undefined;
      if (hashText(root) !== hash) return 'unfit';
      // Whoever lags goes on from the deltas that are here, as long as they lead to the new state.
      if (this.document !== undefined && this.seq !== seq) this.tail.clear();
      this.awaitsState = false;
      this.appliedBytes += bytesOf(root);
      this.#advance({ seq, root });
      return 'taken';
    } catch (thrown) {
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      this.#building = undefined;
      return 'unfit';
    }
  }

  takeDelta(delta: TailDelta): Taken {
    const { document } = this;
    if (document === undefined) return 'unfit';
    const { seq, root } = document.committed;
    if (delta.seq <= seq) return 'taken';
    if (delta.seq > seq + 1) return 'unfit';
    const next = fold(root, delta);
    if (next === undefined) return 'unfit';
    this.appliedBytes += delta.bytes.length;
    this.tail.push(delta);
    this.#advance({ seq: delta.seq, root: next });
    return 'taken';
  }

  /** Once it is at `seq`, everything is here that was committed until `ms`. */
  isFreshAt(seq: number, ms: number): void {
    if (this.#moments.length === MOMENTS_MAX) this.#moments.pop();
    this.#moments.push({ seq, ms });
    this.#freshen();
  }

  /**
   * Looks at it; called every so often. How often in a row it was found where it had been, though it is known that there
   * is more of the document.
   */
  lookWhetherStuck(): number {
    const isStuck = this.#moments.length > 0 && this.seq === this.#lookedSeq && !this.awaitsState;
    this.#stuckLooks = isStuck ? this.#stuckLooks + 1 : 0;
    this.#lookedSeq = this.seq;
    return this.#stuckLooks;
  }

  /** It is not what it was: nothing is known of how fresh it is. */
  forgetFreshness(): void {
    this.#freshMs = Number.NEGATIVE_INFINITY;
    this.#moments = [];
  }

  /** Tells those who wait. */
  settle(why: Failure | undefined): void {
    assert(
      why !== undefined || this.document !== undefined,
      'a copy is loaded once it has a state',
    );
    const { waiting } = this;
    if (waiting.length === 0) return;
    this.waiting = [];
    for (const done of waiting) done(why);
  }

  #advance(version: Version): void {
    this.document = { committed: version };
    this.observer?.applied(version);
    this.#freshen();
  }

  #freshen(): void {
    const { seq } = this;
    if (this.document === undefined || this.#moments.length === 0) return;
    for (const moment of this.#moments) {
      if (moment.seq <= seq) this.#freshMs = Math.max(this.#freshMs, moment.ms);
    }
    this.#moments = this.#moments.filter((moment) => moment.seq > seq);
  }
}

/** The state after `delta`; `undefined` if it does not lead to the state that it names (StateIsFold). */
function fold(root: Version['root'], delta: TailDelta): Version['root'] | undefined {
  const { patch, hash } = recordOf(delta);
  try {
    const next = applyPatch(root, parsePatch(patch, COMMITTED));
    return hashText(next) === hash ? next : undefined;
  } catch (thrown) {
    if (!(thrown instanceof DeltabaseError)) throw thrown;
    return undefined;
  }
}
