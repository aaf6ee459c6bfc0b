// Watches of views: whatever policy, receivers, memory and breaks there are, what they are given is what the view
// of the whole document is at each seq, and nothing of it is hidden.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type Operation } from '@deltabase/delta';
import fc from 'fast-check';
import { makeCounters, makeHistory, makeHistoryOf, rootAt, type Step } from '../support/history.js';
import { makeRandomHistory } from '../support/random-history.js';
import { ViewBench, type WatchChoice } from '../support/view-bench.js';

/** Ten numbers, of which the one at seq modulo 10 changes. */
const COUNTERS = makeCounters(400);
const EACH = { wantsEach: true } as const;

test('a watch of each change gets the view, then a step for each delta that touches it', () => {
  const bench = new ViewBench({ history: COUNTERS, atSeq: 50 });
  const { receiver } = bench.watch({ pointers: ['/n3'], ...EACH });
  bench.turn();
  bench.apply(30);
  bench.turn();
  assert.deepEqual(receiver.given, ['v50', 's50-53', 's53-63', 's63-73']);
  assert.deepEqual(
    receiver.steps.map(({ patch }) => Buffer.from(patch).toString()),
    [53, 63, 73].map((n) => `[{"op":"replace","path":"/n3","value":${n}}]`),
  );
});

test('a delta that touches nothing of what is watched wakes nobody', () => {
  const bench = new ViewBench({ history: COUNTERS, atSeq: 50 });
  bench.watch({ pointers: ['/n3'], ...EACH });
  bench.watch({ pointers: ['/n3', '/none'] });
  bench.turn();
  bench.apply(2);
  assert.equal(bench.views.takeChanged().length, 0);
  bench.apply(1);
  assert.equal(bench.views.takeChanged().length, 2);
});

test('whoever has the same pointers gets the same step and the same mark, made once', () => {
  const bench = new ViewBench({ history: COUNTERS, atSeq: 50 });
  const watches = [
    bench.watch({ pointers: ['/n3', '/n5'], ...EACH }),
    bench.watch({ pointers: ['/n5', '/n3'], ...EACH }),
  ];
  bench.turn();
  bench.apply(3);
  bench.turn();
  watches.push(bench.watch({ pointers: ['/n5', '/n3'], afterSeq: 53, ...EACH }));
  bench.apply(4);
  bench.turn();
  bench.tellProgress();
  bench.turn();
  const last = watches.map(({ receiver }) => receiver.steps.at(-1));
  assert.deepEqual([last[0]?.fromSeq, last[0]?.seq], [53, 55]);
  assert.ok(last.every((step) => step === last[0]));
  const marks = watches.map(({ receiver }) => receiver.marks.at(-1));
  assert.ok(marks[0]!.seq === 57 && marks.every((mark) => mark === marks[0]));
});

test('those who lag alike and want the newest view get one step that was made once', () => {
  const bench = new ViewBench({ history: COUNTERS, atSeq: 50 });
  const watches = [bench.watch({ pointers: ['/n3'] }), bench.watch({ pointers: ['/n3'] })];
  bench.turn();
  for (const watch of watches) bench.take(watch, { ready: true, idle: false });
  bench.apply(200);
  bench.turn();
  assert.ok(bench.versions.bytes > 0 && bench.versions.bytes < 300, 'one small view is held');
  for (const watch of watches) bench.take(watch, { ready: true, idle: true });
  bench.turn();
  const [one, other] = watches.map(({ receiver }) => receiver.steps);
  assert.deepEqual([one!.length, one![0]!.fromSeq, one![0]!.seq], [1, 50, 250]);
  assert.equal(one![0], other![0]);
  assert.equal(bench.versions.bytes, 0);
});

test('a mark says how far nothing has changed, to those who do not know it yet', () => {
  const bench = new ViewBench({ history: COUNTERS, atSeq: 50 });
  const { receiver } = bench.watch({ pointers: ['/n3'], ...EACH });
  const newest = bench.watch({ pointers: ['/n9'] });
  bench.turn();
  bench.apply(2);
  assert.ok(bench.progressed > 0);
  bench.tellProgress();
  bench.turn();
  bench.tellProgress();
  bench.turn();
  bench.apply(1);
  bench.turn();
  bench.tellProgress();
  bench.turn();
  assert.deepEqual(receiver.given, ['v50', 'm52', 's50-53']);
  assert.deepEqual(newest.receiver.given, ['v50', 'm52', 'm53']);
});

