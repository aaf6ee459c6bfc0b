// What a follower asks for beside its watches: how far their documents are, and deltas of a history.

import assert from 'node:assert/strict';
import { type Failure, failure, recordOf, type TailDelta } from '@deltabase/engine';
import { bytes, docOf, recordAt, toldOf } from './records.js';
import { type Scenario, watched } from './scenario.js';

export function testQuestions(scenario: Scenario): void {
  scenario(
    'heads are asked for by the ids of watches, and answered in their order',
    async ({ under, served, follower }) => {
      follower.call((upstream) => {
        upstream.watch(1, docOf('a'), 0);
        upstream.watch(2, docOf('b'), 0);
        upstream.askHeads(5, [2, 1], 3000);
        upstream.askHeads(6, [1], 3000);
        upstream.askHeads(7, [1, 2], 3000);
      });
      await under.until(() => served.questions.length === 3);
      const [first, second, third] = served.questions;
      assert.deepEqual(
        first!.request.names.map(({ key }) => key),
        ['b', 'a'],
      );
      second!.answer(failure('UNAVAILABLE', 'no leader'));
      first!.answer({ kind: 'heads', seqs: [0, 2 ** 40] });
      // Of one of them nothing is known yet.
      third!.answer({ kind: 'heads', seqs: [undefined, 7] });
      await under.until(() => follower.told.length === 3);
      const told = ['heads 6 UNAVAILABLE', `heads 5 0,${2 ** 40}`, 'heads 7 ,7'];
      assert.deepEqual(follower.told, told);
    },
  );

  scenario('a question about a watch that there is not is answered with that', async (bench) => {
    const { under, served, follower } = bench;
    await watched(bench);
    follower.call((upstream) => upstream.askHeads(1, [1, 4], 3000));
    await under.until(() => follower.told.length === 1);
    assert.deepEqual(follower.told, ['heads 1 INVALID_ARGUMENT']);
    assert.equal(served.questions.length, 0);
  });

  scenario(
    'deltas of a history are read from a seq on, about as many as are wanted',
    async ({ under, served, follower }) => {
      const records = Array.from({ length: 50 }, (_, at) =>
        recordAt(at + 1, { patch: bytes(1000, at) }),
      );
      served.records.set('k', records);
      const some = follower.readDeltas('k', 11, 5000);
      const one = follower.readDeltas('k', 50, 1);
      const none = follower.readDeltas('k', 51, 1);
      await under.until(() => [some, one, none].every(({ length }) => length === 1));
      const seqs = (answers: typeof some): number[] =>
        (answers[0] as TailDelta[]).map(({ seq }) => seq);
      const expected = Array.from({ length: seqs(some).length }, (_, at) => 11 + at);
      assert.deepEqual(seqs(some), expected);
      assert.ok(expected.length >= 5 && expected.length <= 20, String(expected));
      assert.deepEqual(toldOf(recordOf((some[0] as TailDelta[])[0]!)), toldOf(records[10]!));
      assert.deepEqual([seqs(one), seqs(none)], [[50], []]);
    },
  );

  scenario('why there are no deltas is told', async ({ under, served, follower }) => {
    served.records.set('k', failure('HISTORY_GONE', 'it begins at 9'));
    const answers = follower.readDeltas('k', 1, 100);
    await under.until(() => answers.length === 1);
    const [why] = answers as [Failure];
    assert.equal(why.code, 'HISTORY_GONE');
    assert.match(why.message, /it begins at 9/);
  });
}
