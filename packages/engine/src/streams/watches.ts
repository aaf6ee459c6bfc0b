// All watches of a node, by document. A watched document stays in memory; its deltas are given on at the end
// of the turn in which they were applied, or of the next ones if there are more than a turn may give.

import { assert, type Limits } from '@deltabase/base';
import { countProblem } from '../check-message.js';
import { DeliveryTally } from '../heat/delivery-tally.js';
import type { HeatCounter } from '../heat/heat.js';
import type { Shedding } from '../heat/shedding.js';
import { type Failure, failure, overloaded } from '../results.js';
import { ComposingWatcher } from './composing-watcher.js';
import { Compositions } from './compositions.js';
import type { DocumentSource, StreamedDocument } from './document-source.js';
import { DueTimes, type DueTimesHost } from './due-times.js';
import { HeldVersions } from './held-versions.js';
import type { WatchFeed } from './watch-feed.js';
import { policyProblem, type WatchPolicy } from './watch-policy.js';
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
  readonly sink: WatchSink;
  /** `undefined` until it begins. */
  watcher: WatchFeed | undefined;
}

export class Watches {
  readonly #host: WatchesHost;
  readonly #byDocument = new Map<StreamedDocument, Set<WatchFeed>>();
  readonly #open = new Set<Open>();
  /** Those with something to give, in the order in which they get their turn. */
  readonly #hungry = new Set<WatchFeed>();
  /** Those that may be given something at a moment, not before. */
  readonly #due: DueTimes<Open>;
  readonly #versions: HeldVersions;
  readonly #compositions = new Compositions();
  readonly #tally: DeliveryTally;
  /** Those that keep copies current. */
  readonly #forCopies = new Set<WatchFeed>();
  #draining = false;

  constructor(host: WatchesHost) {
    this.#host = host;
    this.#due = new DueTimes(host, ({ watcher }) => {
      if (watcher !== undefined) this.#feed(watcher);
    });
    this.#versions = new HeldVersions(host.limits.watchVersionsBytesMax);
    this.#tally = new DeliveryTally(host.heat);
  }

  /** Bytes of earlier versions of documents that watchers go on from. */
  get heldVersionsBytes(): number {
    return this.#versions.bytes;
  }

  /** Watches that have begun or are about to. */
  get count(): number {
    return this.#open.size;
  }

  /** No further watch begins: this node is about to stop. */
  drain(): void {
    this.#draining = true;
  }

  /** Begins a watch; what goes wrong ends it through its sink. */
  begin(source: DocumentSource, request: WatchRequest, sink: WatchSink): Watch {
    const open: Open = { request, sink, watcher: undefined };
    const refusal = this.#refusal(request) ?? source.refusal();
    if (refusal !== undefined) {
      sink.end(refusal);
      return this.#handle(open);
    }
    this.#open.add(open);
    source.confirm(this.#host.nowMs() + BEGIN_MS, (reached) => {
      if (reached) this.#load(source, open);
      else this.#end(open, notConfirmed());
    });
    return this.#handle(open);
  }

  /** Something was applied to `local`. */
  changed(local: StreamedDocument): void {
    for (const watcher of this.#byDocument.get(local) ?? []) this.#hungry.add(watcher);
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
      const watchers = this.#byDocument.get(old);
      if (watchers === undefined) continue;
      this.#byDocument.delete(old);
      const source = sourceOf(old);
      const local = source.find();
      assert(local !== undefined, 'what is watched is there, in some form');
      for (const watcher of watchers) {
        watcher.moveTo(local);
        this.#attach(watcher);
      }
      source.load((loaded) => {
        if (loaded !== undefined && !('code' in loaded)) this.changed(loaded);
      });
    }
  }

  /** Ends every watch of a document. */
  endAll(local: StreamedDocument, why: Failure): void {
    const watchers = this.#byDocument.get(local);
    if (watchers === undefined) return;
    for (const open of this.#open) {
      if (open.watcher !== undefined && watchers.has(open.watcher)) this.#end(open, why);
    }
  }

  /** Ends every watch; for a node that stops. */
  close(why: Failure): void {
    for (const open of this.#open) this.#end(open, why);
  }

  #refusal({ afterSeq, policy = EVERY, forCopy = false }: WatchRequest): Failure | undefined {
    const { watchesPerNodeMax } = this.#host.limits;
    if (this.#draining)
      return failure('UNAVAILABLE', 'this node is stopping: watch at another one');
    if (this.#open.size < watchesPerNodeMax) {
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
    open.watcher = this.#makeWatcher(source, local, open);
    if (open.request.forCopy) this.#forCopies.add(open.watcher);
    this.#attach(open.watcher);
    this.#feed(open.watcher);
  }

  #makeWatcher(source: DocumentSource, local: StreamedDocument, open: Open): WatchFeed {
    const { limits } = this.#host;
    const { sink, request } = open;
    const { afterSeq, policy = EVERY } = request;
    const base = {
      ...{ sink, local, afterSeq },
      hungry: (watcher: WatchFeed) => this.#feed(watcher),
      failed: (why: Failure) => this.#end(open, why),
    };
    if (policy.kind === 'every') {
      return new Watcher({
        readDeltas: (fromSeq, done) => source.readStored(fromSeq, READ_BYTES, done),
        pieceBytesMax: limits.pieceBytesMax,
        ...base,
      });
    }
    return new ComposingWatcher({
      perSecond: policy.kind === 'perSecond' ? policy.perSecond : undefined,
      limits,
      versions: this.#versions,
      compositions: this.#compositions,
      composeStored: (wanted, done) => source.composeStored(wanted, done),
      nowMs: () => this.#host.nowMs(),
      waits: (dueMs) => this.#due.set(open, dueMs),
      ...base,
    });
  }

  #feed(watcher: WatchFeed): void {
    this.#hungry.add(watcher);
    this.#host.wake();
  }

  #attach(watcher: WatchFeed): void {
    const { local } = watcher;
    const watchers = this.#byDocument.get(local);
    if (watchers === undefined) this.#byDocument.set(local, new Set([watcher]));
    else watchers.add(watcher);
    local.watches++;
  }

  #end(open: Open, why: Failure | undefined): void {
    if (!this.#open.delete(open)) return;
    this.#due.delete(open);
    const { watcher } = open;
    if (watcher === undefined) {
      if (why !== undefined) open.sink.end(why);
      return;
    }
    const watchers = this.#byDocument.get(watcher.local);
    watchers?.delete(watcher);
    if (watchers?.size === 0) this.#byDocument.delete(watcher.local);
    watcher.local.watches--;
    this.#hungry.delete(watcher);
    this.#forCopies.delete(watcher);
    watcher.end(why);
  }

  #handle(open: Open): Watch {
    return {
      resume: () =>
        this.#host.inTurn(() => {
          if (open.watcher !== undefined && this.#open.has(open)) this.#feed(open.watcher);
        }),
      cancel: () => this.#end(open, undefined),
    };
  }
}

function notConfirmed(): Failure {
  return failure('UNAVAILABLE', 'no leader confirmed the state in time: watch again');
}

function noSuchSeq(asked: number, seq: number): Failure {
  const why = `there is no seq ${asked} to watch from: the document is at ${seq}`;
  return failure('INVALID_ARGUMENT', why, { seq });
}