test('who goes on behind a seq since which nothing has changed is told so, and gets no view', () => {
  const bench = new ViewBench({ history: COUNTERS, atSeq: 50 });
  const first = bench.watch({ pointers: ['/n9'] });
  bench.turn();
  bench.apply(5);
  const again = bench.watch({ pointers: ['/n9'], afterSeq: 52 });
  bench.turn();
  assert.deepEqual(again.receiver.given, ['m55']);
  assert.deepEqual(first.receiver.given, ['v50']);
});

test('each step behind a seq of long ago is made from the history, a mark ends it', () => {
  const bench = new ViewBench({ history: COUNTERS, atSeq: 380 });
  const { receiver } = bench.watch({ pointers: ['/n3'], afterSeq: 14, ...EACH });
  bench.turn();
  bench.apply(7);
  bench.local.trimTail(384);
  bench.finish();
  assert.equal(receiver.given[0], 's14-23');
  assert.equal(receiver.steps.length, 37);
  assert.deepEqual(receiver.given.slice(-4), ['s363-373', 'm380', 's380-383', 'm387']);
});

test('the newest view behind a seq of long ago is given as a whole', () => {
  const bench = new ViewBench({ history: COUNTERS, atSeq: 380 });
  const { receiver } = bench.watch({ pointers: ['/n3'], afterSeq: 14 });
  bench.finish();
  assert.deepEqual(receiver.given, ['v380']);
});

test('a sink that is full gets each step later, also those that are kept no longer', () => {
  for (const watchStepsBytesMax of [1, 2 ** 20]) {
    const limits = { watchStepsBytesMax };
    const bench = new ViewBench({ history: COUNTERS, atSeq: 50, limits });
    const watch = bench.watch({ pointers: ['/n3', '/n4'], ...EACH });
    bench.turn();
    bench.take(watch, { ready: false, idle: false });
    bench.apply(300);
    bench.turn();
    assert.ok(bench.steps.bytes <= watchStepsBytesMax);
    bench.finish();
    assert.equal(watch.receiver.steps.length, 60);
    assert.equal(bench.wasAsked, watchStepsBytesMax === 1, 'kept ones need no history');
  }
});

test('steps are kept only while somebody wants each, and no more than the limit', () => {
  const history = makeHistory(300, { payload: new Uint8Array(10) });
  const bench = new ViewBench({ history, atSeq: 1, limits: { watchStepsBytesMax: 10_000 } });
  const newest = bench.watch({ pointers: ['/t5', ''] });
  bench.turn();
  bench.apply(100);
  assert.equal(bench.steps.bytes, 0);
  const each = bench.watch({ pointers: [''], ...EACH });
  const other = bench.watch({ pointers: ['/t150', '/t160'], ...EACH });
  bench.turn();
  bench.take(each, { ready: false, idle: false });
  bench.apply(100);
  assert.ok(bench.steps.bytes > 9000 && bench.steps.bytes <= 10_000);
  bench.finish();
  assert.equal(other.receiver.steps.length, 2);
  for (const watch of [each, other]) bench.end(watch);
  assert.equal(bench.steps.bytes, 0);
  bench.end(newest);
  assert.equal(bench.views.count, 0);
});

test('a step that would be too large is not made: the view is given anew', () => {
  const limits = { composedBytesMax: 60 };
  const history = makeHistory(40);
  const bench = new ViewBench({ history, atSeq: 20, limits });
  const each = bench.watch({ pointers: [''], ...EACH });
  const past = bench.watch({ pointers: [''], afterSeq: 0, ...EACH });
  const newest = bench.watch({ pointers: [''] });
  bench.turn();
  bench.take(newest, { ready: true, idle: false });
  bench.apply(2);
  bench.finish();
  assert.deepEqual(each.receiver.given, ['v20', 's20-21', 's21-22']);
  assert.deepEqual(past.receiver.given.slice(0, 2), ['s0-1', 's1-2']);
  assert.deepEqual(newest.receiver.given, ['v20', 'v22']);
  const tiny = new ViewBench({ history, atSeq: 20, limits: { composedBytesMax: 10 } });
  const kept = tiny.watch({ pointers: [''], ...EACH });
  const made = tiny.watch({ pointers: [''], afterSeq: 3, ...EACH });
  tiny.turn();
  tiny.apply(3);
  tiny.finish();
  assert.deepEqual(kept.receiver.given, ['v20', 'v23']);
  assert.deepEqual(made.receiver.given, ['v23']);
});

test('at most so many events a second come, marks among them, and the newest view in the end', () => {
  const bench = new ViewBench({ history: COUNTERS, atSeq: 0 });
  const { receiver } = bench.watch({ pointers: ['/n3', '/n4'], perSecond: 10 });
  for (; bench.nowMs < 11_000; bench.nowMs += 5) {
    bench.apply(1);
    bench.tellProgress();
    bench.turn();
  }
  assert.ok(receiver.given.length >= 9 && receiver.given.length <= 11, receiver.given.join(' '));
  bench.finish();
});

