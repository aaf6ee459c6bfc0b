// The steps of a view that are kept no longer, or never were: made from the history, a part of them at a time.

import { assert, type Limits } from '@deltabase/base';
import {
  applyPatch,
  diffWithin,
  encodePatch,
  hashText,
  parsePatch,
  type Value,
  type Version,
  type ViewFilter,
  viewOf,
} from '@deltabase/delta';
import { COMMITTED } from '@deltabase/machine';
import { recordOf, type TailDelta } from '../documents/tail.js';
import type { Failure } from '../results.js';
import { type Task, wait } from '../task.js';
import type { ComposedDelta } from './composed-delta.js';
import type { DocumentSource, ReadDeltas } from './document-source.js';

/** What is wanted. */
export interface ViewStepsRequest {
  readonly filter: ViewFilter;
  /** Steps behind it. */
  readonly fromSeq: number;
  /** The state there, if it is at hand. */
  readonly from: Version | undefined;
  /** Ends there, or before. */
  readonly seq: number;
}

type StepLimits = Pick<Limits, 'composedBytesMax'>;
type HistorySource = Pick<DocumentSource, 'find' | 'versionAt' | 'readStored'>;

/** Steps of a view; none is left out up to `end.seq`. */
export interface ViewSteps {
  readonly kind: 'steps';
  readonly steps: readonly ComposedDelta[];
  /** How far the document was followed. */
  readonly end: Version;
  /** Behind the steps comes one that is too large. */
  readonly isCut: boolean;
}

/** About so many bytes of steps are made at a time, from at most so many bytes of deltas. */
const STEPS_BYTES = 1024 * 1024;
const DELTAS_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes of deltas handled without a pause: some milliseconds. */
const SLICE_BYTES = 128 * 1024;

/** Makes the steps behind `fromSeq`, a part of them. Damage is not answered but thrown. */
export function* viewSteps(
  source: HistorySource,
  { filter, fromSeq, from, seq }: ViewStepsRequest,
  { composedBytesMax }: StepLimits,
): Task<ViewSteps | Failure> {
  const start = from ?? (yield* startAt(source, fromSeq));
  if ('code' in start) return start;
  const made = new StepMaker(filter, fromSeq, start, composedBytesMax);
  while (made.end.seq < seq && !made.isFull) {
    const found = yield* deltasFrom(source, made.end.seq + 1);
    if (found.kind === 'failed') return found;
    for (const delta of found.deltas) {
      if (delta.seq > seq || made.isFull) break;
      made.follow(delta);
    }
    yield* wait<void>((done) => done());
  }
  const { steps, end, isCut } = made;
  return { kind: 'steps', steps, end, isCut };
}

function* startAt(source: HistorySource, seq: number): Task<Version | Failure> {
  // Before its first delta every document is null.
  if (seq === 0) return { seq, root: null };
  return yield* wait<Version | Failure>((done) => source.versionAt(seq, done));
}

/** Deltas from `seq` on, at least one: those in memory, or some that are not. */
function* deltasFrom(source: HistorySource, seq: number): Task<ReadDeltas | Failure> {
  const tail = source.find()?.tail;
  const recent: TailDelta[] = [];
  for (let bytes = 0, next = seq; bytes < SLICE_BYTES; next++) {
    const delta = tail?.find(next);
    if (delta === undefined) break;
    recent.push(delta);
    bytes += delta.bytes.length;
  }
  if (recent.length > 0) return { kind: 'deltas', deltas: recent };
  const read = yield* wait<ReadDeltas | Failure>((done) =>
    source.readStored(seq, SLICE_BYTES, done),
  );
  assert(
    read.kind === 'failed' || read.deltas.length > 0,
    'deltas that have left memory are kept elsewhere (StateIsFold)',
  );
  return read;
}

/** Follows a document delta by delta, and makes steps of what changes its view. */
class StepMaker {
  readonly steps: ComposedDelta[] = [];
  isCut = false;
  #end: Version;
  #view: Value;
  /** Nothing has changed since. */
  #fromSeq: number;
  #stepsBytes = 0;
  #deltasBytes = 0;
  readonly #filter: ViewFilter;
  readonly #composedBytesMax: number;

  constructor(filter: ViewFilter, fromSeq: number, start: Version, composedBytesMax: number) {
    this.#filter = filter;
    this.#fromSeq = fromSeq;
    this.#end = start;
    this.#view = viewOf(start.root, filter);
    this.#composedBytesMax = composedBytesMax;
  }

  get end(): Version {
    return this.#end;
  }

  get isFull(): boolean {
    const isLong = this.#stepsBytes >= STEPS_BYTES || this.#deltasBytes >= DELTAS_BYTES_MAX;
    return this.isCut || isLong;
  }

  follow(delta: TailDelta): void {
    const { patch } = recordOf(delta);
    const root = applyPatch(this.#end.root, parsePatch(patch, COMMITTED));
    this.#deltasBytes += delta.bytes.length;
    const view = viewOf(root, this.#filter);
    const change = diffWithin(this.#view, view, this.#composedBytesMax);
    this.isCut = change === undefined;
    if (change === undefined) return;
    this.#end = { seq: delta.seq, root };
    if (change.length === 0) return;
    const step: ComposedDelta = {
      ...{ fromSeq: this.#fromSeq, seq: delta.seq, encoded: undefined },
      patch: encodePatch(change),
      hash: hashText(view),
    };
    this.steps.push(step);
    this.#stepsBytes += step.patch.length;
    this.#view = view;
    this.#fromSeq = delta.seq;
  }
}
