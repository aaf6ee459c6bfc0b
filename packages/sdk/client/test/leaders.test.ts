import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leaderOf } from '../src/cluster/leaders.js';

function claimant(node: number, claims: readonly [group: number, node: number, order: number][]) {
  return {
    node,
    claims: new Map(claims.map(([group, leader, order]) => [group, { node: leader, order }])),
  };
}

test('nobody leads where nobody says so', () => {
  assert.equal(leaderOf(1, []), 0);
  assert.equal(leaderOf(1, [claimant(1, [[2, 1, 1]]), claimant(2, [[1, 0, 2]])]), 0);
});

test('the latest word of others counts', () => {
  const endpoints = [claimant(1, [[1, 3, 5]]), claimant(2, [[1, 4, 9]]), claimant(5, [[1, 6, 7]])];
  assert.equal(leaderOf(1, endpoints), 4);
});

test('who says that it leads itself is believed before others, whenever they spoke', () => {
  const itself = claimant(2, [[1, 2, 1]]);
  const others = [claimant(1, [[1, 3, 8]]), claimant(3, [[1, 1, 9]])];
  assert.equal(leaderOf(1, [itself, ...others]), 2);
  assert.equal(leaderOf(1, [...others, itself]), 2);
});

test('of two that both say so the later is believed', () => {
  const endpoints = [claimant(2, [[1, 2, 6]]), claimant(3, [[1, 3, 4]])];
  assert.equal(leaderOf(1, endpoints), 2);
  assert.equal(leaderOf(1, [...endpoints].reverse()), 2);
});
