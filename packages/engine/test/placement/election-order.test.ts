import assert from 'node:assert/strict';
import { test } from 'node:test';
import { electionDelay, type Voter } from '../../src/placement/election-order.js';

const VOTERS = [1, 2, 3];
const SPAN = 10;

/** The least and the most that a node waits. */
function waits(self: number, changes: Partial<Voter> = {}): readonly [number, number] {
  const voter = { group: 0, self, voters: VOTERS, preferred: 1, lastLead: 0, ...changes };
  return [electionDelay(voter, SPAN, 0), electionDelay(voter, SPAN, 1 - 2 ** -32)];
}

test('who should lead campaigns first, the others one after the other', () => {
  assert.deepEqual(
    [1, 2, 3].map((self) => waits(self)),
    [
      [0, 1],
      [1, 5],
      [5, 9],
    ],
  );
});

test('the groups of a lost node go to all others in equal parts', () => {
  for (const voters of [VOTERS, [1, 2, 3, 4, 5]]) {
    const next = Array.from({ length: 40 * voters.length }, (_, at) => at)
      .filter((group) => group % voters.length === 0)
      .map((group) => {
        const delays = voters
          .slice(1)
          .map((self) => ({ self, least: waits(self, { group, voters })[0] }));
        return delays.sort((a, b) => a.least - b.least)[0]!.self;
      });
    const counts = voters.slice(1).map((self) => next.filter((one) => one === self).length);
    assert.deepEqual(new Set(counts), new Set([40 / counts.length]));
  }
});

test('who led a group last is the last to ask for it again', () => {
  assert.deepEqual(waits(1, { lastLead: 1 }), [5, 9]);
  assert.deepEqual(waits(2, { lastLead: 2 }), [5, 9]);
  assert.deepEqual(waits(1, { lastLead: 3 }), [0, 1]);
});

test('an only voter does not wait; who is none, or knows of none, draws from the whole span', () => {
  assert.deepEqual(waits(1, { voters: [1] }), [0, 1]);
  assert.deepEqual(waits(1, { voters: [1], lastLead: 1 }), [0, 9]);
  assert.deepEqual(waits(4), [0, 9]);
  assert.deepEqual(waits(1, { voters: [] }), [0, 9]);
});
