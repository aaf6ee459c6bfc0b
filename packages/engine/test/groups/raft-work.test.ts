import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry, Ready, Role } from 'raft-ts';
import { RaftWork, type RaftWorkHost } from '../../src/groups/raft-work.js';
import type { TurnBudget } from '../../src/turn-budget.js';

type Given = Partial<Record<keyof Ready, unknown>>;

/** The work of a group whose Raft replica hands out `readies`, and what is done of it, in its order. */
function setUp(...readies: Given[]) {
  const calls: string[] = [];
  /** What Raft hands out once something was applied. */
  const held: Given[] = [];
  const host = {
    group: 1,
    node: { log: { info: () => {} }, writeEarly: () => calls.push('write') },
    raft: {
      hasReady: () => readies.length > 0,
      ready: () => ({ messages: [], readStates: [], ...readies.shift() }),
      acknowledgeApply: () => readies.push(...held.splice(0)),
    },
    storage: {
      append: ({ snapshot }: { snapshot?: unknown }) =>
        calls.push(snapshot === undefined ? 'append' : 'install'),
      settled: () => {},
      log: { trimCache: () => {} },
      isInstalling: false,
      state: {
        confState: {},
        applied: { index: 1, term: 1 },
        applyCommand: ([byte]: Uint8Array) => calls.push(`apply ${byte}`),
        applyEntry: () => {},
      },
    },
    confirmations: { leaderChanged: () => {}, applied: () => {} },
    leading: { committed: () => false, maybeBegin: () => {} },
    outgoing: {
      leaderChanged: () => {},
      send: (messages: readonly string[], _: unknown, { isCalm }: { isCalm: boolean }) => {
        for (const message of messages) calls.push(`${message}${isCalm ? ', calm' : ''}`);
      },
    },
    roleChanged: () => {},
  } as unknown as RaftWorkHost;
  return { work: new RaftWork(host), calls, held };
}

/** The budget of a turn that may apply so many works. */
function budgetOf(works: number): TurnBudget {
  let left = works;
  const budget = { apply: () => left--, applied: false };
  Object.defineProperty(budget, 'applied', { get: () => left <= 0 });
  return budget as unknown as TurnBudget;
}

function entryOf(byte: number): Entry {
  return { index: byte, term: 1, type: 'normal', data: Uint8Array.of(byte) } as Entry;
}

function applyOf(...bytes: number[]): Given {
  return { apply: { entries: bytes.map(entryOf) } };
}

/** What is done, in its order, of one entry to append and one to apply as `given` says. */
function done(role: Role, given: { readonly append: boolean; readonly apply: boolean }): string[] {
  const { work, calls } = setUp({
    softState: { role, lead: 1 },
    append: given.append ? {} : undefined,
    ...(given.apply ? applyOf(1) : {}),
  });
  work.settle(budgetOf(10));
  return calls;
}

test('a follower writes what it is to answer for before it applies what is decided', () => {
  assert.deepEqual(done('follower', { append: true, apply: true }), ['append', 'write', 'apply 1']);
});

test('a follower that is behind with applying writes early whatever came with the write', () => {
  const { work, calls } = setUp(
    { softState: { role: 'follower', lead: 1 }, ...applyOf(1) },
    { append: {} },
  );
  work.settle(budgetOf(10));
  assert.deepEqual(calls, ['append', 'write', 'apply 1']);
});

test('what Raft hands out for what was applied is done in the same turn', () => {
  const { work, calls, held } = setUp(applyOf(1));
  held.push(applyOf(2));
  work.settle(budgetOf(10));
  assert.deepEqual(calls, ['apply 1', 'apply 2']);
});

test('where nothing waits to be applied, or nothing to be written, the end of the turn is early enough', () => {
  assert.deepEqual(done('follower', { append: true, apply: false }), ['append']);
  assert.deepEqual(done('follower', { append: false, apply: true }), ['apply 1']);
});

test("a leader's frames go before its write", () => {
  assert.deepEqual(done('leader', { append: true, apply: true }), ['append', 'apply 1']);
});

test('a group that may apply nothing more in a turn speaks, writes and takes its role all the same (pitfall 21)', () => {
  const { work, calls } = setUp(
    applyOf(1),
    { softState: { role: 'leader', lead: 1 }, messages: ['beat'], append: {}, ...applyOf(2) },
    { messages: ['answer'] },
  );
  work.settle(budgetOf(0));
  assert.deepEqual(calls, ['beat', 'append', 'answer']);
  assert.equal(work.role, 'leader');
  assert.ok(work.isBehind);
  work.settle(budgetOf(1));
  assert.deepEqual(calls.splice(0), ['beat', 'append', 'answer', 'apply 1']);
  work.settle(budgetOf(1));
  assert.deepEqual(calls, ['apply 2']);
  assert.ok(!work.isBehind);
});

test('a node that beats applies nothing before, and says that it is not at rest', () => {
  const { work, calls } = setUp({ ...applyOf(1) }, { messages: ['beat'] });
  work.handOut();
  assert.deepEqual(calls, ['beat']);
  work.settle(budgetOf(1));
  assert.deepEqual(calls, ['beat', 'apply 1']);
  const calm = setUp({ messages: ['beat'] });
  calm.work.handOut();
  assert.deepEqual(calm.calls, ['beat, calm']);
});

test('what is decided is applied before a snapshot takes its place, whatever the turn may apply', () => {
  const { work, calls } = setUp(applyOf(1), applyOf(2, 3), { append: { snapshot: {} } });
  work.settle(budgetOf(0));
  assert.deepEqual(calls, ['apply 1', 'apply 2', 'apply 3', 'install']);
  assert.ok(!work.isBehind);
});
