import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  jointIndex,
  jointVote,
  majority,
  majorityIndex,
  majorityVote,
  type VoteResult,
} from '../src/quorum.js';
import type { NodeId } from '../src/types.js';

const voters = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 9 });
const acks = fc.dictionary(fc.constantFrom(...'123456789'), fc.nat({ max: 6 }));
const votes = fc.dictionary(fc.constantFrom(...'123456789'), fc.boolean());

test('a majority is more than half', () => {
  const sizes = [1, 2, 3, 4, 5, 6, 7].map(majority);
  assert.deepEqual(sizes, [1, 2, 2, 3, 3, 4, 4]);
});

test('the index of a majority, by table', () => {
  const table: readonly (readonly [acked: readonly number[], index: number])[] = [
    [[], Infinity],
    [[12], 12],
    [[0], 0],
    [[100, 101], 100],
    [[5, 5, 3], 5],
    [[1, 2, 3], 2],
    [[3, 1, 2], 2],
    [[0, 0, 100], 0],
    [[2, 3, 5, 5], 3],
    [[1, 2, 3, 4, 5], 3],
    [[5, 0, 5, 0, 0], 0],
    [[9, 9, 9, 1, 1, 1, 1], 1],
  ];
  for (const [acked, index] of table) {
    const ids = acked.map((_, at) => at + 1);
    assert.equal(
      majorityIndex(ids, (id) => acked[id - 1]!),
      index,
      `of ${acked.join(' ')}`,
    );
  }
});

test('the index of a majority is the largest that more than half of the voters have reached', () => {
  fc.assert(
    fc.property(voters, acks, (ids, acked) => {
      const of = (id: NodeId) => acked[id] ?? 0;
      assert.equal(majorityIndex(ids, of), indexByCounting([ids], of));
    }),
  );
});

test('a joint index is the largest that more than half of the voters of both halves have reached', () => {
  fc.assert(
    fc.property(voters, voters, acks, (incoming, outgoing, acked) => {
      const of = (id: NodeId) => acked[id] ?? 0;
      const expected = indexByCounting([incoming, outgoing], of);
      assert.equal(jointIndex({ incoming, outgoing }, of), expected);
    }),
  );
});

test('an election, by table', () => {
  const y = true;
  const n = false;
  const _ = undefined;
  const table: readonly (readonly [votes: readonly (boolean | undefined)[], VoteResult])[] = [
    [[], 'won'],
    [[_], 'pending'],
    [[n], 'lost'],
    [[y], 'won'],
    [[n, _], 'lost'],
    [[y, _], 'pending'],
    [[y, n], 'lost'],
    [[y, y], 'won'],
    [[n, _, _], 'pending'],
    [[n, n, _], 'lost'],
    [[y, n, _], 'pending'],
    [[y, y, _], 'won'],
    [[y, y, n], 'won'],
    [[y, y, _, _], 'pending'],
    [[y, y, n, n], 'lost'],
    [[y, y, y, _], 'won'],
    [[n, n, _, y, y], 'pending'],
  ];
  for (const [answers, result] of table) {
    const ids = answers.map((_answer, at) => at + 1);
    assert.equal(
      majorityVote(ids, (id) => answers[id - 1]),
      result,
      `of ${answers.join(' ')}`,
    );
  }
});

test('a joint configuration needs both halves, by table (§6)', () => {
  const index: readonly (readonly [incoming: number[], outgoing: number[], number])[] = [
    [[], [], Infinity],
    [[4], [], 4],
    [[4, 5, 6], [4], 4],
    [[4, 5, 6], [9, 1, 1], 1],
    [[7, 7, 0], [0, 7, 7], 7],
    [[9, 9, 9, 9], [2, 3], 2],
  ];
  for (const [incoming, outgoing, expected] of index) {
    const of = [...incoming, ...outgoing];
    const ids = of.map((_acked, at) => at);
    const voters = {
      incoming: ids.slice(0, incoming.length),
      outgoing: ids.slice(incoming.length),
    };
    assert.equal(
      jointIndex(voters, (id) => of[id]!),
      expected,
      `${incoming} and ${outgoing}`,
    );
  }
  const votes: readonly (readonly [incoming: string, outgoing: string, VoteResult])[] = [
    ['yy-', 'yy-', 'won'],
    ['yy-', 'y--', 'pending'],
    ['yy-', 'nn-', 'lost'],
    ['nn-', 'yy-', 'lost'],
    ['nn-', '---', 'lost'],
    ['---', '---', 'pending'],
    ['yy-', '', 'won'],
    ['y-', 'y', 'pending'],
  ];
  for (const [incoming, outgoing, expected] of votes) {
    const all = [...incoming, ...outgoing];
    const ids = all.map((_vote, at) => at);
    const voters = {
      incoming: ids.slice(0, incoming.length),
      outgoing: ids.slice(incoming.length),
    };
    const of = (id: NodeId) => (all[id] === '-' ? undefined : all[id] === 'y');
    assert.equal(jointVote(voters, of), expected, `${incoming} and ${outgoing}`);
  }
});

test('an election is decided when no answer that is still missing can change it', () => {
  fc.assert(
    fc.property(voters, voters, votes, (incoming, outgoing, answers) => {
      const of = (id: NodeId) => answers[id];
      assert.equal(majorityVote(incoming, of), voteByTrying([incoming], of));
      assert.equal(jointVote({ incoming, outgoing }, of), voteByTrying([incoming, outgoing], of));
    }),
  );
});

/** The second algorithm: tries every index that anybody has reached and counts who has reached it. */
function indexByCounting(
  halves: readonly (readonly NodeId[])[],
  acked: (id: NodeId) => number,
): number {
  const counted = halves.filter((half) => half.length > 0);
  if (counted.length === 0) return Infinity;
  const reached = [0, ...counted.flat().map(acked)].filter((index) =>
    counted.every((half) => 2 * half.filter((id) => acked(id) >= index).length > half.length),
  );
  return Math.max(...reached);
}

/** The second algorithm: tries both extremes of what the missing answers may be. */
function voteByTrying(
  halves: readonly (readonly NodeId[])[],
  vote: (id: NodeId) => boolean | undefined,
): VoteResult {
  const winsIf = (missing: boolean) =>
    halves.every((half) => {
      const granted = half.filter((id) => vote(id) ?? missing).length;
      return half.length === 0 || granted * 2 > half.length;
    });
  if (winsIf(false)) return 'won';
  return winsIf(true) ? 'pending' : 'lost';
}
