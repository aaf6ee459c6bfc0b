// The views of one document that are watched. Each delta is looked at once, as it is committed: whose view it touches
// is found along what it changed (ViewIndex), so that a delta costs nothing for those that it does not touch, however
// many watch. Now and then watchers are told how far nothing of theirs was hidden.

import { assert } from '@deltabase/base';
import { applyPatch, parsePatch, type Version, type ViewFilter, ViewIndex } from '@deltabase/delta';
import { COMMITTED } from '@deltabase/machine';
import type { DocumentObserver } from '../documents/local-document.js';
import { recordOf } from '../documents/tail.js';
import type { StreamedDocument } from './document-source.js';
import type { KeptSteps } from './kept-steps.js';
import { ViewLine } from './view-line.js';
import type { ViewFeed } from './watch-feed.js';

/** Up to `seq` nothing of what is watched has changed. Watchers share it; `encoded` is for a transport. */
export interface ProgressMark {
  readonly seq: number;
  encoded: unknown;
}

export interface DocumentViewsOptions {
  /** Its state is in memory. */
  readonly local: StreamedDocument;
  readonly steps: KeptSteps;
  readonly composedBytesMax: number;
  /** Watchers are to be told how far it is; not necessarily now. */
  readonly progressed: () => void;
}

export class DocumentViews implements DocumentObserver {
  readonly #options: DocumentViewsOptions;
  readonly #index = new ViewIndex<ViewLine>();
  /** By filter. */
  readonly #lines = new Map<string, ViewLine>();
  readonly #changed = new Set<ViewLine>();
  #local: StreamedDocument;
  #version: Version;
  /** Another document took the place of the one before, and its state is not here yet. */
  #isMoving = false;
  #mark: ProgressMark | undefined;

  constructor(options: DocumentViewsOptions) {
    const version = options.local.document?.committed;
    assert(version !== undefined, 'a view is of a state in memory');
    this.#options = options;
    this.#local = options.local;
    this.#version = version;
    this.#observe();
  }

  get local(): StreamedDocument {
    return this.#local;
  }

  /** How far the views are. */
  get seq(): number {
    return this.#version.seq;
  }

  /** Whether the views are those of the document. */
  get isCurrent(): boolean {
    return !this.#isMoving;
  }

  /** Different views. */
  get count(): number {
    return this.#lines.size;
  }

  has(filter: ViewFilter): boolean {
    return this.#lines.has(filter.text);
  }

  /** Everybody who watches. */
  *watchers(): Generator<ViewFeed, void, void> {
    for (const line of this.#lines.values()) yield* line.watchers;
  }

  /** The view through `filter`, made if need be. */
  open(filter: ViewFilter): ViewLine {
    const known = this.#lines.get(filter.text);
    if (known !== undefined) return known;
    const { steps, composedBytesMax } = this.#options;
    const { appliedBytes } = this.#local;
    const version = this.#version;
    const line = new ViewLine({ filter, version, appliedBytes, steps, composedBytesMax });
    this.#lines.set(filter.text, line);
    this.#index.add(filter, line);
    return line;
  }

  /** Lets go of `line` unless somebody watches it; and of the document, if nobody watches at all. */
  closeUnused(line: ViewLine): void {
    if (line.watchers.size > 0) return;
    this.#lines.delete(line.filter.text);
    this.#index.delete(line.filter, line);
    this.#changed.delete(line);
    if (this.#lines.size === 0) this.#local.observer = undefined;
  }

  applied(version: Version): void {
    const leadsOn = !this.#isMoving && version.seq > this.#version.seq;
    if (leadsOn && this.#followTo(version.seq - 1)) this.#advance(version);
    else this.#replaced(version);
    this.#options.progressed();
  }

  /** The document was replaced by `local`, which holds the same history and perhaps more. */
  moveTo(local: StreamedDocument): void {
    this.#local.observer = undefined;
    this.#local = local;
    this.#isMoving = true;
    this.#observe();
  }

  /** Looks whether the state has come into memory behind a move. */
  look(): void {
    const version = this.#local.document?.committed;
    if (this.#isMoving && version !== undefined) this.applied(version);
  }

  /** The lines that changed since the last call. */
  takeChanged(): ViewLine[] {
    this.look();
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  /** What says that a view is unchanged up to `seq`. */
  markAt(seq: number): ProgressMark {
    if (this.#mark?.seq !== seq) this.#mark = { seq, encoded: undefined };
    return this.#mark;
  }

  #observe(): void {
    assert(this.#local.observer === undefined, 'the views of a document are in one place');
    this.#local.observer = this;
  }

  /**
   * Takes every delta up to `seq`; `false` if they are not all there. A leader that proposed them before anybody looked
   * has kept the last state only. What a view was in between counts even where it was the same before and after: a
   * receiver may come from there.
   */
  #followTo(seq: number): boolean {
    const { tail } = this.#local;
    for (let next = seq; next > this.#version.seq; next--) {
      if (tail.find(next) === undefined) return false;
    }
    while (this.#version.seq < seq) {
      const delta = tail.find(this.#version.seq + 1)!;
      const patch = parsePatch(recordOf(delta).patch, COMMITTED);
      this.#advance({ seq: delta.seq, root: applyPatch(this.#version.root, patch) });
    }
    return true;
  }

  #advance(version: Version): void {
    const { root } = this.#version;
    this.#version = version;
    for (const line of this.#index.touched(root, version.root)) {
      line.applied(version, this.#local.appliedBytes);
      this.#changed.add(line);
    }
  }

  /** A state took the place of the one before; a replica may learn that the cluster has lost some, and go back. */
  #replaced(version: Version): void {
    this.#isMoving = false;
    this.#version = version;
    for (const line of this.#lines.values()) {
      line.replaced(version, this.#local.appliedBytes);
      this.#changed.add(line);
    }
  }
}
