// Many watches on one stream with the watches of the engine behind it: whatever the order of writes, reads of history, credit,
// closes and ends, each watch gets its document without a gap or a repeat, and nothing is left of those that are closed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, type Limits, makePrng, type Prng } from '@deltabase/base';
import { Document } from '@deltabase/delta';
import { LocalDocument } from '../../src/documents/local-document.js';
import { storedDelta, type TailDelta } from '../../src/documents/tail.js';
import { failure } from '../../src/results.js';
import { watchInTurn } from '../../src/streams/begin-in-turn.js';
import type { DocumentSource } from '../../src/streams/document-source.js';
import { ManyWatches, type ManyWatchesSink } from '../../src/streams/many-watches.js';
import { NODE_ORIGIN } from '../../src/streams/origin.js';
import { Watches } from '../../src/streams/watches.js';
import type { TurnLoop } from '../../src/turn-loop.js';
import { applyTo, makeHistory } from '../support/history.js';

const STEPS = makeHistory(120);
const SPACE = 'log';
/** What an event takes beside its piece or delta. */
const EVENT_BYTES = 20;

/** What the receiver knows of a watch. */
interface Known {
  readonly key: string;
  /** Its state, or where it began, is here. */
  isWhole: boolean;
  seq: number;
}

class Bench {
  readonly heat = { events: 0, bytes: 0 };
  readonly known = new Map<number, Known>();
  readonly documents = new Map<string, LocalDocument>();
  readonly watches: Watches;
  readonly many: ManyWatches;
  readonly #events: Array<() => void> = [];
  readonly #reads: Array<() => void> = [];
  readonly #confirms: Array<() => void> = [];
  readonly #out: Array<() => void> = [];
  #gatheredBytes = 0;
  #queuedBytes = 0;

  constructor(given: Partial<Limits> = {}) {
    const limits = { ...DEFAULT_LIMITS, pieceBytesMax: 64, ...given };
    this.watches = new Watches({
      limits,
      heat: {
        read: () => assert.fail('nobody reads here'),
        delivered: (_document, events, bytes) => {
          this.heat.events += events;
          this.heat.bytes += bytes;
        },
      },
      shedding: { refusal: () => undefined },
      inTurn: (step) => this.#events.push(step),
      wake: () => {},
      nowMs: () => 0,
      after: () => {},
    });
    const loop = { enqueue: (run: () => void) => this.#events.push(run) } as unknown as TurnLoop;
    this.many = new ManyWatches({
      streams: {
        read: () => assert.fail('nobody reads here'),
        heads: () => assert.fail('nobody asks for heads here'),
        watch: (request, sink) =>
          watchInTurn(loop, sink, {
            begin: () => this.watches.begin(this.#sourceOf(request.key), request, sink),
            stopping: () => assert.fail('nothing stops here'),
          }),
      },
      ...{ origin: NODE_ORIGIN, sink: this.#sink(), limits, nowMs: () => 0 },
    });
  }

  documentOf(key: string): LocalDocument {
    let local = this.documents.get(key);
    if (local === undefined) {
      local = new LocalDocument(SPACE, key, new Uint8Array(0));
      local.loaded(new Document({ seq: 0, root: null }), 0);
      this.documents.set(key, local);
    }
    return local;
  }

  open(id: number, key: string, afterSeq?: number): void {
    this.known.set(id, { key, isWhole: afterSeq !== undefined, seq: afterSeq ?? -1 });
    this.many.open(id, { space: SPACE, key, afterSeq });
  }

  close(id: number): void {
    this.known.delete(id);
    this.many.close(id);
  }

  write(key: string): void {
    const local = this.documentOf(key);
    const step = STEPS[local.seq];
    if (step === undefined) return;
    applyTo(local, step.record);
    this.watches.changed(local);
  }

  turn(): void {
    for (const event of this.#events.splice(0)) event();
    this.watches.turn();
    this.many.flush();
  }

  /** What has left comes to the receiver. */
  deliver(): void {
    for (const event of this.#out.splice(0)) event();
    this.#queuedBytes = 0;
    this.many.drained();
  }

  finishReads(): void {
    for (const read of this.#reads.splice(0)) read();
  }

  confirm(): void {
    for (const confirmed of this.#confirms.splice(0)) confirmed();
  }

  /** All is given and delivered that there is. */
  settle(): void {
    const isBehind = ({ key, seq }: Known): boolean => seq !== this.documentOf(key).seq;
    for (let round = 0; round < 2000; round++) {
      this.many.grant(1e6);
      this.turn();
      this.confirm();
      this.finishReads();
      this.turn();
      this.deliver();
      if (round > 5 && ![...this.known.values()].some(isBehind)) return;
    }
    assert.fail('watches wait for ever');
  }

  #sourceOf(key: string): DocumentSource {
    const local = this.documentOf(key);
    return {
      ...{ space: SPACE, key, freshMs: Number.NEGATIVE_INFINITY },
      refusal: () => undefined,
      missing: () => undefined,
      confirm: (expiresMs, done) => {
        this.#confirms.push(() => done(true));
        return { expiresMs };
      },
      load: (then) => then(local),
      find: () => local,
      readStored: (fromSeq, _bytes, done) => {
        this.#reads.push(() => {
          const steps = STEPS.slice(fromSeq - 1, Math.min(fromSeq + 4, local.seq));
          const deltas = steps.map(({ bytes }, at) => storedDelta(fromSeq + at, bytes));
          done({ kind: 'deltas', deltas });
        });
      },
      composeStored: () => assert.fail('nothing is composed here'),
      versionAt: () => assert.fail('nobody reads earlier versions here'),
    } as DocumentSource;
  }

  #sink(): ManyWatchesSink {
    const bench = this;
    const event = (ids: readonly number[], bytes: number, tell: (known: Known) => void): number => {
      const told = [...ids];
      this.#gatheredBytes += bytes + EVENT_BYTES;
      this.#out.push(() => {
        // What was on its way when a watch was closed still comes.
        for (const known of told.map((id) => this.known.get(id))) if (known) tell(known);
      });
      return bytes + EVENT_BYTES;
    };
    return {
      get queuedBytes() {
        return bench.#queuedBytes;
      },
      get totalQueuedBytes() {
        return bench.#queuedBytes;
      },
      state: (ids, seq, piece, hash) =>
        event(ids, piece.length, (known) => {
          assert.ok(!known.isWhole, 'a state comes once, and first');
          if (hash === undefined) return;
          known.isWhole = true;
          known.seq = seq;
        }),
      delta: (ids, { seq, bytes }: TailDelta) =>
        event(ids, bytes.length, (known) => {
          assert.ok(known.isWhole, 'a delta comes behind the state');
          assert.equal(seq, known.seq + 1, 'there is no gap and no repeat');
          known.seq = seq;
        }),
      composed: () => assert.fail('nothing is composed here'),
      progress: () => assert.fail('nobody watches a view here'),
      ended: (id) => {
        this.#out.push(() => this.known.delete(id));
      },
      heads: () => {},
      origin: () => {},
      flush: () => {
        this.#queuedBytes += this.#gatheredBytes;
        this.#gatheredBytes = 0;
      },
      soon: (run) => this.#events.push(run),
    };
  }
}

function live(bench: Bench, random: Prng): void {
  let lastId = 0;
  for (let step = 0; step < 250; step++) {
    const key = `k${random.below(2)}`;
    const local = bench.documentOf(key);
    const ids = [...bench.known.keys()];
    const what = random.below(16);
    if (what < 2) {
      bench.open(++lastId, key, random.below(2) === 0 ? undefined : random.below(local.seq + 1));
    } else if (what < 3 && ids.length > 0) bench.close(ids[random.below(ids.length)]!);
    else if (what < 6) bench.write(key);
    else if (what < 7) bench.many.grant(random.below(600));
    else if (what < 9) bench.deliver();
    else if (what < 10) bench.finishReads();
    else if (what < 11) bench.confirm();
    else if (what < 12 && random.below(3) === 0) local.trimTail(random.below(local.seq + 1));
    else if (what < 13 && random.below(20) === 0) {
      bench.watches.endAll(local, failure('UNAVAILABLE', 'the document has gone'));
    } else bench.turn();
  }
}

test('whatever happens in whatever order, every watch gets its document, and nothing is left behind', () => {
  let joined = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const bench = new Bench({ watchQueueBytesMax: 400 });
    live(bench, makePrng(seed));
    bench.settle();
    assert.equal(bench.watches.count, bench.known.size, `seed ${seed}: all of them count`);
    let feeds = 0;
    for (const local of bench.documents.values()) feeds += local.watches;
    if (feeds < bench.known.size) joined++;
    for (const id of [...bench.known.keys()]) bench.close(id);
    bench.turn();
    assert.equal(bench.watches.count, 0, `seed ${seed}`);
    assert.deepEqual(bench.many.load, { watches: 0, places: 0 }, `seed ${seed}`);
    for (const local of bench.documents.values()) assert.equal(local.watches, 0, `seed ${seed}`);
  }
  assert.ok(joined > 200, `watches met in ${joined} of 300 runs`);
});

