// Watches that compose: whatever they skip, the steps that they give lead from state to state as the deltas do
// (StateIsFold), without gap or repeat, and never to a state that is not committed (CommittedOnly).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, makePrng } from '@deltabase/base';
import { applyPatch, Document, hashText, parsePatch, type Value } from '@deltabase/delta';
import { COMMITTED } from '@deltabase/machine';
import { LocalDocument } from '../../src/documents/local-document.js';
import { recordOf, type TailDelta } from '../../src/documents/tail.js';
import { type Failure, failure } from '../../src/results.js';
import type { ComposeRequest, StoredComposition } from '../../src/streams/compose-stored.js';
import { type ComposedDelta, composeDeltas } from '../../src/streams/composed-delta.js';
import { ComposingWatcher } from '../../src/streams/composing-watcher.js';
import { HeldVersions } from '../../src/streams/held-versions.js';
import { TurnCache } from '../../src/streams/turn-cache.js';
import type { WatchSink } from '../../src/streams/watcher.js';
import {
  applyTo,
  makeCounters,
  makeHistory,
  rootAt,
  type Step,
  tailOf,
} from '../support/history.js';
import { makeRandomHistory } from '../support/random-history.js';
import { WholeState } from '../support/whole-state.js';

/** A receiver: it folds what it is given and holds it against the history. */
class Receiver implements WatchSink {
  ready = true;
  idle = true;
  /** What it was given, in short: `s3`, `d4`, `c4-9`. */
  readonly given: string[] = [];
  readonly composedDeltas: ComposedDelta[] = [];
  seq: number;
  root: Value | undefined;
  ended: Failure | undefined;
  readonly #steps: readonly Step[];
  readonly #whole = new WholeState();

  constructor(steps: readonly Step[], afterSeq: number | undefined) {
    this.#steps = steps;
    this.seq = afterSeq ?? -1;
    if (afterSeq !== undefined) this.root = rootAt(steps, afterSeq);
  }

  state(seq: number, piece: Uint8Array, hash: string | undefined): void {
    const root = this.#whole.add(piece, hash);
    if (root === undefined) return;
    assert.ok(seq > this.seq, 'a state leads on');
    this.#reach(seq, root, hash!);
    this.given.push(`s${seq}`);
  }

  delta(delta: TailDelta): void {
    const { seq, patch, hash } = recordOf(delta);
    assert.equal(seq, this.seq + 1, 'no gap and no repeat');
    this.#apply(seq, patch, hash);
    this.given.push(`d${seq}`);
  }

  composed(composed: ComposedDelta): void {
    const { fromSeq, seq, patch, hash } = composed;
    assert.equal(fromSeq, this.seq, 'no gap and no repeat');
    this.#apply(seq, patch, hash);
    this.given.push(`c${fromSeq}-${seq}`);
    this.composedDeltas.push(composed);
  }

  progress(): void {
    assert.fail('only watches with pointers get marks');
  }

  flush(): void {}

  end(why: Failure): void {
    this.ended = why;
  }

  #apply(seq: number, patch: Uint8Array, hash: string): void {
    assert.ok(!this.#whole.isBegun, 'a state is whole before what comes behind it');
    this.#reach(seq, applyPatch(this.root!, parsePatch(patch, COMMITTED)), hash);
  }

