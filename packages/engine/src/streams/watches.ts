// All watches of a node, by document. A watched document stays in memory; its deltas are given on at the end
// of the turn in which they were applied, or of the next ones if there are more than a turn may give.

import type { Limits } from '@deltabase/base';
import type { ViewFilter } from '@deltabase/delta';
import { countProblem } from '../check-message.js';
import { DeliveryTally } from '../heat/delivery-tally.js';
import type { HeatCounter } from '../heat/heat.js';
import type { Shedding } from '../heat/shedding.js';
import { type Failure, failure, overloaded } from '../results.js';
import { CatchingUp } from './catching-up.js';
import type { ComposedDelta } from './composed-delta.js';
import { ComposingWatcher } from './composing-watcher.js';
import type { DocumentSource, StreamedDocument } from './document-source.js';
import type { DocumentViews } from './document-views.js';
import { DueTimes, type DueTimesHost } from './due-times.js';
import { EachViewStep } from './each-view-step.js';
import { HeldVersions } from './held-versions.js';
import { KeptSteps } from './kept-steps.js';
import { NewestViewStep } from './newest-view-step.js';
import { TurnCache } from './turn-cache.js';
import type { ViewLine } from './view-line.js';
import { ViewWatcher } from './view-watcher.js';
import type { WatchFeed } from './watch-feed.js';
import { parseFilter } from './watch-filter.js';
import { policyProblem, type WatchPolicy } from './watch-policy.js';
import { type Attached, WatchedDocuments } from './watched-documents.js';
import { type Watch, Watcher, type WatchSink } from './watcher.js';

/** What is watched, and from where on. */
export interface WatchRequest {
  readonly space: string;
  readonly key: string;
  /** If set, no state is given: the first delta is the one behind this seq. */
  readonly afterSeq: number | undefined;
  /** `every` by default. */
  readonly policy?: WatchPolicy;
  /** It keeps a copy current, whose own readers count: what it is given is no heat, and it is let in where others are shed. */
  readonly forCopy?: boolean;
  /**
   * RFC 6901: only what is at these is given (delta/view.ts), as steps of the view with its hash. `afterSeq` then says that
   * the receiver has the view at that seq. None: the whole document.
   */
  readonly pointers?: readonly string[];
}

export interface WatchesHost extends DueTimesHost {
  readonly limits: Limits;
  /** Told of what watchers are given. */
  readonly heat: HeatCounter;
  readonly shedding: Pick<Shedding, 'refusal'>;
  inTurn(step: () => void): void;
  /** Asks for another turn. */
  wake(): void;
}

/** How long a watch waits for a quorum to confirm where it begins. */
const BEGIN_MS = 10_000;
/** Bytes given to one watcher at a time, and to all of them in a turn: some milliseconds. */
const SLICE_BYTES = 128 * 1024;
const TURN_BYTES = 2 * 1024 * 1024;
/** Bytes of deltas read from disk at a time. */
const READ_BYTES = 128 * 1024;

const EVERY: WatchPolicy = { kind: 'every' };

/** A watch from its request to its end. */
interface Open {
  readonly request: WatchRequest;
  readonly filter: ViewFilter | undefined;
  readonly sink: WatchSink;
  /** `undefined` until it begins. */
  attached: Attached | undefined;
  /** As how many watches it counts. */
  receivers: number;
}

export class Watches {
  readonly #host: WatchesHost;
  readonly #documents: WatchedDocuments;
  readonly #open = new Set<Open>();
  /** Of all of them. */
  #receivers = 0;
  /** Those with something to give, in the order in which they get their turn. */
  readonly #hungry = new Set<WatchFeed>();
  /** Those that may be given something at a moment, not before. */
  readonly #due: DueTimes<Open>;
  readonly #versions: HeldVersions;
  readonly #tally: DeliveryTally;
  /** Those that keep copies current. */
  readonly #forCopies = new Set<WatchFeed>();
  readonly #steps: KeptSteps;
  readonly #compositions = new TurnCache<StreamedDocument, ComposedDelta | undefined>();
  readonly #viewSteps = new TurnCache<ViewLine, ComposedDelta | undefined>();
  readonly #catchingUp: CatchingUp;
  /** Documents whose watchers of views are about to be told how far they are. */
  readonly #progressing = new Set<DocumentViews>();
  #draining = false;

