import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Copies, type CopiesHost } from '../../src/replica/copies.js';
import type { LiveCopy } from '../../src/replica/live-copy.js';
import { failure } from '../../src/results.js';
import { makeHistory } from '../support/history.js';
import { giveState } from '../support/live-copies.js';

const STEPS = makeHistory(20);
/** What one counts as without a state. */
const COPY_BYTES = 1024;

class Bench implements CopiesHost {
  readonly limits = {
    residentBytesMax: 1_000_000,
    idleEvictMs: 5000,
    recentBytesMax: 1000,
    watchesPerStreamMax: 100,
  };
  readonly copies: Copies;
  readonly events: string[] = [];
  ms = 0;

  constructor(limits: Partial<CopiesHost['limits']> = {}) {
    Object.assign(this.limits, limits);
    this.copies = new Copies(this);
  }

  nowMs(): number {
    return this.ms;
  }

  opened({ key }: LiveCopy): void {
    this.events.push(`opened ${key}`);
  }

  dropped({ key }: LiveCopy, why: { readonly code: string } | undefined): void {
    this.events.push(why === undefined ? `dropped ${key}` : `dropped ${key} ${why.code}`);
  }

  overdue(copy: LiveCopy): void {
    this.events.push(`overdue ${copy.key}`);
    this.copies.drop(copy, failure('UNAVAILABLE', 'overdue'));
  }

  open(key: string, state = 10): LiveCopy {
    const copy = this.copies.open({ space: 'log', key });
    if (copy.document === undefined && state > 0) giveState(copy, STEPS[state - 1]!);
    this.copies.changed(copy);
    return copy;
  }

  /** Time passes, with a tick every second. */
  pass(ms: number): void {
    for (const endMs = this.ms + ms; this.ms < endMs; ) {
      this.ms = Math.min(endMs, this.ms + 1000);
      this.copies.tick(this.ms);
    }
  }

  get keys(): string[] {
    return [...this.copies.all()].map(({ key }) => key);
  }
}

test('a document has one copy, however often it is asked for', () => {
  const bench = new Bench();
  assert.equal(bench.open('a'), bench.open('a'));
  assert.equal(bench.copies.count, 1);
  assert.deepEqual(bench.events, ['opened a']);
  assert.equal(bench.copies.find({ space: 'other', key: 'a' }), undefined);
});

test('memory is counted as copies grow, shrink and go', () => {
  const bench = new Bench();
  const copy = bench.open('a', 0);
  assert.equal(bench.copies.bytes, COPY_BYTES);
  giveState(copy, STEPS[9]!);
  bench.copies.changed(copy);
  assert.equal(bench.copies.bytes, copy.bytes);
  bench.open('b', 0);
  assert.equal(bench.copies.bytes, copy.bytes + COPY_BYTES);
  bench.copies.drop(copy, undefined);
  bench.copies.changed(copy);
  bench.copies.drop(copy, undefined);
  assert.equal(bench.copies.bytes, COPY_BYTES);
  assert.deepEqual(bench.events, ['opened a', 'opened b', 'dropped a']);
});

test('a copy that nobody uses goes after a while', () => {
  const bench = new Bench({ idleEvictMs: 5000 });
  bench.open('a');
  bench.pass(4000);
  bench.open('b');
  bench.pass(1000);
  assert.deepEqual(bench.keys, ['b']);
  assert.equal(bench.copies.evictions, 1);
  bench.pass(3000);
  bench.open('b');
  bench.pass(4000);
  assert.deepEqual(bench.keys, ['b'], 'it was used in between');
});

test('a copy that is watched or waited for stays, and for a while after', () => {
  const bench = new Bench({ idleEvictMs: 5000 });
  const [watched, waited] = [bench.open('watched'), bench.open('waited')];
  watched.watches++;
  waited.waiting.push(() => {});
  bench.pass(20_000);
  assert.deepEqual(bench.keys.sort(), ['waited', 'watched']);
  watched.watches--;
  waited.settle(undefined);
  bench.pass(4000);
  assert.equal(bench.copies.count, 2);
  bench.pass(2000);
  assert.equal(bench.copies.count, 0);
});

