// Who watches which document: feeds of the whole of it, and views with the feeds of each.

import { assert } from '@deltabase/base';
import type { StreamedDocument } from './document-source.js';
import { DocumentViews, type DocumentViewsOptions } from './document-views.js';
import type { ViewLine } from './view-line.js';
import type { ViewFeed, WatchFeed } from './watch-feed.js';

/** A feed, of the whole document or of a view. */
export type Attached =
  | { readonly kind: 'whole'; readonly feed: WatchFeed }
  | { readonly kind: 'view'; readonly feed: ViewFeed; readonly line: ViewLine };

export type ViewsOptions = Omit<DocumentViewsOptions, 'local' | 'progressed'> & {
  /** Watchers of views are to be told how far the document is, once in a while. */
  readonly progressed: (views: DocumentViews) => void;
};

interface Watched {
  readonly whole: Set<WatchFeed>;
  views: DocumentViews | undefined;
  /** Feeds of both kinds. */
  count: number;
}

export class WatchedDocuments {
  readonly #options: ViewsOptions;
  readonly #byDocument = new Map<StreamedDocument, Watched>();

  constructor(options: ViewsOptions) {
    this.#options = options;
  }

  /** The views of `local`, whose state is in memory; made if need be. Whoever uses them attaches to one. */
  viewsOf(local: StreamedDocument): DocumentViews {
    const watched = this.#open(local);
    if (watched.views === undefined) {
      const { steps, composedBytesMax, progressed } = this.#options;
      const views: DocumentViews = new DocumentViews({
        ...{ local, steps, composedBytesMax },
        progressed: () => progressed(views),
      });
      watched.views = views;
    }
    watched.views.look();
    return watched.views;
  }

  /** The views of `local`, if any are watched. */
  knownViewsOf(local: StreamedDocument): DocumentViews | undefined {
    return this.#byDocument.get(local)?.views;
  }

  attach(attached: Attached): void {
    const { local } = attached.feed;
    const watched = this.#open(local);
    if (attached.kind === 'whole') watched.whole.add(attached.feed);
    else attached.line.watchers.add(attached.feed);
    watched.count++;
    local.watches++;
  }

  detach(attached: Attached): void {
    const { local } = attached.feed;
    const watched = this.#byDocument.get(local);
    assert(watched !== undefined, 'what is detached was attached');
    if (attached.kind === 'whole') {
      watched.whole.delete(attached.feed);
    } else {
      attached.line.watchers.delete(attached.feed);
      watched.views!.closeUnused(attached.line);
      if (watched.views!.count === 0) watched.views = undefined;
    }
    watched.count--;
    local.watches--;
    if (watched.count === 0) this.#byDocument.delete(local);
  }

  /** Calls `hungry` with all for whom there is something, as something was applied to `local`. */
  changed(local: StreamedDocument, hungry: (feed: WatchFeed) => void): void {
    const watched = this.#byDocument.get(local);
    if (watched === undefined) return;
    for (const feed of watched.whole) hungry(feed);
    for (const line of watched.views?.takeChanged() ?? []) {
      for (const feed of line.watchers) hungry(feed);
    }
  }

  isWatched(local: StreamedDocument): boolean {
    return this.#byDocument.has(local);
  }

  /** If `old` is watched, what `find` gives takes its place; whether that is so. */
  replaced(old: StreamedDocument, find: () => StreamedDocument | undefined): boolean {
    const watched = this.#byDocument.get(old);
    if (watched === undefined) return false;
    this.#byDocument.delete(old);
    const local = find();
    assert(local !== undefined, 'what is watched is there, in some form');
    assert(!this.#byDocument.has(local), 'nobody watches a document before it is there');
    this.#byDocument.set(local, watched);
    local.watches += watched.count;
    for (const feed of watched.whole) feed.moveTo(local);
    watched.views?.moveTo(local);
    return true;
  }

  #open(local: StreamedDocument): Watched {
    let watched = this.#byDocument.get(local);
    if (watched === undefined) {
      watched = { whole: new Set(), views: undefined, count: 0 };
      this.#byDocument.set(local, watched);
    }
    return watched;
  }
}
