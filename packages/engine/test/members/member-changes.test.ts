import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import type { Group } from '../../src/groups/group.js';
import { MemberChanges, type TransferResult } from '../../src/members/member-changes.js';
import type { SystemSenders } from '../../src/system/system-sender.js';
import { runTask, type Task } from '../../src/task.js';
import type { Tasks } from '../../src/tasks.js';

/** Group 1, led by node 1, which is asked to hand it over. */
function setUp() {
  const world = { lead: 1, nowMs: 0, asked: [] as number[] };
  const group = {
    get lead() {
      return world.lead;
    },
    transferTo: (node: number) => void world.asked.push(node),
  } as unknown as Group;
  const tasks = {
    run<T>(task: Task<T>, finished: (value: T) => void): void {
      const fail = (thrown: unknown): never => {
        throw thrown;
      };
      runTask(task, (step) => step(), finished, fail);
    },
  } as unknown as Tasks;
  const senders = {
    make: () => ({
      // biome-ignore lint/correctness/useYield: it has nothing to wait for.
      *send() {
        return { kind: 'accepted', seq: 1, reply: undefined };
      },
    }),
  } as unknown as SystemSenders;
  const changes = new MemberChanges({
    groups: () => [group, group],
    limits: DEFAULT_LIMITS,
    tasks,
    senders,
    nowMs: () => world.nowMs,
    isKnown: () => true,
  });
  const results: TransferResult[] = [];
  const request = { group: 1, node: 2, principal: 'operator', expiresMs: 5000 };
  changes.transfer(request, (result) => void results.push(result));
  const tick = (nowMs: number): void => {
    world.nowMs = nowMs;
    changes.tick(nowMs);
  };
  return { world, results, tick };
}

test('a transfer that comes to nothing is asked for again, once in a while, until its node leads', () => {
  const { world, results, tick } = setUp();
  assert.deepEqual(world.asked, [2]);
  tick(999);
  assert.deepEqual(world.asked, [2], 'it may be on its way');
  tick(1000);
  assert.deepEqual(world.asked, [2, 2]);
  world.lead = 2;
  tick(1100);
  assert.deepEqual(results, [{ kind: 'transferred', lead: 2 }]);
});

test('a transfer that does not end in time is told so', () => {
  const { results, tick } = setUp();
  tick(5000);
  assert.equal(results[0]!.kind, 'failed');
  tick(6000);
  assert.equal(results.length, 1);
});
