// A document whose views are watched, by as many as a test likes: its deltas leave the tail, sinks have room, and what
// is to be read is read when the test says so. Every receiver folds what it is given and holds it against the
// view of the whole document at that seq.

import assert from 'node:assert/strict';
import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import { applyPatch, Document, filterOf, hashText, parsePatch, type Value } from '@deltabase/delta';
import { COMMITTED } from '@deltabase/machine';
import { LocalDocument } from '../../src/documents/local-document.js';
import type { Failure } from '../../src/results.js';
import { documentPrefix } from '../../src/storage/keys.js';
import type { ComposedDelta } from '../../src/streams/composed-delta.js';
import type { DocumentSource } from '../../src/streams/document-source.js';
import { DocumentViews, type ProgressMark } from '../../src/streams/document-views.js';
import { EachViewStep } from '../../src/streams/each-view-step.js';
import { HeldVersions } from '../../src/streams/held-versions.js';
import { KeptSteps } from '../../src/streams/kept-steps.js';
import { NewestViewStep } from '../../src/streams/newest-view-step.js';
import { TurnCache } from '../../src/streams/turn-cache.js';
import { viewSteps } from '../../src/streams/view-catch-up.js';
import type { ViewLine } from '../../src/streams/view-line.js';
import { ViewWatcher } from '../../src/streams/view-watcher.js';
import type { WatchSink } from '../../src/streams/watcher.js';
import { resultOf } from './disk.js';
import { applyTo, rootAt, type Step, tailOf } from './history.js';
import { naiveHash, naiveView } from './naive-view.js';
import { WholeState } from './whole-state.js';

class ViewReceiver implements WatchSink {
  ready = true;
  idle = true;
  /** What it was given, in short: `v3` a view, `s4-9` a step, `m12` a mark. */
  readonly given: string[] = [];
  readonly steps: ComposedDelta[] = [];
  readonly marks: ProgressMark[] = [];
  readonly pointers: readonly string[];
  seq: number;
  view: Value | undefined;
  readonly #history: readonly Step[];
  readonly #wantsEach: boolean;
  readonly #whole = new WholeState();

  constructor(history: readonly Step[], { pointers, afterSeq, wantsEach }: WatchChoice) {
    this.#history = history;
    this.#wantsEach = wantsEach ?? false;
    this.pointers = pointers;
    this.seq = afterSeq ?? -1;
    if (afterSeq !== undefined) this.view = naiveView(rootAt(history, afterSeq), pointers);
  }

  state(seq: number, piece: Uint8Array, hash: string | undefined): void {
    const view = this.#whole.add(piece, hash);
    if (view === undefined) return;
    assert.ok(seq > this.seq, 'a view leads on');
    this.#reach(seq, view, hash!);
    this.given.push(`v${seq}`);
  }

  delta(): void {
    assert.fail('of a view come no deltas');
  }

