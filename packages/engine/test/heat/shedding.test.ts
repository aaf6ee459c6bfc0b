import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shedding } from '../../src/heat/shedding.js';

class Bench {
  readonly shedding = new Shedding({ turnDelayMsMax: 50 });
  nowMs = 1000;
  given = 0;

  /** Lets time pass in which turns are waited for so long, and so much is read a second. */
  pass(ms: number, delayMs: number, perSecond = 5000): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += 50;
      this.given += perSecond / 20;
      const isLongest = this.nowMs % 100 === 0;
      this.shedding.tick(this.nowMs, isLongest ? delayMs : delayMs / 3, this.given);
    }
  }

  /** What is refused. */
  get refused(): string[] {
    const all = ['watch', 'stale read', 'read'] as const;
    return all.filter((asked) => this.shedding.refusal(asked) !== undefined);
  }
}

test('a process that is not busy refuses nothing', () => {
  const bench = new Bench();
  bench.pass(10_000, 40, 50_000);
  assert.deepEqual(bench.refused, []);
  assert.equal(bench.shedding.level, 0);
});

test('the longer turns are waited for, the more is refused: watches, then stale reads, then all (MessagesBeforeReads)', () => {
  const bench = new Bench();
  bench.pass(10_000, 70);
  assert.deepEqual(bench.refused, ['watch']);
  bench.pass(10_000, 130);
  assert.deepEqual(bench.refused, ['watch', 'stale read']);
  bench.pass(10_000, 250);
  assert.deepEqual(bench.refused, ['watch', 'stale read', 'read']);
  assert.deepEqual(bench.shedding.counters, { sheddingLevel: 3, watchesShed: 3, readsShed: 3 });
});

test('one step is taken at a time', () => {
  const bench = new Bench();
  const levels = new Set<number>();
  for (let count = 0; count < 40; count++) {
    bench.pass(50, 1000);
    levels.add(bench.shedding.level);
  }
  assert.deepEqual([...levels], [0, 1, 2, 3]);
});

test('a step is left after a while of calm, one after the other, and not for a dip', () => {
  const bench = new Bench();
  bench.pass(10_000, 250);
  for (let count = 0; count < 10; count++) {
    bench.pass(1000, 5);
    bench.pass(1000, 250);
  }
  assert.equal(bench.shedding.level, 3);
  bench.pass(60_000, 120);
  assert.equal(bench.shedding.level, 3, 'half of what it was entered at is no calm');
  bench.pass(4000, 5);
  assert.equal(bench.shedding.level, 2);
  bench.pass(4500, 5);
  assert.equal(bench.shedding.level, 0);
});

test('who is busy with something else than reads refuses none', () => {
  const bench = new Bench();
  bench.pass(20_000, 1000, 100);
  assert.deepEqual(bench.refused, []);
});

test('a refusal says what to do, and when to come back', () => {
  const bench = new Bench();
  bench.pass(10_000, 70);
  const why = bench.shedding.refusal('watch')!;
  assert.equal(why.code, 'OVERLOADED');
  assert.match(why.message, /another node or a replica/);
  assert.ok(Number(why.details['retryAfterMs']) > 0);
});
