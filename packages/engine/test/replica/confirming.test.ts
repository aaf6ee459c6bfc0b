import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Confirmation, Confirming } from '../../src/replica/confirming.js';
import { LiveCopy } from '../../src/replica/live-copy.js';
import { failure } from '../../src/results.js';
import { makeHistory } from '../support/history.js';
import { giveDelta, giveState } from '../support/live-copies.js';

const STEPS = makeHistory(30);

/** Copies that are watched, and an upstream that is asked about them. */
class Bench {
  nowMs = 100;
  isConnected = true;
  wakes = 0;
  readonly asked: string[] = [];
  readonly told: string[] = [];
  readonly confirming: Confirming;
  #watches = 0;

  constructor(headsMax = 10) {
    this.confirming = new Confirming({
      limits: { headsMax },
      nowMs: () => this.nowMs,
      ask: (number, ids) => {
        if (this.isConnected) this.asked.push(`${number}: ${ids}`);
        return this.isConnected;
      },
      wake: () => this.wakes++,
    });
  }

  /** A copy with the state that step `at` makes; 0: without one. */
  copy(at: number): LiveCopy {
    const copy = new LiveCopy('log', `k${this.#watches}`, 10_000);
    copy.id = ++this.#watches;
    copy.askedMs = this.nowMs;
    if (at > 0) giveState(copy, STEPS[at - 1]!);
    return copy;
  }

  request(copy: LiveCopy, name: string, expiresMs = 10_000): void {
    this.confirming.request(copy, expiresMs, (outcome) => {
      this.told.push(`${name} ${textOf(outcome)}`);
    });
  }

  /** A delta comes. */
  apply(copy: LiveCopy): void {
    giveDelta(copy, STEPS[copy.seq]!);
    this.confirming.changed(copy);
  }

  /** The first state comes, or another one. */
  load(copy: LiveCopy, at: number): void {
    giveState(copy, STEPS[at - 1]!);
    copy.isFreshAt(at, copy.askedMs);
    this.confirming.changed(copy);
  }
}

function textOf(outcome: Confirmation): string {
  return typeof outcome === 'string' ? outcome : outcome.code;
}

test('whoever asks is told once the copy is as far as the leader says, not before', () => {
  const bench = new Bench();
  const copy = bench.copy(5);
  bench.request(copy, 'a');
  assert.equal(bench.wakes, 1);
  bench.confirming.turn();
  assert.deepEqual(bench.asked, ['1: 1']);
  assert.deepEqual(bench.told, []);
  assert.equal(bench.confirming.answered(1, [7]), true);
  bench.apply(copy);
  assert.deepEqual(bench.told, []);
  bench.apply(copy);
  assert.deepEqual(bench.told, ['a reached']);
});

test('a copy that is there already is confirmed by the answer', () => {
  const bench = new Bench();
  const copy = bench.copy(5);
  bench.request(copy, 'a');
  bench.confirming.turn();
  bench.confirming.answered(1, [5]);
  assert.deepEqual(bench.told, ['a reached']);
  assert.equal(copy.freshMs, 100, 'as of the question, not of the answer');
});

test('one question is open; who asks meanwhile shares the next one', () => {
  const bench = new Bench();
  const [one, two] = [bench.copy(5), bench.copy(5)];
  bench.request(one, 'a');
  bench.confirming.turn();
  bench.nowMs = 110;
  bench.request(one, 'b');
  bench.request(two, 'c');
  bench.request(two, 'd');
  bench.confirming.turn();
  assert.deepEqual(bench.asked, ['1: 1']);
  assert.equal(bench.confirming.askedMs, 100);
  bench.confirming.answered(1, [5]);
  assert.deepEqual(bench.told, ['a reached'], 'what was committed before b asked is not known');
  bench.confirming.turn();
  assert.deepEqual(bench.asked, ['1: 1', '2: 1,2']);
  bench.confirming.answered(2, [5, 6]);
  bench.apply(two);
  assert.deepEqual(bench.told, ['a reached', 'b reached', 'c reached', 'd reached']);
  assert.equal(bench.confirming.askedMs, undefined);
});

test('no more documents are asked about at once than may be', () => {
  const bench = new Bench(2);
  for (const copy of [bench.copy(1), bench.copy(1), bench.copy(1)]) bench.request(copy, 'x');
  bench.confirming.turn();
  bench.confirming.answered(1, [1, 1]);
  bench.confirming.turn();
  assert.deepEqual(bench.asked, ['1: 1,2', '2: 3']);
});

test('a question is asked again if its connection is lost, and no late answer counts', () => {
  const bench = new Bench();
  const copy = bench.copy(5);
  bench.request(copy, 'a');
  bench.confirming.turn();
  bench.confirming.lost();
  bench.isConnected = false;
  bench.confirming.turn();
  assert.equal(bench.confirming.answered(1, [5]), false);
  assert.deepEqual(bench.told, []);
  bench.isConnected = true;
  copy.id = 7;
  bench.confirming.turn();
  assert.deepEqual(bench.asked, ['1: 1', '2: 7']);
  assert.equal(bench.confirming.answered(1, [5]), false);
  assert.deepEqual(bench.told, []);
  bench.confirming.answered(2, [5]);
  assert.deepEqual(bench.told, ['a reached']);
});

