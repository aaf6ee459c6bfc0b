// Many watches on one stream: those that get the same are one watch of the process. With the watches of the engine behind it:
// meeting-watches.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import type { TailDelta } from '../../src/documents/tail.js';
import { type Failure, failure } from '../../src/results.js';
import type { DocumentStreams } from '../../src/streams/document-streams.js';
import { ManyWatches, type ManyWatchesSink } from '../../src/streams/many-watches.js';
import { NODE_ORIGIN } from '../../src/streams/origin.js';
import type { WatchPolicy } from '../../src/streams/watch-policy.js';
import type { WatchSink } from '../../src/streams/watcher.js';
import type { WatchRequest } from '../../src/streams/watches.js';

const PIECE = new Uint8Array(20);
const BYTES = 40;
const EVERY: WatchPolicy = { kind: 'every' };

/** A watch of the process: it gives what its sink takes, when it is pumped. */
class Feed {
  readonly request: WatchRequest;
  readonly #sink: WatchSink;
  readonly #seqOf: (key: string) => number;
  /** The last seq given; `undefined`: the state is to be given. */
  #seq: number | undefined;
  isCancelled = false;
  receivers = 1;

  constructor(request: WatchRequest, sink: WatchSink, seqOf: (key: string) => number) {
    this.request = request;
    this.#sink = sink;
    this.#seqOf = seqOf;
    this.#seq = request.afterSeq;
  }

  pump(): void {
    const newest = this.#seqOf(this.request.key);
    while (!this.isCancelled && (this.#seq === undefined || this.#seq < newest)) {
      if (!this.#sink.ready) return;
      if (this.#seq === undefined) {
        this.#seq = newest;
        this.#sink.state(newest, PIECE, 'hash');
      } else {
        this.#seq++;
        this.#sink.delta({ seq: this.#seq, bytes: PIECE, record: undefined, encoded: undefined });
      }
    }
  }

  end(why: Failure): void {
    this.isCancelled = true;
    this.#sink.end(why);
  }
}

/** A stream, the process behind it and what its receiver knows by now. */
class Bench {
  readonly seqs = new Map<string, number>();
  readonly feeds: Feed[] = [];
  /** Of each watch the seq that it has come to; -1: nothing came yet. */
  readonly known = new Map<number, number>();
  readonly watches: ManyWatches;
  queuedBytes = 0;
  #gathered: Array<() => void> = [];

  constructor(given: { readonly watchesPerStreamMax?: number } = {}) {
    const streams: DocumentStreams = {
      read: () => assert.fail('nobody reads here'),
      heads: () => assert.fail('nobody asks for heads here'),
      watch: (request, sink) => {
        const feed = new Feed(request, sink, (key) => this.seqOf(key));
        this.feeds.push(feed);
        return {
          resume: () => {},
          carry: (receivers) => {
            feed.receivers = receivers;
          },
          cancel: () => {
            feed.isCancelled = true;
          },
        };
      },
    };
    this.watches = new ManyWatches({
      ...{ streams, origin: NODE_ORIGIN, sink: this.#sink(), nowMs: () => 0 },
      limits: { ...DEFAULT_LIMITS, ...given },
    });
  }

  seqOf(key: string): number {
    return this.seqs.get(key) ?? 0;
  }

  /** Watches of the process that are not over. */
  get active(): Feed[] {
    return this.feeds.filter(({ isCancelled }) => !isCancelled);
  }

  open(id: number, key: string, more: Partial<WatchRequest> = {}): void {
    const request = { space: 'list', key, afterSeq: undefined, ...more };
    this.known.set(id, request.afterSeq ?? -1);
    this.watches.open(id, request);
  }

  close(id: number): void {
    this.known.delete(id);
    this.watches.close(id);
  }

  write(key: string): void {
    this.seqs.set(key, this.seqOf(key) + 1);
  }

  /** What was gathered comes to the receiver. */
  deliver(): void {
    this.watches.flush();
    const events = this.#gathered;
    this.#gathered = [];
    this.queuedBytes = 0;
    for (const event of events) event();
  }

  /** All is given and delivered that there is. */
  settle(): void {
    this.watches.grant(1e9);
    for (const feed of this.feeds) feed.pump();
    this.deliver();
  }

  #sink(): ManyWatchesSink {
    const bench = this;
    const event = (ids: readonly number[], seq: number, after: number | undefined): number => {
      const told = [...ids];
      this.#gathered.push(() => {
        for (const id of told) this.#received(id, seq, after);
      });
      this.queuedBytes += BYTES;
      return BYTES;
    };
    return {
      get queuedBytes() {
        return bench.queuedBytes;
      },
      get totalQueuedBytes() {
        return bench.queuedBytes;
      },
      state: (ids, seq) => event(ids, seq, undefined),
      delta: (ids, { seq }: TailDelta) => event(ids, seq, seq - 1),
      composed: () => assert.fail('nothing is composed here'),
      progress: () => assert.fail('nobody watches a view here'),
      ended: (id) => {
        this.#gathered.push(() => this.known.delete(id));
      },
      heads: () => {},
      origin: () => {},
      flush: () => {},
      soon: () => {},
    };
  }