  composed(step: ComposedDelta): void {
    const { fromSeq, seq, patch, hash } = step;
    assert.ok(!this.#whole.isBegun, 'a view is whole before what comes behind it');
    assert.ok(fromSeq <= this.seq && seq > this.seq, `${fromSeq} to ${seq}: no gap and no repeat`);
    if (this.#wantsEach) {
      this.#unchanged(fromSeq, seq - 1);
      assert.notEqual(this.#hashAt(seq), this.#hashAt(seq - 1), 'each step is a change');
    }
    this.#reach(seq, applyPatch(this.view!, parsePatch(patch, COMMITTED)), hash);
    this.given.push(`s${fromSeq}-${seq}`);
    this.steps.push(step);
  }

  progress(mark: ProgressMark): void {
    const { seq } = mark;
    assert.ok(!this.#whole.isBegun, 'a view is whole before what comes behind it');
    assert.ok(seq > this.seq, 'a mark leads on');
    if (this.#wantsEach) this.#unchanged(this.seq, seq);
    this.#reach(seq, this.view!, hashText(this.view!));
    this.given.push(`m${seq}`);
    this.marks.push(mark);
  }

  flush(): void {}

  end(why: Failure): void {
    this.given.push(`end ${why.code}`);
  }

  /** The view of the whole document is one and the same from `fromSeq` to `toSeq`. */
  #unchanged(fromSeq: number, toSeq: number): void {
    for (let seq = fromSeq + 1; seq <= toSeq; seq++) {
      assert.equal(this.#hashAt(seq), this.#hashAt(fromSeq), `nothing is hidden at ${seq}`);
    }
  }

  #hashAt(seq: number): string {
    return naiveHash(rootAt(this.#history, seq), this.pointers);
  }

  #reach(seq: number, view: Value, hash: string): void {
    assert.equal(hashText(view), hash, 'the hash that was given');
    assert.equal(hash, this.#hashAt(seq), `the view at ${seq}`);
    this.seq = seq;
    this.view = view;
  }
}

export interface WatchChoice {
  readonly pointers: readonly string[];
  readonly afterSeq?: number | undefined;
  readonly wantsEach?: boolean;
  readonly perSecond?: number | undefined;
}

export interface ViewBenchOptions {
  readonly history: readonly Step[];
  readonly atSeq: number;
  readonly limits?: Partial<Limits>;
}

export interface BenchWatch {
  readonly receiver: ViewReceiver;
  readonly watcher: ViewWatcher;
  readonly line: ViewLine;
}

const PREFIX = documentPrefix(1, 1, 'log', 'a');
const DELTAS_PER_READ = 7;

export class ViewBench {
  local = new LocalDocument('log', 'a', PREFIX);
  views: DocumentViews;
  readonly versions: HeldVersions;
  readonly steps: KeptSteps;
  readonly watches: BenchWatch[] = [];
  readonly #made = new TurnCache<ViewLine, ComposedDelta | undefined>();
  nowMs = 10_000;
  progressed = 0;
  /** Those with something to give. */
  readonly hungry = new Set<unknown>();
  readonly due: number[] = [];
  /** Parts of the history that were asked for and not made. */
  readonly asked: Array<() => void> = [];
  wasAsked = false;
  readonly #history: readonly Step[];
  readonly #limits: Limits;
  readonly #source: Pick<DocumentSource, 'find' | 'versionAt' | 'readStored'>;

  constructor({ history, atSeq, limits = {} }: ViewBenchOptions) {
    this.#history = history;
    this.#limits = { ...DEFAULT_LIMITS, pieceBytesMax: 64, ...limits };
    const { watchVersionsBytesMax, watchStepsBytesMax } = this.#limits;
    this.versions = new HeldVersions(watchVersionsBytesMax);
    this.steps = new KeptSteps(watchStepsBytesMax);
    this.#source = {
      find: () => this.local,
      versionAt: (seq, done) => done({ seq, root: rootAt(history, seq) }),
      readStored: (fromSeq, _bytesMax, done) => {
        const part = history.slice(fromSeq - 1, fromSeq - 1 + DELTAS_PER_READ);
        done({ kind: 'deltas', deltas: tailOf(part) });
      },
    };
    this.local.loaded(new Document({ seq: atSeq, root: rootAt(history, atSeq) }), 0);
    this.views = this.#makeViews();
  }

  watch(choice: WatchChoice): BenchWatch {
    const { wantsEach = false, afterSeq, perSecond } = choice;
    const filter = filterOf(choice.pointers);
    const receiver = new ViewReceiver(this.#history, choice);
    const { views, versions } = this;
    const line = views.open(filter);
    const { composedBytesMax, pieceBytesMax } = this.#limits;
    const source = wantsEach
      ? new EachViewStep({
          ...{ line, versions },
          makeSteps: (fromSeq, from, done) => {
            this.wasAsked = true;
            const request = { filter, fromSeq, from, seq: line.knownFromSeq };
            this.asked.push(() => done(resultOf(viewSteps(this.#source, request, this.#limits))));
          },
          hungry: () => this.hungry.add(watcher),
          failed: (why) => assert.fail(why.message),
        })
      : new NewestViewStep({ line, views, versions, composedBytesMax, made: this.#made });
    const watcher: ViewWatcher = new ViewWatcher({
      ...{ sink: receiver, views, line, source, afterSeq, wantsEach, perSecond, pieceBytesMax },
      nowMs: () => this.nowMs,
      hungry: (it) => this.hungry.add(it),
      waits: (dueMs) => this.due.push(dueMs),
    });
    line.watchers.add(watcher);
    this.hungry.add(watcher);
    const watch = { receiver, watcher, line };
    this.watches.push(watch);
    return watch;
  }

  end(watch: BenchWatch): void {
    watch.line.watchers.delete(watch.watcher);
    this.views.closeUnused(watch.line);
    watch.watcher.end(undefined);
    // Views that nobody watches see nothing more.
    if (this.views.count === 0) {
      assert.equal(this.local.observer, undefined, 'nobody looks at the document any more');
      if (this.local.document !== undefined) this.views = this.#makeViews();
    }
    this.watches.splice(this.watches.indexOf(watch), 1);
  }

  /** As on a leader: it has proposed `count` deltas as one entry, which is committed. */
  applyEntry(count: number): void {
    const { document, seq } = this.local;
    const deltas = this.#history.slice(seq, seq + count);
    for (const { root } of deltas) document!.propose(root);
    document!.endEntry();
    for (const { record } of deltas) applyTo(this.local, record);
  }

  apply(count: number): void {
    for (let left = count; left > 0 && this.local.seq < this.#history.length; left--) {
      applyTo(this.local, this.#history[this.local.seq]!.record);
    }
  }

  /** As at the end of a turn: whoever has something to give gives it. */
  turn(bytesMax = 2 ** 20): void {
    for (const line of this.views.takeChanged()) {
      for (const watcher of line.watchers) this.hungry.add(watcher);
    }
    const hungry = [...this.hungry];
    this.hungry.clear();
    for (const { watcher } of this.watches) if (hungry.includes(watcher)) watcher.pump(bytesMax);
    this.#made.clear();
  }

  /** A sink has room, or not. */
  take(watch: BenchWatch, { ready, idle }: { readonly ready: boolean; readonly idle: boolean }) {
    const { receiver, watcher } = watch;
    receiver.ready = ready;
    receiver.idle = idle;
    this.hungry.add(watcher);
  }

  tellProgress(): void {
    for (const watcher of this.views.watchers()) watcher.tellProgress();
  }

  /** A copy of the document that is `ahead` deltas further takes its place; its state comes later. */
  replace(ahead: number): void {
    const seq = Math.min(this.local.seq + ahead, this.#history.length);
    this.local = new LocalDocument('log', 'a', PREFIX);
    this.local.submittedSeq = seq;
    if (this.views.count > 0) this.views.moveTo(this.local);
  }

  loadReplaced(): void {
    if (this.local.document !== undefined) return;
    const seq = this.local.submittedSeq;
    this.local.loaded(new Document({ seq, root: rootAt(this.#history, seq) }), 0);
    if (this.views.count > 0) this.views.look();
    else this.views = this.#makeViews();
  }

  /** Goes on until everybody has all there is. */
  finish(): void {
    this.loadReplaced();
    for (const watch of this.watches) this.take(watch, { ready: true, idle: true });
    for (let round = 0; round < 2000; round++) {
      if (this.watches.every(({ receiver }) => receiver.seq === this.local.seq)) return;
      this.nowMs = Math.max(this.nowMs, ...this.due.splice(0));
      for (const made of this.asked.splice(0)) made();
      this.tellProgress();
      for (const { watcher } of this.watches) this.hungry.add(watcher);
      this.turn();
    }
    const seqs = this.watches.map(({ receiver }) => receiver.seq);
    assert.fail(`receivers stop at ${seqs} of ${this.local.seq}`);
  }

  #makeViews(): DocumentViews {
    const { local, steps } = this;
    const { composedBytesMax } = this.#limits;
    const progressed = (): void => void this.progressed++;
    return new DocumentViews({ local, steps, composedBytesMax, progressed });
  }
}
