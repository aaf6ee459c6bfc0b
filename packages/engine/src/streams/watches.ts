// All watches of a node, by document. A watched document stays in memory; its deltas are given on at the end
// of the turn in which they were applied.

import type { Limits } from '@deltabase/base';
import type { GroupDocuments } from '../documents/group-documents.js';
import type { LocalDocument } from '../documents/local-document.js';
import { type Failure, failure } from '../results.js';
import { type DeltaReader, type Watch, Watcher, type WatchSink } from './watcher.js';

/** What is watched, and from where on. */
export interface WatchRequest {
  readonly space: string;
  readonly key: string;
  /** If set, no state is given: the first delta is the one behind this seq. */
  readonly afterSeq: number | undefined;
}

export class Watches {
  readonly #limits: Limits;
  readonly #readDeltas: DeltaReader;
  readonly #inTurn: (step: () => void) => void;
  readonly #byDocument = new Map<LocalDocument, Set<Watcher>>();
  #count = 0;

  constructor(limits: Limits, readDeltas: DeltaReader, inTurn: (step: () => void) => void) {
    this.#limits = limits;
    this.#readDeltas = readDeltas;
    this.#inTurn = inTurn;
  }

  get count(): number {
    return this.#count;
  }

  /** Why no further watch is taken; `undefined` if one is. */
  refusal(): Failure | undefined {
    const { watchesPerNodeMax } = this.#limits;
    if (this.#count < watchesPerNodeMax) return undefined;
    return failure(
      'OVERLOADED',
      `this node has ${watchesPerNodeMax} watches already: watch at another node`,
    );
  }

  /** Begins a watch on a document that is in memory. */
  begin(documents: GroupDocuments, request: WatchRequest, sink: WatchSink): Watch {
    const local = documents.open(request.space, request.key);
    const watcher = new Watcher({
      sink,
      local,
      afterSeq: request.afterSeq,
      readDeltas: this.#readDeltas,
      pieceBytesMax: this.#limits.pieceBytesMax,
    });
    this.#attach(local, watcher);
    this.#count++;
    watcher.pump();
    return {
      resume: () => this.#inTurn(() => watcher.pump()),
      cancel: () => this.#inTurn(() => this.#cancel(watcher)),
    };
  }

  /** Something was applied to `local`. */
  changed(local: LocalDocument): void {
    for (const watcher of this.#byDocument.get(local) ?? []) watcher.pump();
  }

  /**
   * The documents of a group were replaced by those of a snapshot: its watches go on with these, from the
   * history that came along.
   */
  replaced(before: Iterable<LocalDocument>, documents: GroupDocuments): void {
    for (const old of before) {
      const watchers = this.#byDocument.get(old);
      if (watchers === undefined) continue;
      this.#byDocument.delete(old);
      const local = documents.open(old.space, old.key);
      for (const watcher of watchers) {
        watcher.local = local;
        this.#attach(local, watcher);
      }
      documents.load(local, () => this.changed(local));
    }
  }

  /** Ends every watch. */
  endAll(why: Failure): void {
    for (const watchers of this.#byDocument.values()) {
      for (const watcher of watchers) {
        watcher.local.watches--;
        watcher.end(why);
      }
    }
    this.#byDocument.clear();
    this.#count = 0;
  }

  #attach(local: LocalDocument, watcher: Watcher): void {
    const watchers = this.#byDocument.get(local);
    if (watchers === undefined) this.#byDocument.set(local, new Set([watcher]));
    else watchers.add(watcher);
    local.watches++;
  }

  #cancel(watcher: Watcher): void {
    const { local } = watcher;
    const watchers = this.#byDocument.get(local);
    if (watchers === undefined || !watchers.delete(watcher)) return;
    if (watchers.size === 0) this.#byDocument.delete(local);
    local.watches--;
    this.#count--;
    watcher.end(undefined);
  }
}
