import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry, Ready, Role } from 'raft-ts';
import { RaftWork, type RaftWorkHost } from '../../src/groups/raft-work.js';
import type { TurnBudget } from '../../src/turn-budget.js';

const ENTRY = { index: 1, term: 1, type: 'normal', data: Uint8Array.of(1) } as Entry;

/** What is done, in its order, of one entry to append and one to apply as `given` says. */
function done(role: Role, given: { readonly append: boolean; readonly apply: boolean }): string[] {
  const calls: string[] = [];
  const readies: unknown[] = [
    {
      softState: { role, lead: 1 },
      messages: [],
      append: given.append ? {} : undefined,
      apply: given.apply ? { entries: [ENTRY] } : undefined,
      readStates: [],
    } satisfies Partial<Record<keyof Ready, unknown>>,
  ];
  const host = {
    group: 1,
    node: { log: { info: () => {} }, writeEarly: () => calls.push('write') },
    raft: {
      hasReady: () => readies.length > 0,
      ready: () => readies.shift(),
      acknowledgeApply: () => {},
    },
    storage: {
      append: () => calls.push('append'),
      settled: () => {},
      log: { trimCache: () => {} },
      isInstalling: false,
      state: {
        confState: {},
        applied: { index: 1, term: 1 },
        applyCommand: () => calls.push('apply'),
        applyEntry: () => {},
      },
    },
    confirmations: { leaderChanged: () => {}, applied: () => {} },
    leading: { committed: () => false, maybeBegin: () => {} },
    outgoing: { leaderChanged: () => {}, send: () => {} },
    roleChanged: () => {},
  } as unknown as RaftWorkHost;
  new RaftWork(host).settle({ applied: false, apply: () => {} } as unknown as TurnBudget);
  return calls;
}

test('a follower writes what it is to answer for before it applies what is decided', () => {
  assert.deepEqual(done('follower', { append: true, apply: true }), ['append', 'write', 'apply']);
});

test('where nothing waits to be applied, or nothing to be written, the end of the turn is early enough', () => {
  assert.deepEqual(done('follower', { append: true, apply: false }), ['append']);
  assert.deepEqual(done('follower', { append: false, apply: true }), ['apply']);
});

test("a leader's frames go before its write", () => {
  assert.deepEqual(done('leader', { append: true, apply: true }), ['append', 'apply']);
});