test('of what nothing is known it asks again, with what was asked meanwhile; what is known counts', () => {
  const bench = new Bench();
  const [one, two, three, idle] = [5, 5, 5, 5].map((seq) => bench.copy(seq));
  bench.request(one!, 'a');
  bench.request(two!, 'b');
  bench.confirming.refresh(idle!);
  bench.confirming.turn();
  bench.request(three!, 'c');
  assert.equal(bench.confirming.answered(1, [undefined, 5, undefined]), true);
  assert.deepEqual(bench.told, ['b reached']);
  bench.confirming.turn();
  assert.deepEqual(bench.asked, ['1: 1,2,4', '2: 3,1'], 'nobody waits for the last one');
  bench.confirming.answered(2, [5, 5]);
  assert.deepEqual(bench.told, ['b reached', 'c reached', 'a reached']);
});

test('a question that nobody waits for is not asked again', () => {
  const bench = new Bench();
  bench.confirming.refresh(bench.copy(5));
  bench.confirming.turn();
  bench.confirming.lost();
  bench.confirming.turn();
  assert.deepEqual(bench.asked, ['1: 1']);
});

test('an answer that fails, or has not as many heads as were asked for, is none', () => {
  for (const answer of [failure('UNAVAILABLE', 'no leader'), [5, 6], []]) {
    const bench = new Bench();
    bench.request(bench.copy(5), 'a');
    bench.confirming.turn();
    assert.equal(bench.confirming.answered(1, answer), false);
    assert.deepEqual(bench.told, []);
    bench.confirming.turn();
    assert.deepEqual(bench.asked, ['1: 1', '2: 1']);
  }
});

test('a copy that is not watched yet is asked about once it is', () => {
  const bench = new Bench();
  const copy = bench.copy(5);
  copy.id = 0;
  bench.request(copy, 'a');
  bench.confirming.turn();
  assert.deepEqual(bench.asked, []);
  copy.id = 3;
  bench.confirming.turn();
  assert.deepEqual(bench.asked, ['1: 3']);
});

test('the first state is the answer for who asked before it was asked for', () => {
  const bench = new Bench();
  const copy = bench.copy(0);
  bench.request(copy, 'a');
  bench.confirming.turn();
  assert.deepEqual(bench.asked, []);
  bench.load(copy, 4);
  assert.deepEqual(bench.told, ['a reached']);
});

test('a state that was on its way already is no answer for who asked later', () => {
  const bench = new Bench();
  const copy = bench.copy(0);
  bench.nowMs = 101;
  bench.request(copy, 'a');
  bench.confirming.turn();
  bench.load(copy, 4);
  assert.deepEqual(bench.told, [], 'its leader may have had more when it was asked');
  assert.deepEqual(bench.asked, ['1: 1']);
  bench.confirming.answered(1, [5]);
  assert.deepEqual(bench.told, []);
  bench.apply(copy);
  assert.deepEqual(bench.told, ['a reached']);
});

test('an answer that comes before the state waits for it', () => {
  const bench = new Bench();
  const copy = bench.copy(0);
  bench.nowMs = 101;
  bench.request(copy, 'a');
  bench.confirming.turn();
  bench.confirming.answered(1, [4]);
  assert.deepEqual(bench.told, []);
  bench.load(copy, 4);
  assert.deepEqual(bench.told, ['a reached']);
});

test('nobody waits beyond its time, for whatever it waits', () => {
  const bench = new Bench();
  const [one, two] = [bench.copy(5), bench.copy(5)];
  bench.request(one, 'answered', 200);
  bench.confirming.turn();
  bench.confirming.answered(1, [9]);
  bench.isConnected = false;
  bench.request(two, 'unasked', 200);
  bench.request(two, 'patient', 300);
  bench.confirming.turn();
  bench.confirming.tick(199);
  assert.deepEqual(bench.told, []);
  bench.confirming.tick(200);
  assert.deepEqual(bench.told, ['answered late', 'unasked late']);
  bench.confirming.tick(300);
  assert.equal(bench.told.at(-1), 'patient late');
});

test('a copy is in use while somebody waits, and no longer', () => {
  const bench = new Bench();
  const copy = bench.copy(5);
  bench.request(copy, 'a', 200);
  bench.request(copy, 'b');
  assert.equal(copy.watches, 2);
  bench.confirming.tick(200);
  assert.equal(copy.watches, 1);
  bench.confirming.turn();
  bench.confirming.answered(1, [5]);
  assert.equal(copy.watches, 0);
});

test('a copy is not in use because it is asked how fresh it is', () => {
  const bench = new Bench();
  const copy = bench.copy(5);
  bench.confirming.refresh(copy);
  bench.confirming.turn();
  bench.confirming.answered(1, [7]);
  assert.ok(copy.isIdle);
  assert.equal(copy.freshMs, Number.NEGATIVE_INFINITY);
  bench.apply(copy);
  bench.apply(copy);
  assert.equal(copy.freshMs, 100);
});

test('who waits for a copy that fails is told why', () => {
  const bench = new Bench();
  const copy = bench.copy(5);
  bench.request(copy, 'a');
  bench.confirming.turn();
  bench.request(copy, 'b');
  bench.confirming.dropped(copy, failure('SPACE_NOT_FOUND', 'gone'));
  assert.deepEqual(bench.told, ['a SPACE_NOT_FOUND', 'b SPACE_NOT_FOUND']);
  bench.confirming.answered(1, [5]);
  bench.confirming.turn();
  assert.deepEqual(bench.asked, ['1: 1']);
  assert.equal(copy.watches, 0);
});

test('what somebody waits for is not dropped for room', () => {
  const bench = new Bench();
  const copy = bench.copy(5);
  bench.request(copy, 'a');
  assert.throws(() => bench.confirming.dropped(copy, undefined), /in use/);
});
