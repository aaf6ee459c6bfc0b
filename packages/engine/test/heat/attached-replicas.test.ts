import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttachedReplicas, type Order } from '../../src/heat/attached-replicas.js';
import type { CopyReport } from '../../src/replica/replica-ports.js';
import type { Failure } from '../../src/results.js';

const X = { space: 'list', key: 'x' };
const REPORT: CopyReport = {
  ...X,
  ...{ ready: true, readsPerSecond: 5, deliveriesPerSecond: 6, bytesPerSecond: 7 },
};

function setUp(replicasMax = 3) {
  const told: string[] = [];
  let orders: Order[] = [];
  const clock = { nowMs: 0 };
  const replicas = new AttachedReplicas({
    limits: { replicasMax },
    offers: {
      attach: ({ name, address }) => void told.push(`attach ${name} ${address}`),
      detach: (name) => void told.push(`detach ${name}`),
      report: (name, copies) => void told.push(`report ${name} ${copies.length}`),
      orderCount: (name) => name.length,
      tick: () => orders.splice(0),
    },
    nowMs: () => clock.nowMs,
    inTurn: (step) => step(),
  });
  const attach = (name: string) => {
    const got: string[] = [];
    const attached = replicas.attach(
      { name, address: `${name}:1` },
      {
        ordered: (hold, release) =>
          void got.push(
            `hold ${hold.map(({ key }) => key)} release ${release.map(({ key }) => key)}`,
          ),
        ended: (why: Failure) => void got.push(why.code),
      },
    );
    return { got, attached };
  };
  const order = (...next: Order[]): void => {
    orders = next;
  };
  return { replicas, told, clock, attach, order };
}

test('orders go to the replica that they are for, and its reports to who decides', () => {
  const { replicas, told, attach, order } = setUp();
  const one = attach('r1');
  const two = attach('r2');
  one.attached.report([REPORT]);
  order({ replica: 'r2', hold: [X], release: [] }, { replica: 'gone', hold: [X], release: [] });
  replicas.tick(10);
  assert.deepEqual(one.got, []);
  assert.deepEqual(two.got, ['hold x release ']);
  assert.deepEqual(told, ['attach r1 r1:1', 'attach r2 r2:1', 'report r1 1']);
  assert.deepEqual(replicas.list()[1], { name: 'r2', address: 'r2:1', copies: 2 });
});

test('a replica that says nothing for three seconds is lost, one that reports is not', () => {
  const { replicas, told, clock, attach } = setUp();
  const one = attach('r1');
  const two = attach('r2');
  for (clock.nowMs = 0; clock.nowMs <= 4000; clock.nowMs += 1000) {
    one.attached.report([]);
    replicas.tick(clock.nowMs);
  }
  assert.deepEqual(one.got, []);
  assert.deepEqual(two.got, ['UNAVAILABLE']);
  assert.equal(replicas.count, 1);
  assert.ok(told.includes('detach r2'));
  two.attached.report([REPORT]);
  two.attached.detach();
  assert.ok(!told.includes('report r2 1'), 'nobody is told of it any more');
});

test('of two replicas of a name the later one counts', () => {
  const { replicas, told, attach } = setUp();
  const before = attach('r1');
  const after = attach('r1');
  assert.deepEqual(before.got, ['INVALID_ARGUMENT']);
  before.attached.detach();
  before.attached.report([REPORT]);
  assert.equal(replicas.count, 1);
  assert.deepEqual(told, ['attach r1 r1:1', 'detach r1', 'attach r1 r1:1']);
  after.attached.detach();
  assert.equal(replicas.count, 0);
});

test('only so many are taken, and all are told when their process stops', () => {
  const { replicas, attach } = setUp(1);
  const one = attach('r1');
  const two = attach('r2');
  assert.deepEqual(two.got, ['OVERLOADED']);
  replicas.close({ kind: 'failed', code: 'UNAVAILABLE', message: 'stops', details: {} });
  assert.deepEqual(one.got, ['UNAVAILABLE']);
  assert.equal(replicas.count, 0);
});
