import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Expiring } from '../../src/expiring.js';
import { type Confirmation, Confirming } from '../../src/replica/confirming.js';
import { LiveCopy } from '../../src/replica/live-copy.js';
import { failure } from '../../src/results.js';
import { makeHistory } from '../support/history.js';
import { giveDelta, giveState } from '../support/live-copies.js';

const STEPS = makeHistory(30);
const NO_LEADER = failure('UNAVAILABLE', 'no leader');

/** Copies that are watched, and an upstream that is asked about them. */
class Bench {
  nowMs = 100;
  isConnected = true;
  wakes = 0;
  readonly asked: string[] = [];
  /** How long the upstream may look for heads, of each question. */
  readonly timeoutsMs: number[] = [];
  readonly told: string[] = [];
  readonly confirming: Confirming;
  #watches = 0;

  constructor(headsMax = 10) {
    this.confirming = new Confirming({
      limits: { headsMax },
      nowMs: () => this.nowMs,
      ask: (number, ids, timeoutMs) => {
        if (this.isConnected) {
          this.asked.push(`${number}: ${ids}`);
          this.timeoutsMs.push(timeoutMs);
        }
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

  request(copy: LiveCopy, name: string, expiresMs = 10_000): Expiring {
    return this.confirming.request(copy, expiresMs, (outcome) => {
      this.told.push(`${name} ${textOf(outcome)}`);
    });
  }

  /** A delta comes. */
  apply(copy: LiveCopy): void {
    giveDelta(copy, STEPS[copy.seq]!);
    this.confirming.changed(copy);
  }

  /** The number of the question that was sent last. */
  get latest(): number {
    return this.asked.length;
  }

  /** A copy whose head was unknown when it was asked about, in question 1, and that somebody waits for. */
  doubtful(name: string): LiveCopy {
    const copy = this.copy(5);
    this.request(copy, name);
    this.confirming.turn();
    this.nowMs += 200;
    this.confirming.answered(this.latest, NO_LEADER);
    return copy;
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

test('two questions are open at most, and none about what the other is about; who asks meanwhile shares the next one', () => {
  const bench = new Bench();
  const [one, two, three] = [bench.copy(5), bench.copy(5), bench.copy(5)];
  bench.request(one, 'a');
  bench.confirming.turn();
  bench.nowMs = 110;
  bench.request(one, 'b');
  bench.request(two, 'c');
  bench.request(two, 'd');
  bench.confirming.turn();
  bench.request(two, 'e');
  bench.request(three, 'f');
  bench.confirming.turn();
  assert.deepEqual(bench.asked, ['1: 1', '2: 2']);
  assert.equal(bench.confirming.askedMs, 100);
  bench.confirming.answered(1, [5]);
  assert.deepEqual(bench.told, ['a reached'], 'what was committed before b asked is not known');
  assert.equal(bench.confirming.askedMs, 110);
  bench.confirming.turn();
  assert.deepEqual(bench.asked, ['1: 1', '2: 2', '3: 3,1']);
  bench.nowMs = 120;
  bench.confirming.answered(2, [6]);
  bench.apply(two);
  assert.deepEqual(bench.told, ['a reached', 'c reached', 'd reached', 'e reached']);
  bench.confirming.answered(3, [5, 5]);
  assert.deepEqual(bench.told.slice(4), ['f reached', 'b reached']);
  bench.confirming.turn();
  assert.deepEqual(bench.asked.slice(3), ['4: 2'], 'since it was asked for meanwhile');
  bench.confirming.answered(4, [6]);
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

test('of what nothing is known it asks again, beside what was asked meanwhile; what is known counts', () => {
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
  assert.deepEqual(bench.asked, ['1: 1,2,4', '2: 1', '3: 3'], 'nobody waits for the last one');
  bench.confirming.answered(3, [5]);
  bench.confirming.answered(2, [5]);
  assert.deepEqual(bench.told, ['b reached', 'c reached', 'a reached']);
});

test('documents of a group without a leader delay only each other, whoever asked first', () => {
  const bench = new Bench();
  const [lone, other, third] = [bench.copy(5), bench.copy(5), bench.copy(5)];
  bench.request(lone, 'lone');
  bench.confirming.turn();
  bench.request(other, 'other');
  bench.confirming.turn();
  assert.deepEqual(bench.asked, ['1: 1', '2: 2'], 'nothing is known of the first one');
  bench.confirming.answered(2, [5]);
  assert.deepEqual(bench.told, ['other reached']);
  bench.nowMs += 200;
  bench.confirming.answered(1, NO_LEADER);
  for (let round = 0; round < 4; round++) {
    bench.confirming.turn();
    for (const copy of [third, other]) bench.request(copy, 'x');
    bench.confirming.turn();
    assert.deepEqual(bench.asked.slice(-2), [`${bench.latest - 1}: 1`, `${bench.latest}: 3,2`]);
    bench.confirming.answered(bench.latest, [5, 5]);
    assert.equal(bench.told.length, 1 + 2 * (round + 1));
    bench.nowMs += 1000;
    bench.confirming.answered(bench.latest - 1, NO_LEADER);
  }
  bench.confirming.turn();
  bench.confirming.answered(bench.latest, [5]);
  assert.equal(bench.told.at(-1), 'lone reached');
});

test('while doubtful copies are asked about, one question is open about all others', () => {
  const bench = new Bench();
  bench.doubtful('lone');
  bench.confirming.turn();
  const others = [bench.copy(5), bench.copy(5)];
  for (const other of others) {
    bench.request(other, 'other');
    bench.confirming.turn();
  }
  assert.deepEqual(bench.asked, ['1: 1', '2: 1', '3: 2']);
  bench.confirming.answered(3, [5]);
  bench.confirming.turn();
  assert.deepEqual(bench.asked.slice(3), ['4: 3']);
});

test('the upstream looks for heads of doubtful copies for longer, and no more of them at once', () => {
  const bench = new Bench(2);
  for (const name of ['a', 'b', 'c']) bench.request(bench.copy(5), name);
  bench.confirming.turn();
  bench.confirming.turn();
  bench.confirming.answered(1, NO_LEADER);
  bench.confirming.answered(2, NO_LEADER);
  bench.confirming.turn();
  assert.deepEqual(bench.asked, ['1: 1,2', '2: 3', '3: 1,2']);
  bench.confirming.answered(3, NO_LEADER);
  bench.confirming.turn();
  assert.deepEqual(bench.asked.slice(3), ['4: 3,1']);
  assert.deepEqual(bench.timeoutsMs, [200, 200, 1000, 1000]);
});

test('a copy whose head has come in time is doubtful no more, one whose head was late is', () => {
  const bench = new Bench();
  const copy = bench.doubtful('a');
  for (const [tookMs, isDoubtful] of [
    [201, true],
    [200, false],
    [201, true],
  ] as const) {
    bench.request(copy, 'b');
    bench.confirming.turn();
    bench.nowMs += tookMs;
    bench.confirming.answered(bench.latest, [5]);
    assert.equal(copy.isDoubtful, isDoubtful);
  }
  assert.deepEqual(bench.timeoutsMs, [200, 1000, 1000, 200]);
  assert.deepEqual(bench.told, ['a reached', 'b reached', 'b reached', 'b reached']);
});

test('who waits for a doubtful copy waits until its time, and no longer', () => {
  const bench = new Bench();
  const copy = bench.doubtful('a');
  bench.request(copy, 'b', 1500);
  for (let round = 0; round < 21; round++) {
    bench.confirming.turn();
    bench.nowMs += 500;
    bench.confirming.tick(bench.nowMs);
    bench.confirming.answered(bench.latest, NO_LEADER);
  }
  assert.deepEqual(bench.told, ['b late', 'a late']);
  assert.equal(copy.watches, 0);
  assert.equal(bench.latest, 21, 'once nobody waits for it, it is not asked about');
});

test('a connection that is lost takes both questions with it', () => {
  const bench = new Bench();
  const lone = bench.doubtful('lone');
  const other = bench.copy(5);
  bench.request(other, 'other');
  bench.confirming.turn();
  bench.request(other, 'again');
  bench.confirming.lost();
  assert.equal(bench.confirming.askedMs, undefined);
  for (const number of [2, 3]) assert.equal(bench.confirming.answered(number, [5]), false);
  bench.confirming.turn();
  assert.deepEqual(bench.asked.slice(1), ['2: 1', '3: 2', '4: 1', '5: 2']);
  bench.confirming.answered(5, [5]);
  bench.confirming.answered(4, [5]);
  assert.deepEqual(bench.told, ['other reached', 'again reached', 'lone reached']);
  assert.equal(lone.watches, 0);
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

test('who gives up keeps a copy in use until the next tick, and others are not touched', () => {
  const bench = new Bench();
  const copy = bench.copy(5);
  const given = bench.request(copy, 'given');
  bench.request(copy, 'patient');
  given.expiresMs = Number.NEGATIVE_INFINITY;
  bench.confirming.tick(bench.nowMs);
  assert.deepEqual(bench.told, ['given late']);
  assert.equal(copy.watches, 1);
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

test('who waits while nobody can be asked is told why, and the copies are in use no more', () => {
  const bench = new Bench();
  const [copy, other] = [bench.copy(5), bench.copy(5)];
  bench.request(copy, 'a');
  bench.request(copy, 'b');
  bench.request(other, 'c');
  bench.confirming.cutOff(NO_LEADER);
  assert.deepEqual(bench.told, ['a UNAVAILABLE', 'b UNAVAILABLE', 'c UNAVAILABLE']);
  assert.deepEqual([copy.watches, other.watches], [0, 0]);
});

test('what somebody waits for is not dropped for room', () => {
  const bench = new Bench();
  const copy = bench.copy(5);
  bench.request(copy, 'a');
  assert.throws(() => bench.confirming.dropped(copy, undefined), /in use/);
});
