import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { AssertionError } from '@deltabase/base';
import fc from 'fast-check';
import { Document, type Version } from '../src/document.js';
import { fromJson } from '../src/json.js';

type Step =
  | { readonly do: 'propose' }
  | { readonly do: 'end entry' }
  | { readonly do: 'commit'; readonly share: number }
  | { readonly do: 'drop' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ do: 'propose' } as const) },
  { weight: 3, arbitrary: fc.constant({ do: 'end entry' } as const) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('commit' as const), share: fc.nat({ max: 100 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'drop' } as const) },
);

test('a document behaves as a list of all its versions, of which entries are committed whole', () => {
  fc.assert(
    fc.property(fc.nat({ max: 1000 }), fc.array(step, { maxLength: 60 }), (seq, steps) => {
      const document = new Document({ seq, root: 'first' });
      // The model: committed versions, then proposed ones, and the seqs that entries end with.
      let versions: Version[] = [{ seq, root: 'first' }];
      let ends = [seq];
      let committed = 0;
      let next = 0;
      for (const each of steps) {
        const last = versions.at(-1)!;
        if (each.do === 'propose') {
          const version = { seq: last.seq + 1, root: `state ${next++}` };
          assert.deepEqual(document.propose(version.root), version);
          versions.push(version);
        } else if (each.do === 'end entry') {
          document.endEntry();
          if (!ends.includes(last.seq)) ends.push(last.seq);
        } else if (each.do === 'commit') {
          const open = ends.filter((end) => end >= versions[committed]!.seq);
          const end = open[Math.floor(((open.length - 1) * each.share) / 100)]!;
          const from = versions[committed]!;
          for (let at = from.seq + 1; at <= end; at++) {
            document.commit(at);
            assert.equal(document.committedSeq, at);
            if (at < end) assert.ok(document.committed.seq <= at, 'nobody sees ahead');
          }
          committed = end - seq;
        } else {
          assert.equal(document.drop(), versions.length - 1 - committed);
          versions = versions.slice(0, committed + 1);
          ends = ends.filter((end) => end <= versions[committed]!.seq);
        }
        assert.deepEqual(document.committed, versions[committed]);
        assert.equal(document.committedSeq, versions[committed]!.seq);
        assert.deepEqual(document.proposed, versions.at(-1));
        assert.equal(document.inFlight, versions.length - 1 - committed);
      }
    }),
    { numRuns: 500 },
  );
});

test('committed readers never see a proposal (CommittedOnly)', () => {
  const document = new Document({ seq: 7, root: 'committed' });
  document.propose('proposed');
  assert.equal(document.committed.root, 'committed');
  document.drop();
  assert.deepEqual(document.proposed, { seq: 7, root: 'committed' });
});

test('only what was proposed is committed, and it stays so', () => {
  const document = new Document({ seq: 5, root: 0 });
  document.propose(1);
  document.propose(2);
  for (const seq of [8, 4, 5.5, Number.NaN])
    assert.throws(() => document.commit(seq), AssertionError);
  document.commit(6);
  assert.throws(() => document.commit(5), AssertionError);
  document.commit(6);
  assert.equal(document.committedSeq, 6);
  for (const seq of [-1, 0.5]) assert.throws(() => new Document({ seq, root: 0 }), AssertionError);
});

test('in the middle of an entry nobody reads a state of it, and nothing of it is dropped', () => {
  const document = new Document({ seq: 5, root: 'old' });
  document.propose('within');
  document.propose('new');
  document.endEntry();
  document.commit(6);
  assert.deepEqual(document.committed, { seq: 5, root: 'old' });
  assert.deepEqual([document.committedSeq, document.inFlight], [6, 1]);
  assert.throws(() => document.drop(), AssertionError);
  document.commit(7);
  assert.deepEqual(document.committed, { seq: 7, root: 'new' });
});

test('a delta that is committed before another is proposed needs no end of its entry', () => {
  const document = new Document({ seq: 0, root: 'empty' });
  for (let seq = 1; seq <= 3; seq++) {
    document.propose(`state ${seq}`);
    document.commit(seq);
    assert.deepEqual(document.committed, { seq, root: `state ${seq}` });
  }
});

test('of the states of an entry only the last is kept in memory', async () => {
  const document = new Document({ seq: 0, root: 0 });
  const gone = new WeakRef(document.propose(fromJson([1])).root as object);
  const kept = new WeakRef(document.propose(fromJson([2])).root as object);
  document.endEntry();
  setFlagsFromString('--expose-gc');
  // What a weak reference was made of stays until the task that made it ends.
  await new Promise(setImmediate);
  runInNewContext('gc')();
  assert.equal(gone.deref(), undefined);
  assert.equal(kept.deref(), document.proposed.root);
});

test('states before the committed one are let go, however many are in flight', async () => {
  const document = new Document({ seq: 0, root: 0 });
  const states = [1, 2, 3, 4, 5].map((n) => {
    const { root } = document.propose(fromJson([n]));
    document.endEntry();
    return new WeakRef(root as object);
  });
  document.commit(2);
  setFlagsFromString('--expose-gc');
  await new Promise(setImmediate);
  runInNewContext('gc')();
  assert.equal(states[0]!.deref(), undefined);
  assert.equal(states[1]!.deref(), document.committed.root);
});

test('a message costs the same however many are in flight (CostIsTheDelta)', () => {
  const document = new Document({ seq: 0, root: 0 });
  const proposeEntry = (root: number): void => {
    document.propose(root);
    document.endEntry();
  };
  for (let i = 1; i <= 200_000; i++) proposeEntry(i);
  const start = process.hrtime.bigint();
  for (let i = 1; i <= 200_000; i++) {
    proposeEntry(i);
    document.commit(i);
  }
  assert.ok(process.hrtime.bigint() - start < 1_000_000_000n);
  assert.equal(document.inFlight, 200_000);
});