  constructor(host: WatchesHost) {
    this.#host = host;
    this.#due = new DueTimes(host, ({ attached }) => {
      if (attached !== undefined) this.#feed(attached.feed);
    });
    const { watchVersionsBytesMax, watchStepsBytesMax, composedBytesMax } = host.limits;
    this.#versions = new HeldVersions(watchVersionsBytesMax);
    this.#steps = new KeptSteps(watchStepsBytesMax);
    this.#catchingUp = new CatchingUp(host);
    this.#documents = new WatchedDocuments({
      ...{ steps: this.#steps, composedBytesMax },
      progressed: (views) => this.#tellProgressSoon(views),
    });
    this.#tally = new DeliveryTally(host.heat);
  }

  /** Bytes of earlier versions of documents that watchers go on from. */
  get heldVersionsBytes(): number {
    return this.#versions.bytes;
  }

  /** Bytes of steps of views that are kept for watchers. */
  get keptStepsBytes(): number {
    return this.#steps.bytes;
  }

  /** Watches that have begun or are about to. */
  get count(): number {
    return this.#receivers;
  }

  /** No further watch begins: this node is about to stop. */
  drain(): void {
    this.#draining = true;
  }

  /** Begins a watch; what goes wrong ends it through its sink. */
  begin(source: DocumentSource, request: WatchRequest, sink: WatchSink): Watch {
    const parsed = parseFilter(request.pointers ?? [], this.#host.limits);
    const refusal =
      this.#refusal(request) ?? source.refusal() ?? (parsed.kind === 'failed' ? parsed : undefined);
    const filter = parsed.kind === 'filter' ? parsed.filter : undefined;
    const open: Open = { request, filter, sink, attached: undefined, receivers: 1 };
    if (refusal !== undefined) {
      sink.end(refusal);
      return this.#handle(open);
    }
    this.#open.add(open);
    this.#receivers++;
    source.confirm(this.#host.nowMs() + BEGIN_MS, (reached) => {
      if (reached) this.#load(source, open);
      else this.#end(open, notConfirmed());
    });
    return this.#handle(open);
  }

  /** Something was applied to `local`. */
  changed(local: StreamedDocument): void {
    this.#documents.changed(local, (feed) => this.#hungry.add(feed));
  }

  /** Gives watchers what there is for them, as much as a turn may. */
  turn(): void {
    let bytes = 0;
    for (const watcher of this.#hungry) {
      if (bytes >= TURN_BYTES) {
        this.#host.wake();
        break;
      }
      this.#hungry.delete(watcher);
      bytes += watcher.pump(SLICE_BYTES);
      if (!this.#forCopies.has(watcher)) this.#tally.take(watcher.local, watcher.given);
    }
    this.#tally.flush();
    this.#compositions.clear();
    this.#viewSteps.clear();
  }

  /**
   * The documents of a group were replaced by those of a snapshot: its watches go on with these, from the
   * history that came along.
   */
  replaced(
    before: readonly StreamedDocument[],
    sourceOf: (name: StreamedDocument) => DocumentSource,
  ): void {
    for (const old of before) {
      const source = sourceOf(old);
      if (!this.#documents.replaced(old, () => source.find())) continue;
      source.load((loaded) => {
        if (loaded !== undefined && !('code' in loaded)) this.changed(loaded);
      });
    }
  }

  /** Ends every watch of a document. */
  endAll(local: StreamedDocument, why: Failure): void {
    if (!this.#documents.isWatched(local)) return;
    for (const open of this.#open) if (open.attached?.feed.local === local) this.#end(open, why);
  }

  /** Ends every watch there is now. */
  close(why: Failure): void {
    for (const open of this.#open) this.#end(open, why);
  }

  #refusal({ afterSeq, policy = EVERY, forCopy = false }: WatchRequest): Failure | undefined {
    const { watchesPerNodeMax } = this.#host.limits;
    if (this.#draining)
      return failure('UNAVAILABLE', 'this node is stopping: watch at another one');
    if (this.#receivers < watchesPerNodeMax) {
      const problem = afterSeq === undefined ? undefined : countProblem('afterSeq', afterSeq, 0);
      const shed = forCopy ? undefined : this.#host.shedding.refusal('watch');
      return shed ?? problem ?? policyProblem(policy);
    }
    const why = `this node has ${watchesPerNodeMax} watches already: watch at another node`;
    return overloaded(why);
  }

  #load(source: DocumentSource, open: Open): void {
    if (!this.#open.has(open)) return;
    const missing = source.missing();
    if (missing !== undefined) {
      this.#end(open, missing);
      return;
    }
    source.load((loaded) => {
      if (loaded === undefined) return;
      if ('code' in loaded) this.#end(open, loaded);
      else this.#begin(source, loaded, open);
    });
  }

  #begin(source: DocumentSource, local: StreamedDocument, open: Open): void {
    if (!this.#open.has(open)) return;
    const { afterSeq } = open.request;
    // A quorum has confirmed it, so nobody can have seen more than is here.
    if (afterSeq !== undefined && afterSeq > local.seq) {
      this.#end(open, noSuchSeq(afterSeq, local.seq));
      return;
    }
    const attached = this.#makeFeed(source, local, open);
    if (attached.kind === 'failed') {
      this.#end(open, attached);
      return;
    }
    open.attached = attached;
    if (open.request.forCopy) this.#forCopies.add(attached.feed);
    this.#documents.attach(attached);
    this.#feed(attached.feed);
  }

  #makeFeed(source: DocumentSource, local: StreamedDocument, open: Open): Attached | Failure {
    const { filter, request } = open;
    const { policy = EVERY } = request;
    if (filter !== undefined) return this.#makeViewFeed(source, local, open, filter);
    const feed =
      policy.kind === 'every'
        ? this.#makeWatcher(source, local, open)
        : this.#makeComposingWatcher(source, local, open, policy);
    return { kind: 'whole', feed };
  }

  #makeWatcher(source: DocumentSource, local: StreamedDocument, open: Open): WatchFeed {
    return new Watcher({
      readDeltas: (fromSeq, done) => source.readStored(fromSeq, READ_BYTES, done),
      pieceBytesMax: this.#host.limits.pieceBytesMax,
      ...this.#baseOf(open),
      local,
    });
  }

  #makeComposingWatcher(
    source: DocumentSource,
    local: StreamedDocument,
    open: Open,
    policy: WatchPolicy,
  ): WatchFeed {
    return new ComposingWatcher({
      perSecond: perSecondOf(policy),
      limits: this.#host.limits,
      versions: this.#versions,
      compositions: this.#compositions,
      composeStored: (wanted, done) => source.composeStored(wanted, done),
      nowMs: () => this.#host.nowMs(),
      waits: (dueMs) => this.#due.set(open, dueMs),
      ...this.#baseOf(open),
      local,
    });
  }

  #makeViewFeed(
    source: DocumentSource,
    local: StreamedDocument,
    open: Open,
    filter: ViewFilter,
  ): Attached | Failure {
    const { pieceBytesMax, composedBytesMax, watchFiltersPerDocumentMax } = this.#host.limits;
    const known = this.#documents.knownViewsOf(local);
    if (known !== undefined && known.count >= watchFiltersPerDocumentMax && !known.has(filter)) {
      return tooManyFilters(watchFiltersPerDocumentMax);
    }
    const views = this.#documents.viewsOf(local);
    const line = views.open(filter);
    const { policy = EVERY } = open.request;
    const { failed, hungry, ...base } = this.#baseOf(open);
    const versions = this.#versions;
    const wantsEach = policy.kind === 'every';
    const steps = wantsEach
      ? new EachViewStep({
          ...{ line, versions, failed },
          makeSteps: (fromSeq, from, done) =>
            this.#catchingUp.request({ line, source, fromSeq, from }, done),
          hungry: () => hungry(feed),
        })
      : new NewestViewStep({ line, views, versions, composedBytesMax, made: this.#viewSteps });
    const feed: ViewWatcher = new ViewWatcher({
      ...{ views, line, source: steps, wantsEach, pieceBytesMax, hungry },
      perSecond: perSecondOf(policy),
      nowMs: () => this.#host.nowMs(),
      waits: (dueMs) => this.#due.set(open, dueMs),
      ...base,
    });
    return { kind: 'view', feed, line };
  }

  #baseOf(open: Open) {
    return {
      sink: open.sink,
      afterSeq: open.request.afterSeq,
      hungry: (watcher: WatchFeed) => this.#feed(watcher),
      failed: (why: Failure) => this.#end(open, why),
    };
  }

  /** Tells the watchers of `views` how far they are, a while from now. */
  #tellProgressSoon(views: DocumentViews): void {
    if (this.#progressing.has(views)) return;
    this.#progressing.add(views);
    this.#host.after(this.#host.limits.watchProgressMs, () => {
      this.#progressing.delete(views);
      for (const watcher of views.watchers()) watcher.tellProgress();
    });
  }

  #feed(watcher: WatchFeed): void {
    this.#hungry.add(watcher);
    this.#host.wake();
  }

  #end(open: Open, why: Failure | undefined): void {
    if (!this.#open.delete(open)) return;
    this.#receivers -= open.receivers;
    this.#due.delete(open);
    const { attached } = open;
    if (attached === undefined) {
      if (why !== undefined) open.sink.end(why);
      return;
    }
    this.#documents.detach(attached);
    this.#hungry.delete(attached.feed);
    this.#forCopies.delete(attached.feed);
    attached.feed.end(why);
  }

  #handle(open: Open): Watch {
    return {
      resume: () =>
        this.#host.inTurn(() => {
          if (open.attached !== undefined && this.#open.has(open)) this.#feed(open.attached.feed);
        }),
      carry: (receivers) => {
        if (!this.#open.has(open)) return;
        this.#receivers += receivers - open.receivers;
        open.receivers = receivers;
      },
      cancel: () => this.#end(open, undefined),
    };
  }
}

function perSecondOf(policy: WatchPolicy): number | undefined {
  return policy.kind === 'perSecond' ? policy.perSecond : undefined;
}

function tooManyFilters(max: number): Failure {
  const why = `the document is watched through ${max} different sets of pointers here already: watch at another node, or all of it`;
  return overloaded(why);
}

function notConfirmed(): Failure {
  return failure('UNAVAILABLE', 'no leader confirmed the state in time: watch again', {
    unconfirmed: true,
  });
}

function noSuchSeq(asked: number, seq: number): Failure {
  const why = `there is no seq ${asked} to watch from: the document is at ${seq}`;
  return failure('INVALID_ARGUMENT', why, { seq });
}