test('no step leads to what is proposed and not committed (CommittedOnly)', () => {
  const bench = new ViewBench({ history: COUNTERS, atSeq: 50 });
  const { receiver } = bench.watch({ pointers: ['/n3'], ...EACH });
  bench.turn();
  bench.local.document!.propose(rootAt(COUNTERS, 51));
  bench.local.document!.propose(rootAt(COUNTERS, 52));
  bench.local.document!.propose(rootAt(COUNTERS, 53));
  bench.tellProgress();
  bench.turn();
  assert.deepEqual(receiver.given, ['v50']);
  bench.apply(3);
  bench.turn();
  assert.deepEqual(receiver.given, ['v50', 's50-53']);
});

test('each change of an entry is a step, though a leader keeps only the last state of it', () => {
  const bench = new ViewBench({ history: COUNTERS, atSeq: 50 });
  const newest = bench.watch({ pointers: ['/n3'] });
  bench.turn();
  bench.applyEntry(15);
  bench.turn();
  const each = bench.watch({ pointers: ['/n3', '/n4'], ...EACH });
  bench.turn();
  bench.applyEntry(30);
  bench.turn();
  assert.deepEqual(newest.receiver.given, ['v50', 's50-65', 's63-95']);
  assert.deepEqual(each.receiver.given.slice(0, 4), ['v65', 's65-73', 's73-74', 's74-83']);
  assert.equal(each.receiver.steps.length, 6);
});

test('what a view was within an entry only counts for who comes from there', () => {
  const steps: readonly Operation[] = [
    { op: 'add', path: '', value: fromJson({ a: 1, b: 1 }) },
    { op: 'replace', path: '/a', value: 2 },
    { op: 'replace', path: '/a', value: 1 },
    { op: 'replace', path: '/b', value: 2 },
  ];
  const history = makeHistoryOf(steps);
  const bench = new ViewBench({ history, atSeq: 1 });
  const first = bench.watch({ pointers: ['/a'] });
  bench.turn();
  bench.applyEntry(2);
  bench.turn();
  const behind = bench.watch({ pointers: ['/a'], afterSeq: 2 });
  const each = bench.watch({ pointers: ['/a'], afterSeq: 2, ...EACH });
  bench.apply(1);
  bench.finish();
  assert.deepEqual(first.receiver.given, ['v1', 'm3', 'm4']);
  assert.deepEqual(behind.receiver.given, ['v4'], 'what it has is not known');
  assert.deepEqual(each.receiver.given, ['s2-3', 'm4']);
});

test('a watch goes on behind a document that took its place, and hides nothing of what came between', () => {
  const bench = new ViewBench({ history: COUNTERS, atSeq: 50 });
  const each = bench.watch({ pointers: ['/n3'], ...EACH });
  const newest = bench.watch({ pointers: ['/n3'] });
  const same = bench.watch({ pointers: ['/none'] });
  bench.turn();
  bench.replace(25);
  bench.turn();
  assert.deepEqual(each.receiver.given, ['v50']);
  bench.loadReplaced();
  bench.apply(10);
  bench.finish();
  assert.deepEqual(each.receiver.given, [
    'v50',
    's50-53',
    's53-63',
    's63-73',
    'm75',
    's75-83',
    'm85',
  ]);
  assert.equal(newest.receiver.steps.length, 1);
  assert.deepEqual(same.receiver.given, ['v50', 'm85']);
});

test('a watch that ends holds nothing, and says nothing more', () => {
  const bench = new ViewBench({ history: COUNTERS, atSeq: 50 });
  const watch = bench.watch({ pointers: ['/n3'] });
  const past = bench.watch({ pointers: ['/n3'], afterSeq: 3, ...EACH });
  bench.turn();
  bench.take(watch, { ready: true, idle: false });
  bench.apply(10);
  bench.turn();
  assert.ok(bench.versions.bytes > 0);
  for (const each of [watch, past]) bench.end(each);
  for (const made of bench.asked.splice(0)) made();
  bench.turn();
  assert.equal(bench.versions.bytes, 0);
  assert.deepEqual(past.receiver.given, []);
});

/** What may happen, as numbers that mean something once there is a bench. */
const event = fc.record({
  kind: fc.constantFrom(
    ...[
      'apply',
      'apply',
      'apply',
      'entry',
      'entry',
      'trim',
      'make',
      'take',
      'take',
      'turn',
      'turn',
      'turn',
    ],
    ...['tell', 'replace', 'load', 'watch', 'end', 'pass'],
  ),
  n: fc.nat({ max: 10_000 }),
});

