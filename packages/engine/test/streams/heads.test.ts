import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import type { DocumentName } from '../../src/documents/document-name.js';
import { type Failure, failure } from '../../src/results.js';
import type { DocumentSource, StreamedDocument } from '../../src/streams/document-source.js';
import { Heads, type HeadsResult } from '../../src/streams/heads.js';

/** Documents whose leaders answer, and whose states come, when the bench says so. */
class Bench {
  readonly seqs = new Map<string, number>();
  readonly answers: Array<HeadsResult | Failure> = [];
  nowMs = 1000;
  readonly heads: Heads;
  #confirms: Array<(reached: boolean) => void> = [];
  #loads: Array<(why?: Failure) => void> = [];

  constructor(limits: Partial<Limits> = {}) {
    this.heads = new Heads({
      limits: { ...DEFAULT_LIMITS, ...limits },
      sourceOf: (name) => this.#sourceOf(name),
      nowMs: () => this.nowMs,
    });
  }

  ask(...keys: string[]): void {
    const names = keys.map((key) => ({ space: 'log', key }));
    this.heads.ask({ names, expiresMs: 5000 }, (answer) => this.answers.push(answer));
  }

  /** The leaders answer all that asked until now, or so many of them. */
  confirm(reached = true, count = this.#confirms.length): void {
    for (const done of this.#confirms.splice(0, count)) done(reached);
  }

  load(why?: Failure): void {
    for (const done of this.#loads.splice(0)) done(why);
  }

  get codes(): string[] {
    return this.answers.map((answer) => ('code' in answer ? answer.code : answer.seqs.join()));
  }

  #sourceOf({ key }: DocumentName): DocumentSource {
    const source: Pick<DocumentSource, 'confirm' | 'load'> = {
      confirm: (expiresMs, done) => {
        assert.equal(expiresMs, 5000);
        this.#confirms.push(done);
        return { expiresMs };
      },
      load: (then) =>
        void this.#loads.push((why) => {
          then(why ?? ({ seq: this.seqs.get(key) ?? 0 } as StreamedDocument));
        }),
    };
    return source as DocumentSource;
  }
}

test('heads come in the order of the names, as they are once leaders have answered', () => {
  const bench = new Bench();
  bench.seqs.set('a', 1);
  bench.ask('b', 'a', 'new');
  bench.seqs.set('a', 4);
  bench.seqs.set('b', 7);
  bench.load();
  assert.deepEqual(bench.codes, [], 'nobody has asked the leaders');
  bench.confirm();
  assert.deepEqual(bench.codes, []);
  bench.load();
  assert.deepEqual(bench.codes, ['7,4,0']);
  assert.equal(bench.heads.openCount, 0);
});

test('a question of which nothing can be known is answered with why', () => {
  const bench = new Bench();
  bench.ask('a', 'b');
  bench.confirm(false);
  assert.deepEqual(bench.codes, ['UNAVAILABLE']);
  bench.ask('a', 'b');
  bench.confirm();
  bench.load(failure('SPACE_NOT_FOUND', 'no'));
  assert.deepEqual(bench.codes, ['UNAVAILABLE', 'SPACE_NOT_FOUND']);
  bench.ask();
  assert.equal(bench.codes[2], '');
});

test('a document whose leader is silent keeps the others waiting as long again as they took, not longer', () => {
  const bench = new Bench();
  bench.seqs.set('a', 4);
  bench.ask('b', 'a', 'c');
  bench.nowMs += 200;
  bench.heads.tick(bench.nowMs);
  assert.deepEqual(bench.codes, [], 'nothing is known of any');
  bench.confirm(true, 2);
  bench.load();
  bench.nowMs += 199;
  bench.heads.tick(bench.nowMs);
  assert.deepEqual(bench.codes, []);
  bench.nowMs += 1;
  bench.heads.tick(bench.nowMs);
  assert.deepEqual(bench.answers, [{ kind: 'heads', seqs: [0, 4, undefined] }]);
  bench.confirm();
  bench.load();
  assert.equal(bench.answers.length, 1, 'what comes late is not told');
});

test('a question whose documents do not come into memory ends with its time', () => {
  const bench = new Bench();
  bench.ask('a');
  bench.confirm();
  bench.heads.tick(4999);
  assert.deepEqual(bench.codes, []);
  bench.heads.tick(5000);
  assert.deepEqual(bench.codes, ['UNAVAILABLE']);
  assert.equal(bench.heads.openCount, 0);
});

test('heads that come at once wait a moment for the others', () => {
  const bench = new Bench();
  bench.ask('a', 'b');
  bench.confirm(true, 1);
  bench.load();
  for (const [passedMs, answers] of [
    [49, 0],
    [1, 1],
  ] as const) {
    bench.nowMs += passedMs;
    bench.heads.tick(bench.nowMs);
    assert.equal(bench.answers.length, answers);
  }
});

test('what fails of one document is not what is told of the others', () => {
  const bench = new Bench();
  bench.seqs.set('b', 3);
  bench.ask('a', 'b');
  bench.confirm(false, 1);
  bench.confirm();
  bench.load();
  assert.deepEqual(bench.answers, [{ kind: 'heads', seqs: [undefined, 3] }]);
});

test('too many documents, too many questions and no names are refused', () => {
  const bench = new Bench({ headsMax: 2, readQueueMax: 1 });
  bench.ask('a', 'b', 'c');
  bench.ask('');
  bench.ask('a');
  bench.ask('b');
  assert.deepEqual(bench.codes, ['INVALID_ARGUMENT', 'INVALID_ARGUMENT', 'OVERLOADED']);
  assert.equal(bench.heads.openCount, 1);
});

test('who waits for heads of a process that stops is told', () => {
  const bench = new Bench();
  bench.ask('a');
  bench.heads.close(failure('UNAVAILABLE', 'it stops'));
  bench.confirm();
  bench.load();
  assert.deepEqual(bench.codes, ['UNAVAILABLE']);
});