  #received(id: number, seq: number, after: number | undefined): void {
    const known = this.known.get(id);
    // What was on its way when a watch was closed still comes.
    if (known === undefined) return;
    if (after === undefined) assert.equal(known, -1, `watch ${id} gets its state once, and first`);
    else assert.equal(after, known, `watch ${id} has no gap and no repeat`);
    this.known.set(id, seq);
  }
}

test('watches of a document become one where they meet', () => {
  const bench = new Bench();
  bench.write('a');
  bench.watches.grant(1e6);
  for (const id of [1, 2, 3]) bench.open(id, 'a');
  bench.open(4, 'b');
  assert.equal(bench.feeds.length, 4);
  bench.settle();
  assert.deepEqual(
    bench.active.map(({ request }) => request.key),
    ['a', 'b'],
  );
  bench.open(5, 'a', { afterSeq: 1 });
  bench.write('a');
  bench.settle();
  assert.deepEqual(
    bench.active.map(({ receivers }) => receivers),
    [4, 1],
  );
  assert.deepEqual(
    [...bench.known],
    [
      [1, 2],
      [2, 2],
      [3, 2],
      [4, 0],
      [5, 2],
    ],
  );
});

test('an event goes out once for all who get it', () => {
  const bench = new Bench();
  bench.watches.grant(1e6);
  for (let id = 1; id <= 100; id++) bench.open(id, 'a');
  bench.settle();
  bench.write('a');
  for (const feed of bench.feeds) feed.pump();
  assert.equal(bench.queuedBytes, BYTES);
});

test('a watch that lags goes on by itself until it has caught up', () => {
  const bench = new Bench();
  for (let n = 0; n < 5; n++) bench.write('a');
  bench.open(1, 'a');
  bench.watches.grant(1e6);
  bench.settle();
  bench.open(2, 'a', { afterSeq: 2 });
  assert.equal(bench.active.length, 2);
  bench.settle();
  assert.equal(bench.active.length, 1);
  assert.deepEqual([...bench.known.values()], [5, 5]);
});

test('the last of them that is closed ends their watch', () => {
  const bench = new Bench();
  for (const id of [1, 2]) bench.open(id, 'a');
  bench.settle();
  bench.close(1);
  bench.write('a');
  bench.settle();
  assert.deepEqual([...bench.known], [[2, 1]]);
  assert.equal(bench.active.length, 1);
  bench.close(2);
  assert.equal(bench.active.length, 0);
  bench.open(3, 'a', { afterSeq: 0 });
  bench.settle();
  assert.equal(bench.active.length, 1, 'nobody is there any more');
});

test('a watch that ends ends for all whom it was for, and others may begin', () => {
  const bench = new Bench();
  for (const id of [1, 2]) bench.open(id, 'a');
  bench.settle();
  bench.active[0]!.end(failure('UNAVAILABLE', 'it has gone'));
  bench.deliver();
  assert.deepEqual([...bench.known], []);
  bench.open(3, 'a', { afterSeq: 0 });
  assert.equal(bench.active.length, 1);
  bench.write('a');
  bench.settle();
  assert.deepEqual([...bench.known], [[3, 1]]);
});

test('who watches otherwise, or keeps a copy, is not one with the others', () => {
  const bench = new Bench();
  bench.open(1, 'a');
  bench.open(2, 'a', { policy: { kind: 'latest' } });
  bench.open(3, 'a', { pointers: ['/x'] });
  bench.open(4, 'a', { forCopy: true });
  bench.open(5, 'a', { policy: EVERY });
  bench.settle();
  assert.equal(bench.active.length, 4);
  bench.write('a');
  bench.settle();
  assert.equal(bench.active.length, 4);
});

test('those that are one still count as many', () => {
  const bench = new Bench({ watchesPerStreamMax: 2 });
  for (const id of [1, 2]) bench.open(id, 'a');
  bench.settle();
  bench.open(3, 'a');
  bench.settle();
  assert.ok(!bench.watches.isOpen(3), 'there is no room for it');
  assert.throws(() => bench.open(2, 'a'), { code: 'INVALID_ARGUMENT' });
});

test('the fewer join the more', () => {
  const bench = new Bench();
  for (const id of [1, 2, 3]) bench.open(id, 'a');
  bench.settle();
  bench.write('a');
  bench.open(4, 'a', { afterSeq: 0 });
  const [many, one] = [bench.active[0]!, bench.active[1]!];
  one.pump();
  many.pump();
  assert.deepEqual(bench.active, [many]);
  bench.settle();
  assert.deepEqual([...bench.known.values()], [1, 1, 1, 1]);
});