const PLACES = ['/list', '/list/0', '/list/2/a', '/names/a', '/names', '/text', '', '/list/1'];
const place = fc.oneof(
  fc.constantFrom(...PLACES),
  fc.constantFrom('/names/a/b', '/names/0/1', '/list/3', '/list/0/0', '/list/-', '/none'),
);

const watchChoice = fc.record({
  pointers: fc.array(place, { minLength: 1, maxLength: 3 }),
  after: fc.option(fc.nat({ max: 100 }), { nil: undefined }),
  wantsEach: fc.boolean(),
  perSecond: fc.option(fc.constantFrom(5, 100), { nil: undefined }),
});

const limitsChoice = fc.record({
  watchVersionsBytesMax: fc.constantFrom(1, 2000, 2 ** 20),
  watchStepsBytesMax: fc.constantFrom(1, 1500, 2 ** 20),
  composedBytesMax: fc.constantFrom(80, 2 ** 20),
});

test('whatever happens, what views are told to be is what they are, and nothing is hidden', () => {
  const ways = { v: 0, s: 0, m: 0 };
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.nat({ max: 20 }),
      fc.array(watchChoice, { minLength: 1, maxLength: 4 }),
      limitsChoice,
      fc.array(event, { minLength: 20, maxLength: 120 }),
      (seed, atSeq, choices, limits, events) => {
        const history = makeRandomHistory(seed, 80);
        const bench = new ViewBench({ history, atSeq, limits });
        for (const choice of choices) bench.watch(watchOf(choice, bench));
        for (const { kind, n } of events) happen(bench, kind, n, choices);
        bench.finish();
        for (const { receiver } of bench.watches) {
          for (const given of receiver.given) ways[given[0] as keyof typeof ways]++;
        }
        while (bench.watches.length > 0) bench.end(bench.watches[0]!);
        assert.deepEqual([bench.versions.bytes, bench.steps.bytes], [0, 0]);
      },
    ),
    { numRuns: 400 },
  );
  assert.ok(ways.v > 200 && ways.s > 700 && ways.m > 200, JSON.stringify(ways));
});

type Choice = typeof watchChoice extends fc.Arbitrary<infer T> ? T : never;

function watchOf({ after, wantsEach, perSecond, pointers }: Choice, bench: ViewBench): WatchChoice {
  const afterSeq = after === undefined ? undefined : after % (bench.local.seq + 1);
  return { pointers, afterSeq, wantsEach, perSecond: wantsEach ? undefined : perSecond };
}

function happen(bench: ViewBench, kind: string, n: number, choices: readonly Choice[]): void {
  const watch = bench.watches[n % Math.max(1, bench.watches.length)];
  const isLoaded = bench.local.document !== undefined;
  if (kind === 'apply' && isLoaded) bench.apply(1 + (n % 4));
  else if (kind === 'entry' && isLoaded) bench.applyEntry(1 + (n % 4));
  else if (kind === 'trim') bench.local.trimTail(n % (bench.local.seq + 1));
  else if (kind === 'make') bench.asked.shift()?.();
  else if (kind === 'take' && watch !== undefined) {
    const ready = n % 3 > 0;
    bench.take(watch, { ready, idle: ready && n % 2 === 0 });
  } else if (kind === 'turn') bench.turn(1 + (n % 2000));
  else if (kind === 'tell') bench.tellProgress();
  else if (kind === 'replace' && isLoaded && n % 4 === 0) bench.replace(n % 9);
  else if (kind === 'load') bench.loadReplaced();
  else if (kind === 'watch' && isLoaded) {
    bench.watch(
      watchOf({ ...choices[n % choices.length]!, after: n % 3 === 0 ? undefined : n }, bench),
    );
  } else if (kind === 'end' && watch !== undefined) bench.end(watch);
  else if (kind === 'pass') bench.nowMs += n % 300;
}

test('the random histories change what the random pointers see', () => {
  const changed = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) {
    const history: readonly Step[] = makeRandomHistory(seed, 80);
    const bench = new ViewBench({ history, atSeq: 0 });
    for (const pointer of PLACES) bench.watch({ pointers: [pointer], ...EACH });
    bench.apply(80);
    bench.finish();
    for (const { receiver } of bench.watches) {
      if (receiver.steps.length > 5) changed.add(receiver.pointers[0]!);
    }
  }
  assert.deepEqual(changed, new Set(PLACES));
});
