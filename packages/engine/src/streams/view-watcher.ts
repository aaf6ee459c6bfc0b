// One watch of a view of a document: the view at a seq, then steps, each of them from where the one before ended, or from
// before that with nothing changed in between, to a view whose hash it names. Where nothing of it changes it gives
// nothing, but for a mark now and then that says how far that holds: so a receiver knows that it has no gap
// (CommittedOnly). By policy the steps are all there are, or lead to the newest view.

import type { Failure } from '../results.js';
import type { ComposedDelta } from './composed-delta.js';
import type { StreamedDocument } from './document-source.js';
import type { DocumentViews } from './document-views.js';
import { Pace } from './pace.js';
import { givePiece, type StatePieces, statePieces } from './state-pieces.js';
import type { ViewLine } from './view-line.js';
import type { ViewSource } from './view-source.js';
import { GIVE_BYTES, Given, type ViewFeed } from './watch-feed.js';
import type { WatchSink } from './watcher.js';

export interface ViewWatcherOptions {
  readonly sink: WatchSink;
  readonly views: DocumentViews;
  readonly line: ViewLine;
  readonly source: ViewSource;
  /** Begins behind it; `undefined`: with the present view. */
  readonly afterSeq: number | undefined;
  /** Takes all that it gets as fast as it may; otherwise only when all before has left. */
  readonly wantsEach: boolean;
  /** At most so many events a second; `undefined`: as many as the sink takes. */
  readonly perSecond: number | undefined;
  readonly pieceBytesMax: number;
  nowMs(): number;
  /** It has something to give: `pump` is to be called soon. */
  readonly hungry: (watcher: ViewFeed) => void;
  /** It has something to give at `dueMs`, not before: `pump` is to be called then. */
  readonly waits: (dueMs: number) => void;
}

export class ViewWatcher implements ViewFeed {
  readonly given = new Given();
  readonly #options: ViewWatcherOptions;
  readonly #pace: Pace;
  /** How far its receiver is, or is once it has the view that is being given. */
  #seq: number;
  #pieces: StatePieces | undefined;
  #isMarkDue = false;
  #ended = false;

  constructor(options: ViewWatcherOptions) {
    const { views, line, source, afterSeq, perSecond } = options;
    this.#options = options;
    this.#pace = new Pace(perSecond);
    this.#seq = afterSeq ?? views.seq;
    if (this.#seq >= line.span.seq) source.reached(line.span);
    if (afterSeq === undefined) this.#beginView();
    // Whoever goes on hears soon that it is up to date.
    this.#isMarkDue = this.#seq < views.seq;
  }

  get local(): StreamedDocument {
    return this.#options.views.local;
  }

  /** Its document's views have moved. */
  moveTo(): void {}

  tellProgress(): void {
    const { views, hungry } = this.#options;
    if (this.#seq >= views.seq) return;
    this.#isMarkDue = true;
    hungry(this);
  }

  pump(bytesMax: number): number {
    let bytes = 0;
    while (!this.#ended && bytes < bytesMax) {
      const given = this.#giveNext();
      if (given === 0) break;
      bytes += given;
    }
    if (this.#ended) return bytes;
    const { source, sink, hungry } = this.#options;
    if (bytes >= bytesMax) hungry(this);
    else source.rest();
    if (bytes > 0) sink.flush();
    return bytes;
  }

  end(why: Failure | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#pieces = undefined;
    const { source, sink } = this.#options;
    source.end();
    if (why !== undefined) sink.end(why);
  }

  /** Gives one thing more; 0 if there is nothing, it may not be given yet, or must be made first. */
  #giveNext(): number {
    const { sink, views, line } = this.#options;
    if (this.#pieces !== undefined) return sink.ready ? this.#givePiece(this.#pieces) : 0;
    if (!views.isCurrent) return 0;
    if (this.#seq < line.span.seq) return this.#mayGive() ? this.#giveNews() : 0;
    const isMarkDue = this.#isMarkDue && this.#seq < views.seq;
    return isMarkDue && this.#mayGive() ? this.#giveMark(views.seq) : 0;
  }

  #mayGive(): boolean {
    const { sink, wantsEach } = this.#options;
    return (wantsEach ? sink.ready : sink.idle) && this.#pace.mayGive(this.#options);
  }

  #givePiece(pieces: StatePieces): number {
    const bytes = givePiece(pieces, this.#options.sink, this.given);
    if (bytes > 0) return bytes;
    this.#pieces = undefined;
    this.#pace.given(this.#options.nowMs());
    return GIVE_BYTES;
  }

  #giveNews(): number {
    const { news, cost } = this.#options.source.next(this.#seq);
    if (news.kind === 'step') return cost + this.#giveStep(news.step);
    if (news.kind === 'unchanged') return cost + this.#giveMark(news.seq);
    if (news.kind === 'anew') return cost + this.#beginView();
    return 0;
  }

  #giveStep(step: ComposedDelta): number {
    this.#options.sink.composed(step);
    this.given.add(step.patch.length);
    this.#gave(step.seq);
    return GIVE_BYTES + step.patch.length;
  }

  #giveMark(seq: number): number {
    const { sink, views } = this.#options;
    sink.progress(views.markAt(seq));
    this.#gave(seq);
    return GIVE_BYTES;
  }

  #beginView(): number {
    const { views, line, pieceBytesMax } = this.#options;
    const version = { seq: views.seq, root: line.span.view };
    this.#gave(version.seq);
    this.#pieces = statePieces(version, pieceBytesMax);
    return GIVE_BYTES;
  }

  /** The receiver is at `seq` now. */
  #gave(seq: number): void {
    const { line, source, nowMs } = this.#options;
    this.#seq = seq;
    this.#isMarkDue = false;
    if (seq >= line.span.seq) source.reached(line.span);
    this.#pace.given(nowMs());
  }
}
