import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '@deltabase/delta';
import fc from 'fast-check';
import { ExampleDocument, sendSamples } from '../../harness.js';
import { checkQueue, type Item, queueCommands, type Received, stateOf } from './queue-model.js';

const receive = (queue: ExampleDocument, payload: Json = {}) =>
  queue.do('receive', payload) as unknown as readonly Received[];

test('of the sample messages, the lease that ran out goes to the second worker', () => {
  const state = stateOf(sendSamples('queue'));
  assert.deepEqual(Object.keys(state.ready).sort(), ['000000000002', '000000000003']);
  const [[receipt, item]] = Object.entries(state.leased) as [[string, Item]];
  assert.equal(receipt, '001700000062000-000000000001-2');
  assert.deepEqual(item.body, { task: 'resize', image: 'a.png' });
});

test('items come out in the order in which they went in', () => {
  const queue = new ExampleDocument('queue');
  for (let i = 0; i < 12; i++) queue.do('enqueue', { body: i });
  assert.deepEqual(
    receive(queue, { max: 5 }).map(({ body }) => body),
    [0, 1, 2, 3, 4],
  );
  assert.deepEqual(
    receive(queue).map(({ body }) => body),
    [5],
  );
  assert.deepEqual(
    receive(queue, { max: 32 }).map(({ body }) => body),
    [6, 7, 8, 9, 10, 11],
  );
  assert.deepEqual(receive(queue), []);
});

test('a lease that ran out makes the item ready again, in its old place', () => {
  const queue = new ExampleDocument('queue');
  queue.do('enqueue', { body: 'a' });
  queue.do('enqueue', { body: 'b' });
  const [first] = receive(queue, { leaseMs: 1000 });
  queue.time += 999;
  assert.deepEqual(
    receive(queue).map(({ body }) => body),
    ['b'],
  );
  queue.time += 1;
  const [again] = receive(queue);
  assert.equal(again?.body, 'a');
  assert.equal(again?.attempts, 2);
  assert.match(queue.rejected('ack', { receipt: first!.receipt }), /no such lease/);
  queue.do('ack', { receipt: again!.receipt });
});

test('an item that failed often enough is dead until it is driven again', () => {
  const queue = new ExampleDocument('queue');
  queue.do('configure', { attemptsMax: 2 });
  queue.do('enqueue', { body: { deep: ['x', null] } });
  queue.do('nack', { receipt: receive(queue)[0]!.receipt });
  queue.do('nack', { receipt: receive(queue)[0]!.receipt });
  assert.deepEqual(receive(queue), []);
  assert.deepEqual(Object.keys(stateOf(queue).dead), ['000000000001']);
  assert.equal(queue.do('redrive', { max: 9 }), 1);
  const [item] = receive(queue);
  assert.deepEqual([item!.body, item!.attempts], [{ deep: ['x', null] }, 1]);
});

test('a lease can be extended by its holder while it lasts, not after', () => {
  const queue = new ExampleDocument('queue');
  queue.do('enqueue', { body: 1 });
  const { receipt } = receive(queue, { leaseMs: 100 })[0]!;
  queue.time += 60;
  const longer = queue.do('extend', { receipt, leaseMs: 100 }) as string;
  assert.match(queue.rejected('ack', { receipt }), /no such lease/);
  queue.time += 99;
  assert.deepEqual(receive(queue), []);
  queue.time += 1;
  assert.match(queue.rejected('extend', { receipt: longer }), /ran out/);
});

test('bad arguments are rejected', () => {
  const queue = new ExampleDocument('queue');
  assert.match(queue.rejected('enqueue', {}), /body/);
  for (const max of [0, 33, 1.5, -1, 'x']) {
    assert.match(queue.rejected('receive', { max }), /`max` must be a whole number/);
  }
  assert.match(queue.rejected('receive', { leaseMs: 0 }), /leaseMs/);
  assert.match(queue.rejected('ack', {}), /no such lease/);
  assert.match(queue.rejected('ack', { receipt: '../ready/000000000001' }), /no such lease/);
});

test('a message costs the same in a long queue, and a body is emitted once', () => {
  const queue = new ExampleDocument('queue');
  const body = 'x'.repeat(2000);
  const costs = (): readonly number[] => {
    queue.do('enqueue', { body });
    const enqueued = queue.send('enqueue', { body });
    const received = queue.send('receive', {});
    const [{ receipt }] = received.reply as unknown as [Received];
    const sent = [enqueued, received, queue.send('nack', { receipt })];
    return sent.flatMap(({ outcome, patchBytes }) => [patchBytes, outcome.fuel]);
  };
  const short = costs();
  assert.ok(short[0]! > 2000 && short[2]! < 200 && short[4]! < 200, String(short));
  for (let i = 0; i < 3000; i++) queue.do('enqueue', { body: i });
  const long = costs();
  for (const [i, cost] of long.entries()) {
    assert.ok(cost < short[i]! * 1.1 + 20, `${cost} instead of ${short[i]}`);
  }
});

test('the queue behaves as its model does, whatever workers do and whenever', () => {
  fc.assert(
    fc.property(fc.commands(queueCommands(), { maxCommands: 60 }), (commands) => {
      const setup = () => ({
        model: { items: new Map(), next: 1, now: 1_700_000_000_000, attemptsMax: 5 },
        real: new ExampleDocument('queue'),
      });
      fc.modelRun(setup, commands);
    }),
    { numRuns: 60 },
  );
});

test('the check of the state notices an item in two places', () => {
  const queue = sendSamples('queue');
  const state = stateOf(queue);
  checkQueue(state);
  const item = state.ready['000000000002']!;
  assert.throws(() => checkQueue({ ...state, dead: { '000000000002': item } }));
});