test('where memory is short those go first that were used longest ago', () => {
  const bench = new Bench({ residentBytesMax: 4 * COPY_BYTES });
  for (const key of ['a', 'b', 'c']) {
    bench.open(key, 0);
    bench.ms += 1000;
  }
  bench.open('a', 0);
  assert.equal(bench.copies.refusal({ space: 'log', key: 'd' }), undefined);
  bench.open('d', 0);
  assert.equal(bench.copies.refusal({ space: 'log', key: 'e' }), undefined);
  assert.deepEqual(bench.keys, ['c', 'a', 'd']);
});

test('what was watched until now was not used long ago', () => {
  const bench = new Bench({ residentBytesMax: 3 * COPY_BYTES, idleEvictMs: 60_000 });
  const watched = bench.open('watched', 0);
  giveState(watched, STEPS[0]!);
  watched.watches++;
  bench.ms = 5000;
  giveState(bench.open('read', 0), STEPS[0]!);
  bench.pass(5000);
  watched.watches--;
  bench.open('new', 0);
  assert.equal(bench.copies.refusal({ space: 'log', key: 'next' }), undefined);
  assert.deepEqual(bench.keys, ['watched', 'new']);
});

test('where everything is in use another document is refused', () => {
  const bench = new Bench({ residentBytesMax: 2 * COPY_BYTES });
  for (const key of ['a', 'b']) bench.open(key, 0).watches++;
  assert.equal(bench.copies.refusal({ space: 'log', key: 'c' })?.code, 'OVERLOADED');
  assert.equal(bench.copies.refusal({ space: 'log', key: 'a' }), undefined, 'it is there');
  assert.deepEqual(bench.keys, ['a', 'b']);
});

test('copies that grow push others out', () => {
  const bench = new Bench({ residentBytesMax: 4 * COPY_BYTES });
  bench.open('idle');
  const growing = bench.open('growing', 0);
  growing.watches++;
  giveState(growing, makeHistory(400).at(-1)!);
  bench.copies.changed(growing);
  bench.copies.tick(bench.ms);
  assert.deepEqual(bench.keys, ['growing']);
});

test('more copies than an upstream takes watches are not kept', () => {
  const bench = new Bench({ watchesPerStreamMax: 2 });
  bench.open('a').watches++;
  bench.open('b');
  assert.equal(bench.copies.refusal({ space: 'log', key: 'c' }), undefined);
  assert.deepEqual(bench.keys, ['a']);
  bench.open('c').watches++;
  assert.equal(bench.copies.refusal({ space: 'log', key: 'd' })?.code, 'OVERLOADED');
});

test('whoever waits for a state that does not come is told', () => {
  const bench = new Bench();
  const copy = bench.open('a', 0);
  copy.waiting.push(() => {});
  bench.pass(15_000);
  assert.equal(bench.copies.count, 1);
  bench.pass(1000);
  assert.deepEqual(bench.events, ['opened a', 'overdue a', 'dropped a UNAVAILABLE']);
});

test('what is held stays without being used, until it is not held', () => {
  const bench = new Bench({ idleEvictMs: 1000 });
  const name = { space: 'log', key: 'a' };
  bench.copies.hold(name);
  giveState(bench.copies.find(name)!, STEPS[0]!);
  bench.pass(60_000);
  assert.deepEqual(bench.keys, ['a']);
  bench.copies.release(name);
  bench.pass(2000);
  assert.deepEqual(bench.keys, []);
});

test('what is held comes back where it could not be had', () => {
  const bench = new Bench({ residentBytesMax: COPY_BYTES });
  const name = { space: 'log', key: 'held' };
  const other = bench.open('other', 0);
  other.watches++;
  bench.copies.hold(name);
  assert.deepEqual(bench.keys, ['other']);
  other.watches--;
  bench.pass(1000);
  assert.deepEqual(bench.keys, ['held']);
  bench.copies.drop(bench.copies.find(name)!, failure('SPACE_NOT_FOUND', 'not yet'));
  bench.pass(1000);
  assert.deepEqual(bench.keys, ['held']);
  bench.copies.release(name);
  bench.copies.drop(bench.copies.find(name)!, undefined);
  bench.pass(5000);
  assert.deepEqual(bench.keys, []);
});
