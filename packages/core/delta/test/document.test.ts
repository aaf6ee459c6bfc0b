import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AssertionError } from '@deltabase/base';
import fc from 'fast-check';
import { Document, type Version } from '../src/document.js';

type Step =
  | { readonly do: 'propose' }
  | { readonly do: 'commit'; readonly share: number }
  | { readonly do: 'drop' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ do: 'propose' } as const) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('commit' as const), share: fc.nat({ max: 100 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'drop' } as const) },
);

test('a document behaves as a list of all its versions', () => {
  fc.assert(
    fc.property(fc.nat({ max: 1000 }), fc.array(step, { maxLength: 60 }), (seq, steps) => {
      const document = new Document({ seq, root: 'first' });
      // The model: committed versions, then proposed ones.
      let versions: Version[] = [{ seq, root: 'first' }];
      let committed = 0;
      let next = 0;
      for (const each of steps) {
        if (each.do === 'propose') {
          const version = { seq: versions.at(-1)!.seq + 1, root: `state ${next++}` };
          assert.deepEqual(document.propose(version.root), version);
          versions.push(version);
        } else if (each.do === 'commit') {
          committed += Math.floor(((versions.length - 1 - committed) * each.share) / 100);
          assert.deepEqual(document.commit(versions[committed]!.seq), versions[committed]);
        } else {
          assert.equal(document.drop(), versions.length - 1 - committed);
          versions = versions.slice(0, committed + 1);
        }
        assert.deepEqual(document.committed, versions[committed]);
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
  assert.deepEqual(document.commit(6), { seq: 6, root: 1 });
  for (const seq of [-1, 0.5]) assert.throws(() => new Document({ seq, root: 0 }), AssertionError);
});

test('a message costs the same however many are in flight (CostIsTheDelta)', () => {
  const document = new Document({ seq: 0, root: 0 });
  for (let i = 1; i <= 200_000; i++) document.propose(i);
  const start = process.hrtime.bigint();
  for (let i = 1; i <= 200_000; i++) {
    document.propose(i);
    document.commit(i);
  }
  assert.ok(process.hrtime.bigint() - start < 1_000_000_000n);
  assert.equal(document.inFlight, 200_000);
});