test('what each of those that are one is given counts, its state too', () => {
  const bench = new Bench();
  for (let n = 0; n < 30; n++) bench.write('a');
  bench.many.grant(1e6);
  bench.open(1, 'a');
  bench.settle();
  const { events, bytes } = { ...bench.heat };
  assert.equal(events, 1);
  for (let id = 2; id <= 100; id++) bench.open(id, 'a');
  bench.settle();
  assert.deepEqual(bench.heat, { events: 100, bytes: 100 * bytes });
  assert.equal(bench.documentOf('a').watches, 1);
  bench.write('a');
  bench.settle();
  assert.equal(bench.heat.events, 200);
});

test('a process serves no more watches than its limit, however many are one', () => {
  const bench = new Bench({ watchesPerNodeMax: 3 });
  for (const id of [1, 2, 3]) bench.open(id, 'a');
  bench.settle();
  assert.equal(bench.documentOf('a').watches, 1);
  bench.open(4, 'a');
  for (let round = 0; round < 3; round++) {
    bench.turn();
    bench.deliver();
  }
  assert.deepEqual([...bench.known.keys()], [1, 2, 3]);
  bench.close(2);
  bench.open(5, 'a');
  bench.settle();
  assert.deepEqual([...bench.known.keys()], [1, 3, 5]);
});

test('a turn gives few events that many get', () => {
  const bench = new Bench();
  for (let id = 1; id <= 10_000; id++) bench.open(id, 'a');
  bench.settle();
  const before = bench.heat.events;
  for (let n = 0; n < 100; n++) bench.write('a');
  bench.many.grant(1e6);
  bench.turn();
  const given = (bench.heat.events - before) / 10_000;
  assert.ok(given >= 1 && given < 30, `${given} events`);
  bench.settle();
});