  #reach(seq: number, root: Value, hash: string): void {
    assert.equal(hashText(root), hash, 'the hash that was given');
    assert.equal(hash, hashText(rootAt(this.#steps, seq)), `the state at ${seq}`);
    this.seq = seq;
    this.root = root;
  }
}

interface BenchOptions {
  readonly steps: readonly Step[];
  readonly afterSeq?: number | undefined;
  readonly atSeq?: number;
  readonly perSecond?: number;
  readonly versionsBytesMax?: number;
  /** Those of other benches too. */
  readonly versions?: HeldVersions;
  readonly composedBytesMax?: number;
}

/** A watcher of a document whose deltas leave the tail, and whose sink has room, when the bench says so. */
class Bench {
  readonly receiver: Receiver;
  readonly local = new LocalDocument('log', 'a', new Uint8Array(0));
  readonly versions: HeldVersions;
  readonly compositions = new TurnCache<LocalDocument, ComposedDelta | undefined>();
  readonly watcher: ComposingWatcher;
  nowMs = 10_000;
  hungry = 0;
  readonly due: number[] = [];
  failed: Failure | undefined;
  /** Compositions from disk that were asked for and not answered. */
  readonly asked: Array<() => void> = [];
  readonly #steps: readonly Step[];

  constructor({ steps, afterSeq, atSeq = 0, perSecond, ...rest }: BenchOptions) {
    const { versionsBytesMax = 2 ** 20, composedBytesMax = 2 ** 20 } = rest;
    this.#steps = steps;
    this.versions = rest.versions ?? new HeldVersions(versionsBytesMax);
    this.receiver = new Receiver(steps, afterSeq);
    this.local.loaded(new Document({ seq: atSeq, root: rootAt(steps, atSeq) }), 0);
    this.watcher = new ComposingWatcher({
      sink: this.receiver,
      local: this.local,
      afterSeq,
      perSecond,
      limits: { pieceBytesMax: 64, composedBytesMax },
      versions: this.versions,
      compositions: this.compositions,
      composeStored: (request, done) => void this.asked.push(() => done(this.#stored(request))),
      nowMs: () => this.nowMs,
      hungry: () => this.hungry++,
      waits: (dueMs) => this.due.push(dueMs),
      failed: (why) => {
        this.failed = why;
      },
    });
  }

  get given(): readonly string[] {
    return this.receiver.given;
  }

  apply(count: number): void {
    for (let left = count; left > 0 && this.local.seq < this.#steps.length; left--) {
      applyTo(this.local, this.#steps[this.local.seq]!.record);
    }
  }

  /** As at the end of a turn. */
  pump(bytesMax = 2 ** 20): void {
    this.watcher.pump(bytesMax);
    this.compositions.clear();
  }

  /** Pumps and answers until there is nothing more to give. */
  finish(): void {
    this.receiver.ready = true;
    this.receiver.idle = true;
    for (let round = 0; round < 1000 && this.receiver.seq < this.local.seq; round++) {
      this.nowMs = Math.max(this.nowMs, this.due.at(-1) ?? 0);
      this.asked.shift()?.();
      this.pump();
    }
  }

  #stored({ fromSeq, seq, bytesMax }: ComposeRequest): StoredComposition {
    const composition = composeDeltas(undefined, tailOf(this.#steps.slice(fromSeq, seq)));
    return {
      kind: 'composed',
      composition: composition.bytes > bytesMax ? undefined : composition,
    };
  }
}

const STEPS = makeHistory(200);

test('whoever keeps up gets the state, then each delta as it is', () => {
  const bench = new Bench({ steps: STEPS, atSeq: 50 });
  bench.pump();
  for (let count = 0; count < 3; count++) {
    bench.apply(1);
    bench.pump();
  }
  assert.deepEqual(bench.given, ['s50', 'd51', 'd52', 'd53']);
  assert.equal(bench.versions.bytes, 0);
});

test('whoever takes nothing for a while gets one patch to the newest state, and holds one version', () => {
  const bench = new Bench({ steps: STEPS, atSeq: 50 });
  bench.pump();
  bench.receiver.idle = false;
  const held = new Set<number>();
  for (let count = 0; count < 100; count++) {
    bench.apply(1);
    bench.local.trimTail(bench.local.seq);
    bench.pump();
    held.add(bench.versions.bytes);
  }
  assert.equal(held.size, 1, 'what is held does not grow');
  assert.deepEqual(bench.given, ['s50']);
  bench.receiver.idle = true;
  bench.pump();
  assert.deepEqual(bench.given, ['s50', 'c50-150']);
  assert.equal(bench.versions.bytes, 0);
  bench.apply(1);
  bench.pump();
  assert.equal(bench.given.at(-1), 'd151');
});

test('without room for the version what was missed is composed from the tail', () => {
  const bench = new Bench({ steps: STEPS, atSeq: 50, versionsBytesMax: 1 });
  bench.pump();
  bench.receiver.idle = false;
  bench.apply(9);
  bench.pump();
  assert.equal(bench.versions.bytes, 0);
  bench.receiver.idle = true;
  bench.pump();
  assert.deepEqual(bench.given, ['s50', 'c50-59']);
});

test('a watch from a seq gets one patch from there, also where the deltas are on disk', () => {
  const bench = new Bench({ steps: STEPS, afterSeq: 3, atSeq: 100 });
  bench.apply(20);
  bench.local.trimTail(110);
  bench.pump();
  assert.deepEqual(bench.given, []);
  bench.apply(5);
  bench.asked.shift()!();
  assert.equal(bench.hungry, 1);
  bench.pump();
  assert.deepEqual(bench.given, ['c3-125']);
  assert.equal(bench.asked.length, 0);
});

test('what was composed from disk and cannot be given at once is not kept', () => {
  const bench = new Bench({ steps: STEPS, afterSeq: 3, atSeq: 100 });
  bench.pump();
  bench.receiver.idle = false;
  bench.asked.shift()!();
  bench.pump();
  bench.receiver.idle = true;
  bench.pump();
  assert.equal(bench.asked.length, 1, 'it is composed again');
  bench.finish();
  assert.deepEqual(bench.given, ['c3-100']);
});

test('where more was missed than the state has, the state is given anew', () => {
  const steps = makeHistory(400, { payload: new Uint8Array(1000) });
  const fromDisk = new Bench({ steps, afterSeq: 3, atSeq: 300 });
  fromDisk.finish();
  assert.deepEqual(fromDisk.given, ['s300']);
  const fromTail = new Bench({ steps, atSeq: 1, versionsBytesMax: 1 });
  fromTail.pump();
  fromTail.receiver.idle = false;
  fromTail.apply(300);
  fromTail.pump();
  fromTail.finish();
  assert.deepEqual(fromTail.given, ['s1', 's301']);
  assert.equal(fromTail.asked.length, 0);
});

test('a patch that would be larger than one may be is not made: the state is given in pieces', () => {
  const bench = new Bench({ steps: STEPS, atSeq: 1, composedBytesMax: 300 });
  bench.pump();
  bench.apply(4);
  bench.pump();
  bench.apply(100);
  bench.pump();
  assert.deepEqual(bench.given, ['s1', 'c1-5', 's105']);
});

test('a minute of a thousand deltas a second costs whoever reads nothing one version, and then one patch', () => {
  const steps = makeCounters(60_000);
  const bench = new Bench({ steps, atSeq: 10, versionsBytesMax: 1000 });
  bench.pump();
  bench.receiver.idle = false;
  for (let second = 0; second < 60; second++) {
    for (let part = 0; part < 20; part++) {
      bench.apply(50);
      bench.pump();
      bench.nowMs += 50;
      assert.ok(bench.versions.bytes > 0 && bench.versions.bytes < 500);
    }
    // A flush now and then.
    if (second % 5 === 4) bench.local.trimTail(bench.local.seq);
  }
  bench.finish();
  assert.deepEqual(bench.given, ['s10', 'c10-60000']);
  const [composed] = bench.receiver.composedDeltas;
  assert.ok(composed!.patch.length < 600, 'ten numbers changed, however often');
});

test('a thousand who read nothing, each from another seq, hold no more than the limit together', () => {
  const steps = makeCounters(2000);
  const versions = new HeldVersions(10_000);
  const benches = Array.from({ length: 1000 }, (_, at) => {
    return new Bench({ steps, atSeq: 100 + at, versions });
  });
  for (const bench of benches) {
    bench.pump();
    bench.receiver.idle = false;
    bench.apply(3);
    bench.pump();
    assert.ok(versions.bytes <= 10_000);
  }
  assert.ok(versions.bytes > 9000);
  const ways = new Set<string>();
  for (const bench of benches) {
    bench.apply(2);
    bench.finish();
    assert.equal(bench.receiver.seq, bench.local.seq);
    ways.add(`${bench.given.length} ${bench.given[1]?.[0]}`);
  }
  assert.deepEqual([...ways], ['2 c'], 'one step each, with a version or without');
  assert.equal(versions.bytes, 0);
});

test('a watch that ends, or whose version is let go, holds nothing', () => {
  const bench = new Bench({ steps: STEPS, atSeq: 50 });
  bench.pump();
  bench.receiver.idle = false;
  bench.apply(2);
  bench.pump();
  assert.ok(bench.versions.bytes > 0);
  bench.watcher.end(failure('UNAVAILABLE', 'it stops'));
  assert.equal(bench.versions.bytes, 0);
  bench.receiver.idle = true;
  bench.pump();
  assert.deepEqual(bench.given, ['s50']);
  assert.equal(bench.receiver.ended?.message, 'it stops');
});

test('at most so many events a second leave, however many deltas there are, and the newest state comes last', () => {
  const bench = new Bench({ steps: STEPS, atSeq: 0, perSecond: 10 });
  bench.pump();
  for (; bench.nowMs < 11_000; bench.nowMs += 10) {
    bench.apply(1);
    bench.pump();
  }
  assert.ok(bench.given.length >= 9 && bench.given.length <= 11, bench.given.join(' '));
  assert.ok(new Set(bench.due).size <= 11);
  bench.finish();
  assert.equal(bench.receiver.seq, bench.local.seq);
});

test('no step leads to a state that is proposed and not committed (CommittedOnly)', () => {
  const bench = new Bench({ steps: STEPS, atSeq: 50 });
  bench.pump();
  bench.apply(3);
  bench.local.document!.propose(STEPS[53]!.root);
  bench.pump();
  assert.deepEqual(bench.given, ['s50', 'c50-53']);
});

test('watchers that lag alike get one delta that was composed once', () => {
  const compositions = new TurnCache<LocalDocument, ComposedDelta | undefined>();
  const local = new LocalDocument('log', 'a', new Uint8Array(0));
  let made = 0;
  const make = (): ComposedDelta => {
    made++;
    return { fromSeq: 1, seq: 3, patch: new Uint8Array(), hash: '', encoded: undefined };
  };
  const first = compositions.find(local, 1, make);
  assert.equal(compositions.find(local, 1, make), first);
  compositions.find(local, 2, make);
  assert.equal(made, 2);
  compositions.clear();
  compositions.find(local, 1, make);
  assert.equal(made, 3);
});

test('a watch goes on behind a document that took its place', () => {
  const bench = new Bench({ steps: STEPS, atSeq: 5 });
  bench.pump();
  const other = new LocalDocument('log', 'a', new Uint8Array(0));
  bench.watcher.moveTo(other);
  bench.pump();
  other.loaded(new Document({ seq: 9, root: STEPS[8]!.root }), 0);
  bench.pump();
  assert.deepEqual(bench.given, ['s5', 'c5-9']);
});

test('whatever happens to receivers, tails and versions, steps fold to the states of a random history', () => {
  const ways = { s: 0, d: 0, c: 0 };
  for (let seed = 1; seed <= 150; seed++) {
    const random = makePrng(seed);
    const steps = makeRandomHistory(seed, 80);
    const atSeq = random.below(20);
    const isResumed = random.below(2) === 0;
    const bench = new Bench({
      steps,
      atSeq,
      afterSeq: isResumed ? random.below(atSeq + 1) : undefined,
      ...(random.below(2) === 0 && { perSecond: 1 + random.below(100) }),
      versionsBytesMax: [1, 2000, 100_000][random.below(3)]!,
      composedBytesMax: random.below(4) === 0 ? 200 : DEFAULT_LIMITS.composedBytesMax,
    });
    try {
      for (let step = 0; step < 150; step++) {
        const choice = random.below(8);
        if (choice < 2) bench.apply(random.below(5));
        else if (choice === 2) bench.local.trimTail(random.below(bench.local.seq + 1));
        else if (choice === 3) bench.asked.shift()?.();
        else if (choice === 4) bench.receiver.idle = random.below(2) === 0;
        else if (choice === 5) bench.receiver.ready = random.below(3) > 0;
        else bench.pump(1 + random.below(2000));
        bench.nowMs += random.below(30);
        assert.ok(bench.failed === undefined);
      }
      bench.finish();
      assert.equal(bench.receiver.seq, bench.local.seq);
      assert.equal(bench.versions.bytes, 0);
    } catch (thrown) {
      throw new Error(`seed ${seed}: ${bench.given.join(' ')}`, { cause: thrown });
    }
    for (const given of bench.given) ways[given[0] as keyof typeof ways]++;
  }
  assert.ok(ways.s > 100 && ways.d > 100 && ways.c > 500, JSON.stringify(ways));
});
